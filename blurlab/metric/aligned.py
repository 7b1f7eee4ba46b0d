"""Restored images compared with the sharp ones up to a shift: a kernel and its image may both be off their place."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from blurlab.metric.inputs import aligned

REACH_PX = 10
STEP_PX = 0.25
BORDER_PX = 15


class Shifted(NamedTuple):
    """Images brought onto each other, ready for any metric.

    Attributes:
        x_hat: Restored images, shifted and cropped (B, C, H - 2 border, W - 2 border).
        x: Sharp images, cropped alike.
        shift_px: Where in x_hat the sharp image's pixels were found (B, 2), rows down and columns right.
    """

    x_hat: Tensor
    x: Tensor
    shift_px: Tensor


def align(
    x_hat: Tensor, x: Tensor, *, reach_px: int = REACH_PX, step_px: float = STEP_PX, border: int = BORDER_PX
) -> Shifted:
    """Shift each restored image, by bilinear interpolation, to where it is nearest to the sharp one.

    Every shift of a square grid is tried, ``argmin_s sum (x_hat(p + s) - x(p))^2`` over the pixels p left by the
    border [Levin2009]; the sharp image is not interpolated.

    Args:
        x_hat: Restored images (B, C, H, W).
        x: Sharp images (B, C, H, W).
        reach_px: Largest shift along each axis, whole pixels.
        step_px: Step of the grid, a whole part of a pixel.
        border: Pixels cut from each side, at least ``reach_px``.

    Returns:
        Both images cropped, and the shifts.

    Raises:
        ValueError: If shapes differ, a value is not finite, or reach, step and border do not fit.

    Example:
        >>> x = torch.arange(900.0).sin().reshape(1, 1, 30, 30)
        >>> found = align(x.roll((2, -1), (2, 3)), x, reach_px=4, border=8)
        >>> found.shift_px, float((found.x_hat - found.x).abs().max())
        (tensor([[ 2., -1.]]), 0.0)
    """
    parts = _parts(step_px)
    if reach_px < 0 or border < reach_px:
        raise ValueError(f"border must be at least the reach of {reach_px} px >= 0, got {border}; raise the border")
    wide, sharp = aligned(border - reach_px, x_hat=x_hat, x=x)
    (sharp,) = aligned(reach_px, x=sharp)
    errors = shift_errors(wide, sharp, parts)
    side = errors.shape[-1]
    best = errors.flatten(1).argmin(1)
    rows, cols = best // side, best % side
    pairs = zip(wide, rows.tolist(), cols.tolist(), strict=True)
    moved = torch.stack([_sample(image, row, col, parts, sharp.shape[-2:]) for image, row, col in pairs])
    shift = torch.stack([rows, cols], 1).to(wide) / parts - reach_px
    return Shifted(moved, sharp, shift)


def shift_errors(wide: Tensor, sharp: Tensor, parts: int) -> Tensor:
    """Sum of squared differences at every shift of the grid (B, n, n), float64.

    ``sum (v - x)^2 = sum v^2 - 2 sum v x + sum x^2``, with v interpolated once for each fraction of a pixel; the first
    two sums over all whole shifts are correlations.

    Args:
        wide: Restored images (B, C, h + 2 reach, w + 2 reach).
        sharp: Sharp images (B, C, h, w).
        parts: Steps a pixel.

    Returns:
        BatchState and columns from ``-reach`` to ``reach`` in steps of ``1 / parts`` px, n = 2 reach parts + 1.
    """
    wide, sharp = wide.double(), sharp.double()
    rows, cols = (wide.shape[axis] - sharp.shape[axis] + 1 for axis in (-2, -1))
    errors = wide.new_empty(len(wide), (rows - 1) * parts + 1, (cols - 1) * parts + 1)
    window, energy = torch.ones_like(sharp[:1]), sharp.square().sum((1, 2, 3))[:, None, None]
    for down in range(parts):
        for right in range(parts):
            v = _between(_between(wide, down / parts, -2), right / parts, -1)
            found = _correlate(v.square(), window) - 2 * _correlate(v, sharp) + energy
            errors[:, down::parts, right::parts] = found
    return errors


def _correlate(v: Tensor, reference: Tensor) -> Tensor:
    """``sum_p v(p + s) reference(p)`` over channels and pixels, for every s that stays inside v (B, m, n)."""
    shape = (v.shape[-2], v.shape[-1])
    spectrum = torch.fft.rfft2(v) * torch.fft.rfft2(reference, s=shape).conj()
    full = torch.fft.irfft2(spectrum.sum(1), s=shape)
    return full[:, : shape[0] - reference.shape[-2] + 1, : shape[1] - reference.shape[-1] + 1]


def _between(image: Tensor, fraction: float, axis: int) -> Tensor:
    """Linear interpolation between each pixel and the next along an axis; one pixel shorter unless that is 0."""
    if fraction == 0:
        return image
    count = image.shape[axis] - 1
    return (1 - fraction) * image.narrow(axis, 0, count) + fraction * image.narrow(axis, 1, count)


def _sample(image: Tensor, row: int, col: int, parts: int, shape: torch.Size) -> Tensor:
    """The window (C, h, w) of an image (C, H, W) at a place of the grid."""
    (top, down), (left, right) = divmod(row, parts), divmod(col, parts)
    part = image[:, top : top + shape[0] + bool(down), left : left + shape[1] + bool(right)]
    return _between(_between(part, down / parts, -2), right / parts, -1)


def _parts(step_px: float) -> int:
    parts = round(1 / step_px) if 0 < step_px <= 1 else 0
    if not parts or abs(parts * step_px - 1) > 1e-9:
        raise ValueError(f"step_px must be a whole part of a pixel such as 0.25, got {step_px}")
    return parts
