"""The kernel that best explains the observed gradients by those of a sharp image."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from blurlab.core.fourier import fast_size, irfft2

ITERATIONS = 60
PENALTY = 0.05
"""Penalty of the splitting for non-negative kernels, in units of the mean diagonal."""


def frame(shape: tuple[int, int], width: float) -> Tensor:
    """A window (H, W) that rises from the border to 1, as half a cosine, within so many pixels.

    The pixels nearest to the border are blurred from outside, where the sharp image is not known; without the window
    they bend every kernel.

    Example:
        >>> frame((7, 7), 2)[3]
        tensor([0.1464, 0.8536, 1.0000, 1.0000, 1.0000, 0.8536, 0.1464])
    """
    rows, cols = (_rise(side, width) for side in shape)
    return rows[:, None] * cols


def _rise(side: int, width: float) -> Tensor:
    count = min(max(round(width), 1), (side + 1) // 2)
    edge = 0.5 - 0.5 * torch.cos(math.pi * (torch.arange(count) + 0.5) / count)
    line = torch.ones(side)
    line[:count] = edge
    line[side - count :] *= edge.flip(0)
    return line


def correlations(sharp: Tensor, seen: Tensor, size: int) -> tuple[Tensor, Tensor, tuple[int, int]]:
    """Spectra of what a least-squares kernel needs of the two: both windowed, padded so that nothing wraps round.

    Args:
        sharp: Gradients of the sharp image (2, H, W).
        seen: Observed gradients (2, H, W).
        size: Side of the kernel.

    Returns:
        ``sum_i conj(X_i) Y_i`` and ``sum_i |X_i|^2`` on the grid, and the grid.
    """
    window = frame((seen.shape[-2], seen.shape[-1]), size).to(seen)
    grid = (fast_size(seen.shape[-2] + size), fast_size(seen.shape[-1] + size))
    x, y = (torch.fft.rfft2(field * window, s=grid) for field in (sharp, seen))
    return (x.conj() * y).sum(0), (x.real.square() + x.imag.square()).sum(0), grid


def quotient(sharp: Tensor, seen: Tensor, size: int, weight: float) -> Tensor:
    """``argmin_h sum_i |h * x_i - y_i|^2 + weight |h|^2``, cut to its size: a division of spectra [ChoLee2009].

    Args:
        sharp: Gradients of the sharp image (2, H, W).
        seen: Observed gradients (2, H, W).
        size: Odd side of the kernel.
        weight: In squared units of intensity.

    Returns:
        (size, size), of any sum, negative values too.

    Example:
        >>> sharp = torch.randn(2, 40, 40, generator=torch.Generator().manual_seed(0))
        >>> quotient(sharp, sharp, 3, 0.0).abs().round()[1]
        tensor([0., 1., 0.])
    """
    cross, power, grid = correlations(sharp, seen, size)
    return _middle(irfft2(cross / (power + weight), grid), size)


def non_negative(sharp: Tensor, seen: Tensor, size: int, weight: float) -> Tensor:
    """The same with ``h >= 0`` and no value outside the size: alternating directions on the normal equations.

    Where the sharp image is good this is closer to the kernel than the quotient, whose cut and negatives fit nothing.

    Args:
        sharp: Gradients of the sharp image (2, H, W).
        seen: Observed gradients (2, H, W).
        size: Odd side of the kernel.
        weight: In squared units of intensity, > 0.

    Returns:
        (size, size), >= 0, of any sum.
    """
    cross, power, grid = correlations(sharp, seen, size)
    normal = toeplitz(irfft2(power, grid), size)
    normal.diagonal().add_(weight)
    penalty = PENALTY * float(normal.diagonal().mean())
    right = _middle(irfft2(cross, grid), size).reshape(-1, 1)
    factor = torch.linalg.cholesky(normal + penalty * torch.eye(size**2).to(normal))
    h, multiplier = torch.zeros_like(right), torch.zeros_like(right)
    for _ in range(ITERATIONS):
        free = torch.cholesky_solve(right + penalty * (h - multiplier), factor)
        h = (free + multiplier).clamp_min(0)
        multiplier += free - h
    return h.reshape(size, size)


def toeplitz(correlation: Tensor, size: int) -> Tensor:
    """The matrix (size^2, size^2) that convolves a kernel with an autocorrelation (P, Q), which begins at lag 0."""
    place = torch.arange(size, device=correlation.device)
    lag = place[:, None] - place
    rows, cols = (lag % side for side in correlation.shape)
    return correlation[rows[:, None, :, None], cols[None, :, None, :]].reshape(size**2, size**2)


def _middle(plane: Tensor, size: int) -> Tensor:
    """The pixels (size, size) around the origin of a periodic plane."""
    return plane.roll((size // 2, size // 2), (0, 1))[:size, :size]
