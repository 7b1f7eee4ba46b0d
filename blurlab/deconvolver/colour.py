"""How much of a restoration to keep in each colour: what channels share is known better than what they differ in."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from blurlab.deconvolver.parts import parts

LOOKED_AT_PX = 2**20
"""Pixels of an image whose colours are looked at, in nine places."""
BAND = 256
"""Rows of an image that are changed at a time."""


def with_sure_colour(before: Tensor, after: Tensor, least: float) -> Tensor:
    """A restoration with less of its change where only one channel changes.

    Cameras see one colour a pixel and guess the others, and JPEG keeps colour at half the resolution and coarsely. So
    what the channels differ in, which is little in most photographs, is more error than detail, and undoing a blur
    magnifies it. The main directions of the gradients (red, green, blue) of the image are looked for; of the change
    along each, ``least + (1 - least) s / s_1`` is kept, s its standard deviation and s_1 the largest. An image whose
    channels have nothing to do with one another keeps nearly all of it, a grey one all.

    Args:
        before: Observed images (B, C, H, W), values of a file.
        after: The same restored, within [0, 1]; it is changed in place.
        least: Share of the change that is kept along a direction that the image hardly has; 1 changes nothing.

    Returns:
        ``after``.

    Example:
        >>> before = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        >>> alike = before.mean(1, keepdim=True).expand(-1, 3, -1, -1)
        >>> bool((with_sure_colour(alike, alike**2, 0.3) - alike**2).abs().max() < 1e-6)
        True
    """
    channels, height = before.shape[1], before.shape[-2]
    if least == 1 or channels == 1 or min(before.shape[-2:]) < 4:
        return after
    for y, image in zip(before, after, strict=True):
        kept = _kept(y, least).to(image)
        for top in range(0, height, BAND):
            rows = slice(top, top + BAND)
            change = torch.einsum("ij,jhw->ihw", kept, image[:, rows] - y[:, rows].to(image))
            image[:, rows] = (y[:, rows] + change).clamp_(0, 1)
    return after


def _kept(y: Tensor, least: float) -> Tensor:
    """What is kept of a change of the channels (C, C), of an image (C, H, W)."""
    small = avg_pool2d(parts(y[None].float(), LOOKED_AT_PX), 2)
    edges = [small.diff(dim=axis).transpose(0, 1).flatten(1) for axis in (-1, -2)]
    covariance = sum(one @ one.T for one in edges)
    assert isinstance(covariance, Tensor)
    power, direction = torch.linalg.eigh(covariance.double())
    share = (power.clamp_min(0) / power[-1].clamp_min(1e-12)).sqrt()
    share[-1] = 1.0
    return direction @ torch.diag(least + (1 - least) * share) @ direction.T
