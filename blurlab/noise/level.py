"""The noise of a photograph, measured in the photograph itself."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from blurlab.core.checks import MOST_SIGMA
from blurlab.core.constants import MAD_OF_NORMAL

SIDE, ENERGY = 4, 1 + 9 + 9 + 1
"""Pixels of a third difference, 1 -3 3 -1, and the sum of its squares. Along rows and along columns it leaves nothing
of a square of 4 x 4 pixels in which a photograph is a parabola."""
FLAT = 5
"""Side of the squares whose pixels are all equal in a surround, hardly ever in a photograph [px]."""
RESOLUTION = 1e-5
"""Differences nearer than this count as the same value of an image of few bits."""

KERNEL_ERROR_PX = 0.22
"""How far a kernel that somebody measured is assumed to be out of place: by the photographs of [Levin2009], whose
kernels were measured (``experiments/nonblind/kernel_error.py``)."""


def effective_sigma(
    y: Tensor, kernel_error_px: float | Tensor = KERNEL_ERROR_PX, caution: float | Tensor = 1.0
) -> Tensor:
    """Noise to assume in a photograph of which nothing is told: what is measured, and what an inexact kernel adds.

    ``sqrt((caution sigma)^2 + (kernel_error_px g)^2)``, g the mean length of y's differences beyond the noise's.

    Where the kernel is exact this restores too cautiously, by one or two dB where the noise is small: give a
    deconvolver ``sigma=estimate_sigma(y)`` then. ``experiments/nonblind/kernel_error.py`` measures both.

    Args:
        y: Observed images (B, C, H, W) on the [0, 1] scale.
        kernel_error_px: How far the kernel is assumed to be out of place, a number or one per image (B,).
        caution: Factor on the noise that is measured, a number or one per image (B,).

    Returns:
        (B,), at most what a deconvolver takes (:data:`~blurlab.core.checks.MOST_SIGMA`).

    Example:
        >>> round(float(effective_sigma(torch.linspace(0, 1, 101).expand(1, 1, 101, 101))), 4)
        0.0022
    """
    measured = estimate_sigma(y)
    if min(y.shape[-2:]) < 2:
        return (caution * measured).clamp_max(MOST_SIGMA)
    length = torch.hypot(y.diff(dim=-1)[..., :-1, :], y.diff(dim=-2)[..., :-1]).mean(dim=(1, 2, 3))
    gradient = (length.square() - math.pi * measured.square()).clamp_min(0)
    assumed = ((caution * measured).square() + kernel_error_px**2 * gradient).sqrt()
    return assumed.clamp_max(MOST_SIGMA)


def estimate_sigma(y: Tensor) -> Tensor:
    """Noise standard deviation from the finest diagonal details: median |d| / 0.6745 [Donoho1995].

    A blurred photograph has next to nothing there, so what is there is noise, that of rounding to 8 bits included. The
    detail d is a third difference both ways, of which edges and texture leave far less than of Donoho's Haar wavelet.
    Pixels that are clipped at 0 or 1, or lie in a square of equal ones such as the black surround of a fundus
    photograph, have no noise and do not count. In an image of few bits |d| has few values; its median is then that of
    the values before rounding, spread evenly over the interval that each stands for.

    Args:
        y: Observed images (B, C, H, W) on the [0, 1] scale.

    Returns:
        (B,), all channels of an image together; 0 where no pixel counts.

    Example:
        >>> y = 0.5 + 0.01 * torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
        >>> estimate_sigma(y).round(decimals=3)
        tensor([0.0100, 0.0100])
    """
    batch, channels, height, width = y.shape
    if min(height, width) < SIDE:
        return y.new_zeros(batch)
    planes = y.reshape(batch * channels, height, width)
    detail = third_difference(third_difference(planes, -1), -2) / ENERGY
    low, high = running(torch.minimum, planes, SIDE), running(torch.maximum, planes, SIDE)
    counts = (low > 0) & (high < 1) & ~_touches_flat(planes)
    detail = detail.abs().div(RESOLUTION).round().mul(RESOLUTION).where(counts, torch.nan).reshape(batch, -1)
    return grouped_median(detail).nan_to_num(0.0) / MAD_OF_NORMAL


def grouped_median(values: Tensor) -> Tensor:
    """Median of rounded values (n, m) >= 0 along the last axis, each taken as spread evenly half way to its neighbours.

    NaN do not count. For values that are all different it is the median within their spacing.

    Example:
        >>> grouped_median(torch.tensor([[0.0, 0, 0, 1, 1, 1, 1, 2, 2, 3]]))
        tensor([1.])
        >>> grouped_median(torch.tensor([[0.0, 0, 0, 0, 1]]))
        tensor([0.3125])
    """
    middle = torch.nanmedian(values, dim=1, keepdim=True).values
    number = values.isfinite().sum(1, keepdim=True)
    smaller, larger = values < middle, values > middle
    below = smaller.sum(1, keepdim=True)
    equal = (number - below - larger.sum(1, keepdim=True)).clamp_min(1)
    before = values.where(smaller, -torch.inf).amax(1, keepdim=True)
    after = values.where(larger, torch.inf).amin(1, keepdim=True)
    start = torch.where(before.isfinite(), (before + middle) / 2, torch.where(middle > 0, middle, 0.0))
    stop = torch.where(after.isfinite(), (middle + after) / 2, middle)
    return (start + (number / 2 - below) / equal * (stop - start)).squeeze(1)


def _touches_flat(planes: Tensor) -> Tensor:
    """Squares of ``SIDE`` pixels of planes (n, H, W) that hold one whose surroundings are all equal."""
    around = F.pad(planes, (FLAT // 2,) * 4, mode="replicate")
    flat = running(torch.maximum, around, FLAT) == running(torch.minimum, around, FLAT)
    return running(torch.maximum, flat, SIDE)


def third_difference(x: Tensor, axis: int) -> Tensor:
    """``x[i] - 3 x[i + 1] + 3 x[i + 2] - x[i + 3]`` along an axis, which is three shorter then.

    Example:
        >>> third_difference(torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0]), 0)
        tensor([ 3., -3.])
    """
    count = x.shape[axis] - 3
    first, second, third, fourth = (x.narrow(axis, start, count) for start in range(4))
    return (third - second).mul_(3).add_(first).sub_(fourth)


def running(of: Callable[[Tensor, Tensor], Tensor], x: Tensor, side: int) -> Tensor:
    """Maximum or minimum over every square of ``side`` pixels: on a CPU far quicker than pooling.

    Args:
        of: ``torch.maximum`` or ``torch.minimum``.
        x: (..., H, W), no side shorter than the squares'.
        side: Of the squares [px].

    Returns:
        (..., H - side + 1, W - side + 1).

    Example:
        >>> running(torch.maximum, torch.tensor([[5.0, 1, 2], [0, 0, 3]]), 2)
        tensor([[5., 3.]])
    """
    for axis in (-1, -2):
        covered = 1
        while covered < side:
            step = min(covered, side - covered)
            count = x.shape[axis] - step
            x = of(x.narrow(axis, 0, count), x.narrow(axis, step, count))
            covered += step
    return x
