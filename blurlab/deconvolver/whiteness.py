"""Is a photograph's noise white? Measured where its kernel lets nothing of the scene pass."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.deconvolver.parts import parts
from blurlab.noise import estimate_sigma

PASSED = 0.02
"""Of a frequency of which less than this share passes the kernel nothing but noise is seen."""
LOWEST, HIGHEST = 0.04, 0.35
"""Frequencies that are looked at [cycles / px]: below, the scene is too strong, above, a codec leaves no noise."""
LEAST = 100
"""Of how many frequencies the noise is told at least."""
MEASURED_PX = 2**20
"""Pixels of an image that are looked at, in nine places."""


def excess_noise(y: Tensor, psf: Tensor) -> Tensor:
    """How many times as strong the noise of blurred images is at middle frequencies as at the finest details.

    White noise gives 1. Of a JPEG file 3 to 6: it has lost the finest noise, where noise is measured
    (:func:`~blurlab.noise.estimate_sigma`), and keeps the rest, where a deconvolver looks.

    Args:
        y: Observed images (B, C, H, W).
        psf: Their kernels (B, 1, k, k).

    Returns:
        (B,); infinite where the kernel passes all frequencies, or no noise is found.

    Example:
        >>> y = 0.5 + 0.01 * torch.randn(1, 1, 128, 128, generator=torch.Generator().manual_seed(0))
        >>> box = torch.ones(1, 1, 9, 9) / 81
        >>> bool((excess_noise(y, box) - 1).abs() < 0.1), excess_noise(y, box[..., 4:5, 4:5] * 81)
        (True, tensor([inf]))
    """
    return torch.stack([_of_one(y[i : i + 1], psf[i, 0]) for i in range(len(y))])


def _of_one(y: Tensor, psf: Tensor) -> Tensor:
    some = parts(y, MEASURED_PX)
    rows, cols = some.shape[-2:]
    nothing = some.new_tensor(torch.inf)
    if min(rows, cols) < max(psf.shape[-2:]):
        return nothing
    passed = torch.fft.rfft2(psf.to(some), (rows, cols)).abs()
    frequency = torch.hypot(torch.fft.fftfreq(rows)[:, None], torch.fft.rfftfreq(cols)).to(passed)
    seen = (passed < PASSED) & (frequency > LOWEST) & (frequency < HIGHEST)
    finest = estimate_sigma(some).median()
    if int(seen.sum()) < LEAST or not bool(finest > 0):
        return nothing
    window = torch.outer(*(torch.hann_window(side, periodic=False).to(some) for side in (rows, cols)))
    planes = (some - some.mean((-2, -1), keepdim=True)).flatten(0, 1)
    power = torch.stack([torch.fft.rfft2(one * window).abs().square()[seen] for one in planes]).mean(0)
    median = (1 - 1 / (9 * len(planes))) ** 3  # of the mean of so many powers of noise [WilsonHilferty1931]
    return (power.median() / median / window.square().sum()).sqrt() / finest
