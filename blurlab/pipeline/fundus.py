"""Which images are photographs of the back of the eye: a round field of reddish light in black surroundings."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate

SIDE_PX = 96
"""Shorter side of the small copy that is looked at."""
LIT = 0.15
"""The brightest channel of a pixel of the field is above this."""
RIM = 0.05
"""Share of the radius within which the rim of the field is, which is not looked at."""
DARK_OUTSIDE, LIT_INSIDE = 0.95, 0.97
"""Shares of the pixels outside and inside that are dark and lit, at least."""
LEAST_OUTSIDE = 0.05
"""Share of the image that is outside, at least."""
RED_TO_GREEN, GREEN_TO_BLUE = 1.15, 1.0
"""Ratios of the channels' means over the field, at least."""


def is_fundus(y: Tensor) -> Tensor:
    """Which images are photographs of the back of the eye, as fundus cameras make them (B,) bool.

    Asked of all photographs of DRIVE and CHASE_DB1, and of those of BSDS500 and ImageNet samples, it is right
    (``experiments/schuler2016/fundus_content.py``). A part of such a photograph without its surroundings is not known.

    Args:
        y: (B, 1 or 3, H, W) in [0, 1]; a grey one is never such a photograph.

    Example:
        >>> down, across = torch.meshgrid(torch.arange(90) - 45, torch.arange(120) - 60, indexing="ij")
        >>> field = (down**2 + across**2 < 44**2) * torch.tensor([0.8, 0.4, 0.2]).reshape(3, 1, 1)
        >>> is_fundus(torch.stack([field, 0.5 + 0.5 * field])).tolist()
        [True, False]
    """
    if y.shape[1] != 3:
        return torch.zeros(len(y), dtype=torch.bool, device=y.device)
    return torch.stack([_one(image) for image in y])


def _one(image: Tensor) -> Tensor:
    factor = SIDE_PX / min(image.shape[-2:])
    size = [max(1, round(side * factor)) for side in image.shape[-2:]]
    small = interpolate(image[None], size, mode="bilinear", antialias=True)[0]
    lit = small.amax(0) > LIT
    rows, cols = (lit.float().mean(axis).gt(0.02).nonzero().flatten() for axis in (1, 0))
    if len(rows) == 0 or len(cols) == 0:
        return torch.zeros((), dtype=torch.bool, device=image.device)
    ends = torch.stack([rows[[0, -1]], cols[[0, -1]]]).float()
    radius, (middle_row, middle_col) = float((ends.diff() + 1).max()) / 2, ends.mean(1).tolist()
    down, across = (torch.arange(side, device=image.device, dtype=torch.float32) for side in size)
    away = torch.hypot(down[:, None] - middle_row, across - middle_col) / radius
    outside, inside = away > 1 + RIM, away < 1 - RIM
    red, green, blue = small[:, inside].mean(1).clamp_min(1e-6)
    is_round = (outside.float().mean() >= LEAST_OUTSIDE) & ((~lit)[outside].float().mean() >= DARK_OUTSIDE)
    is_red = (red >= RED_TO_GREEN * green) & (green >= GREEN_TO_BLUE * blue)
    return is_round & (lit[inside].float().mean() >= LIT_INSIDE) & is_red
