"""Colour from a sensor that sees one colour a pixel: the Bayer mosaic, and two linear ways back."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from blurlab.core.boundary import extend

RED, GREEN, BLUE = range(3)
Filter = tuple[tuple[float, ...], ...]

CROSS: Filter = ((0, 1, 0), (1, 0, 1), (0, 1, 0))
DIAGONAL: Filter = ((1, 0, 1), (0, 0, 0), (1, 0, 1))
BESIDE: Filter = ((0, 0, 0), (1, 0, 1), (0, 0, 0))
"""Bilinear interpolation: the mean of the nearest pixels of the colour, around, across or to both sides."""

GREEN_AT_COLOUR: Filter = ((0, 0, -1, 0, 0), (0, 0, 2, 0, 0), (-1, 2, 4, 2, -1), (0, 0, 2, 0, 0), (0, 0, -1, 0, 0))
COLOUR_BESIDE_GREEN: Filter = (
    (0, 0, 0.5, 0, 0), (0, -1, 0, -1, 0), (-1, 4, 5, 4, -1), (0, -1, 0, -1, 0), (0, 0, 0.5, 0, 0),
)  # fmt: skip
COLOUR_AT_OTHER: Filter = (
    (0, 0, -1.5, 0, 0), (0, 2, 0, 2, 0), (-1.5, 0, 6, 0, -1.5), (0, 2, 0, 2, 0), (0, 0, -1.5, 0, 0),
)  # fmt: skip
"""The filters of [Malvar2004], figure 2, times 8."""


def mosaic(x: Tensor) -> Tensor:
    """What a sensor with a Bayer pattern sees: red at even rows and columns, blue at odd ones, green between.

    Args:
        x: RGB images (B, 3, H, W).

    Returns:
        (B, 1, H, W).

    Example:
        >>> mosaic(torch.tensor([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1).expand(1, 3, 2, 2))[0, 0].tolist()
        [[1.0, 2.0], [2.0, 3.0]]
    """
    seen = x[:, GREEN : GREEN + 1].clone()
    seen[..., ::2, ::2] = x[:, RED : RED + 1, ::2, ::2]
    seen[..., 1::2, 1::2] = x[:, BLUE : BLUE + 1, 1::2, 1::2]
    return seen


def bilinear(seen: Tensor) -> Tensor:
    """Each missing colour as the mean of its nearest pixels; a mosaic goes on beyond its border, mirrored.

    Args:
        seen: Mosaics (B, 1, H, W), both sides 2 or more.

    Returns:
        RGB images (B, 3, H, W).
    """
    return _interpolated(seen, CROSS, BESIDE, DIAGONAL)


def malvar(seen: Tensor) -> Tensor:
    """Bilinear interpolation corrected by the curvature of the colour that is known there [Malvar2004].

    Args:
        seen: Mosaics (B, 1, H, W), both sides 3 or more.

    Returns:
        RGB images (B, 3, H, W), which may leave the range of the mosaic beside edges.
    """
    return _interpolated(seen, GREEN_AT_COLOUR, COLOUR_BESIDE_GREEN, COLOUR_AT_OTHER)


def _interpolated(seen: Tensor, green: Filter, beside: Filter, other: Filter) -> Tensor:
    """The colours that each site lacks.

    Args:
        seen: Mosaics (B, 1, H, W).
        green: Green where red or blue is seen.
        beside: Red or blue at a green pixel that has it to its left and right; turned, above and below.
        other: Red where blue is seen, and blue where red is.
    """
    across, along = _filtered(seen, beside), _filtered(seen, tuple(zip(*beside, strict=True)))
    middle, opposite = _filtered(seen, green), _filtered(seen, other)
    image = seen.repeat(1, 3, 1, 1)
    for colour, row in ((RED, 0), (BLUE, 1)):
        own, far = slice(row, None, 2), slice(1 - row, None, 2)  # rows and columns of this colour, and of the other
        image[:, GREEN, own, own] = middle[:, 0, own, own]
        image[:, colour, own, far] = across[:, 0, own, far]
        image[:, colour, far, own] = along[:, 0, far, own]
        image[:, colour, far, far] = opposite[:, 0, far, far]
    return image


def _filtered(seen: Tensor, taps: Filter) -> Tensor:
    """Correlation with taps over their sum, term by term in a fixed order: the batch changes no bit."""
    height, width = seen.shape[-2:]
    wide = extend(seen, (len(taps) // 2,) * 2, "reflect")
    total = torch.zeros_like(seen)
    for row, line in enumerate(taps):
        for col, weight in enumerate(line):
            if weight:
                total = total + weight * wide[..., row : row + height, col : col + width]
    return total / sum(map(sum, taps))


class Demosaic(ABC):
    """From mosaics to colour."""

    @abstractmethod
    def __call__(self, seen: Tensor) -> Tensor:
        """RGB images (B, 3, H, W) of mosaics (B, 1, H, W)."""


class Bilinear(Demosaic):
    """:func:`bilinear`."""

    def __call__(self, seen: Tensor) -> Tensor:
        return bilinear(seen)


class Malvar(Demosaic):
    """:func:`malvar`."""

    def __call__(self, seen: Tensor) -> Tensor:
        return malvar(seen)
