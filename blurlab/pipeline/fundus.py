"""Photographs of the back of the eye: a round field of reddish light in black surroundings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate

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
EDGE = 0.015
"""Share of the radius within which the edge itself is: how well the circle is known."""
LEAST_PX = 180
"""Side of the smallest square that is looked at: in smaller ones vessels are so near together that they look moved."""


class Circle(NamedTuple):
    """A circle in an image.

    Attributes:
        row: Of its middle [px].
        col: Of its middle [px].
        radius: [px].
    """

    row: float
    col: float
    radius: float

    def within(self, margin_px: float) -> Circle:
        """The circle that is so much smaller."""
        return Circle(self.row, self.col, max(self.radius - margin_px, 1.0))


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
    return torch.tensor([field(image) is not None for image in y], device=y.device)


def field(image: Tensor) -> Circle | None:
    """The round field of a photograph of the back of the eye (C, H, W); None where it is no such photograph."""
    if image.shape[0] != 3:
        return None
    factor = SIDE_PX / min(image.shape[-2:])
    size = [max(1, round(side * factor)) for side in image.shape[-2:]]
    small = interpolate(image[None], size, mode="bilinear", antialias=True)[0]
    lit = small.amax(0) > LIT
    rows, cols = (lit.float().mean(axis).gt(0.02).nonzero().flatten() for axis in (1, 0))
    if len(rows) == 0 or len(cols) == 0:
        return None
    ends = torch.stack([rows[[0, -1]], cols[[0, -1]]]).float()
    radius, (row, col) = float(ends.diff().max()) / 2, ends.mean(1).tolist()
    away = _away(Circle(row, col, radius), size).to(image.device)
    outside, inside = away > 1 + RIM, away < 1 - RIM
    red, green, blue = small[:, inside].mean(1).clamp_min(1e-6)
    is_round = (outside.float().mean() >= LEAST_OUTSIDE) & ((~lit)[outside].float().mean() >= DARK_OUTSIDE)
    is_red = (red >= RED_TO_GREEN * green) & (green >= GREEN_TO_BLUE * blue)
    if not bool(is_round & (lit[inside].float().mean() >= LIT_INSIDE) & is_red):
        return None
    return Circle((row + 0.5) / factor - 0.5, (col + 0.5) / factor - 0.5, radius / factor)


def square_within(image: Tensor) -> tuple[int, int, int, int] | None:
    """The largest square inside the field of a photograph of the back of the eye (C, H, W), away from its rim.

    The rim is that of a stop in the camera: sharp whatever blurs the eye behind it, so it would be taken for detail.

    Returns:
        Its first row, the row after its last, and its columns alike; None where it is no such photograph, or too small.
    """
    circle = field(image)
    if circle is None:
        return None
    half = (1 - RIM) * circle.radius / math.sqrt(2)
    (top, bottom), (left, right) = (
        (max(0, math.ceil(middle - half)), min(side, math.floor(middle + half) + 1))
        for middle, side in zip(circle[:2], image.shape[-2:], strict=True)
    )
    return (top, bottom, left, right) if min(bottom - top, right - left) >= LEAST_PX else None


def inside(circle: Circle, shape: Sequence[int], fade_px: float) -> Tensor:
    """Weights (H, W): 0 outside a circle, rising to 1 over ``fade_px`` inside it."""
    return ((1 - _away(circle, shape)) * circle.radius / fade_px).clamp(0, 1)


def mirrored(y: Tensor, circle: Circle) -> Tensor:
    """Images (B, C, H, W) with what is inside a circle mirrored at it in the place of what is outside.

    A deconvolver that sees the sharp rim of a stop takes it for a wrong kernel, and fills the field with rings.
    """
    shape = (y.shape[-2], y.shape[-1])
    away = _away(circle, shape).to(y)
    share = torch.where(away > 1, (2 - away).clamp_min(0) / away, 1.0)
    places = [
        2 * (middle + (torch.arange(side).to(y).reshape(view) - middle) * share) / (side - 1) - 1
        for middle, side, view in zip(circle[:2], shape, ((-1, 1), (1, -1)), strict=True)
    ]
    grid = torch.stack(places[::-1], -1).expand(len(y), -1, -1, -1)
    found = grid_sample(y, grid, mode="bilinear", padding_mode="border", align_corners=True)
    return torch.where(away > 1, found, y)


def _away(circle: Circle, shape: Sequence[int]) -> Tensor:
    """Distance of each pixel (H, W) from the middle of a circle, in its radii."""
    down, across = (torch.arange(side, dtype=torch.float32) for side in shape)
    return torch.hypot(down[:, None] - circle.row, across - circle.col) / circle.radius
