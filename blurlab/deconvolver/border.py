"""What lies beyond the border of an image: the periodic grid of a solver, and the pixels that were observed on it."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.core.constants import made_once
from blurlab.core.fourier import fast_size
from blurlab.deconvolver.extension import edgetaper, extend_harmonic

PERIODIC = ("padded", "liu_jia", "edgetaper", "circular")
"""Ways to make y periodic, which is all that a filter of one shot needs."""
BOUNDARIES = ("unknown", *PERIODIC)
"""What a solver may assume of what lies beyond the border of y."""


def on_grid(y: Tensor, psf: Tensor, boundary: str, margin: int | None = None) -> Tensor:
    """A periodic grid that begins with y: what a solver with Fourier transforms works on.

    =========  ==========================================================================================
    unknown    padded, but the new pixels are a first guess: the solver keeps to y where it was observed
               (:func:`keep_observed`) and finds the rest itself
    padded     larger; reflected edges that fade into each other (:func:`extend_periodic`)
    liu_jia    larger; the new pixels solve Laplace's equation (:func:`extend_harmonic`)
    edgetaper  y with its edges blended with its circular blur (:func:`edgetaper`)
    circular   y itself
    =========  ==========================================================================================

    Args:
        y: Observed images (B, C, H, W).
        psf: Kernels (B, 1, k, l).
        boundary: One of ``BOUNDARIES``.
        margin: Least number of pixels to append where the grid is larger; None: the kernel's side less one.

    Returns:
        (B, C, P, Q); the image is ``result[..., :H, :W]``.

    Example:
        >>> on_grid(torch.rand(1, 1, 17, 24), torch.ones(1, 1, 3, 3) / 9, "padded").shape
        torch.Size([1, 1, 20, 27])
    """
    if boundary == "circular":
        return y
    if boundary == "edgetaper":
        return edgetaper(y, psf)
    extend = extend_harmonic if boundary == "liu_jia" else extend_periodic
    return extend(y, max(max(psf.shape[-2:]) - 1, 1) if margin is None else margin)


def keep_observed(blurred: Tensor, y: Tensor) -> Tensor:
    """``M y + (1 - M) H u``: y where it was observed, the present H u elsewhere [Almeida2013]; writes into ``blurred``.

    Args:
        blurred: H u on the grid (B, C, P, Q); changed.
        y: Observed images (B, C, H, W), the first rows and columns of the grid.

    Returns:
        ``blurred``.
    """
    blurred[..., : y.shape[-2], : y.shape[-1]] = y
    return blurred


def draw_to_observed(blurred: Tensor, y: Tensor, multiplier: Tensor, penalty: float) -> tuple[Tensor, Tensor]:
    """The split s = H u of [Almeida2013] at any penalty mu: what H u is to be next, and the multiplier's next value.

    ``s = (y + mu (H u + e)) / (1 + mu)`` where y was observed and H u elsewhere, ``e <- e + H u - s``. At mu = 1 this
    is :func:`keep_observed`; a smaller mu lets the pixels beyond the border move faster, since there the penalty does
    nothing but hold H u where it was.

    Args:
        blurred: H u on the grid (B, C, P, Q); changed.
        y: Observed images (B, C, H, W), the first rows and columns of the grid.
        multiplier: e (B, C, H, W), 0 at first.
        penalty: mu > 0.

    Returns:
        ``blurred``, now s - e, and the next e.

    Example:
        >>> draw_to_observed(torch.zeros(1, 1, 1, 2), torch.ones(1, 1, 1, 1), torch.zeros(1, 1, 1, 1), 0.25)
        (tensor([[[[1.6000, 0.0000]]]]), tensor([[[[-0.8000]]]]))
    """
    observed = blurred[..., : y.shape[-2], : y.shape[-1]]
    observed += multiplier
    multiplier = (observed - y) / (1 + penalty)
    observed -= 2 * multiplier
    return blurred, multiplier


def extend_periodic(image: Tensor, margin: int) -> Tensor:
    """Append at least ``margin`` rows and columns so that the image, repeated, has no jump.

    The new pixels fade from the reflection of the bottom (right) edge to that of the top (left) edge, which is where
    the periodic image goes on; the original is ``result[..., :H, :W]``.

    Args:
        image: (..., H, W).
        margin: Least number of pixels to append to each of the two axes, [px]; at least 1.

    Returns:
        (..., H', W') with sides whose FFT is fast.

    Example:
        >>> extend_periodic(torch.tensor([[0.0, 1, 2, 3, 4, 5]]).expand(6, 6), 3)[0, 5:]
        tensor([5.0000, 4.5607, 2.5000, 0.4393])
    """
    rows, cols = image.shape[-2:]
    grid = image.new_empty(*image.shape[:-2], *extended_shape((rows, cols), margin))
    grid[..., :rows, :cols] = image
    _fill_seam(grid[..., :rows, :], cols, -1)
    _fill_seam(grid, rows, -2)
    return grid


def extended_shape(shape: tuple[int, int], margin: int) -> tuple[int, int]:
    """Sides of what :func:`extend_periodic` makes of an image of ``shape`` (H, W).

    Example:
        >>> extended_shape((256, 512), 18)
        (288, 540)
    """
    return fast_size(shape[0] + margin), fast_size(shape[1] + margin)


def _fill_seam(grid: Tensor, n: int, axis: int) -> None:
    """Write what goes on after the first n of an axis; see :func:`extend_periodic`."""
    count = grid.shape[axis] - n
    after, before, fade = _seam(n, count, grid.dtype, grid.device)
    after_last, before_first = grid.index_select(axis, after), grid.index_select(axis, before)
    seam = torch.lerp(before_first, after_last, fade if axis == -1 else fade[:, None])
    grid.narrow(axis, n, count).copy_(seam)


@made_once
def _seam(n: int, count: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Indices of the reflections after the last and before the first of n samples, and the share of the former."""
    steps = torch.arange(count, device=device)
    fade = (1 + torch.cos(torch.pi * (steps + 1) / (count + 1))) / 2
    return _reflect(n + steps, n), _reflect(steps - count, n), fade.to(dtype)


def _reflect(index: Tensor, n: int) -> Tensor:
    """Indices of the half-sample symmetric extension of n samples, any distance away."""
    index = index.remainder(2 * n)
    return torch.where(index < n, index, 2 * n - 1 - index)
