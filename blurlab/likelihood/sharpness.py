"""Whether an image shows edges that are sharper than a blur leaves any."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from blurlab.likelihood.content import middle_of

STEPS = ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (1, -2), (2, 1), (2, -1))
"""Rows and columns between the two pixels that are compared."""
PAIRS = 16
"""So many pairs of pixels differ by as much: a single hot pixel is no edge."""
NOISE = 4.0
"""Standard deviations of a difference that noise may add to it."""


def sharper_than(y: Tensor, psf: Tensor, sigma: Tensor) -> Tensor:
    """How much more neighbouring pixels differ than a blur lets them, as a ratio (B,); above 1 the blur is none of y's.

    Of a sharp image x in [0, 1], ``|(h * x)(p + s) - (h * x)(p)|`` is at most half the sum of ``|h(q + s) - h(q)|``. So
    an image that was blurred by h, whatever it shows, stays below 1 for every step s.

    Args:
        y: Observed images (B, C, H, W) in [0, 1], at least 16 px on a side.
        psf: Kernels (B, 1, k, l).
        sigma: Noise standard deviation (B,).

    Example:
        >>> import torch
        >>> edge = (torch.arange(32) > 15).float().expand(1, 1, 32, 32)
        >>> line = torch.full((1, 1, 1, 5), 1 / 5)
        >>> blurred = F.conv2d(edge, line)
        >>> torch.cat([sharper_than(one, line, torch.zeros(1)) for one in (edge, blurred)])
        tensor([5.0000, 1.0000])
    """
    y, ratio = middle_of(y), y.new_zeros(len(y))
    height, width = y.shape[-2:]
    for down, across in STEPS:
        later = y[..., down:, max(across, 0) : width + min(across, 0)]
        first = y[..., : height - down, max(-across, 0) : width - max(across, 0)]
        apart = (later - first).abs().amax(1).flatten(1)
        least = apart.topk(PAIRS, dim=1).values[:, -1] - NOISE * 2**0.5 * sigma
        ratio = ratio.maximum(least / most_apart(psf, (down, across)))
    return ratio


def most_apart(psf: Tensor, step: tuple[int, int]) -> Tensor:
    """Greatest difference of two pixels that lie a step apart in an image in [0, 1] after this blur (B,).

    Example:
        >>> import torch
        >>> most_apart(torch.full((1, 1, 1, 5), 1 / 5), (0, 1)), most_apart(torch.full((1, 1, 1, 5), 1 / 5), (1, 0))
        (tensor([0.2000]), tensor([1.]))
    """
    padded = F.pad(psf, (2, 2, 2, 2))
    return (padded - padded.roll(step, (-2, -1))).abs().sum((1, 2, 3)) / 2
