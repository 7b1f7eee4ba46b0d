"""The minimiser of a quadratic objective on a periodic grid, and the unknown pixels beyond the border that it needs."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.core.fourier import irfft2, rfft2
from blurlab.physics import conjugate_gradient

TIE = 1e-6
"""Weight of a first guess beyond the border beside that of an observed pixel."""


def tikhonov(y: Tensor, otf: Tensor, weighed: Tensor) -> Tensor:
    """``argmin_u |H u - y|^2 + weight |D u|^2`` on a periodic grid: ``U = conj(H) Y / (|H|^2 + weight |D|^2)``.

    Args:
        y: Images on the grid (B, C, H, W).
        otf: H (B, 1, H, W // 2 + 1).
        weighed: ``weight |D|^2``, broadcast to otf.

    Returns:
        (B, C, H, W).

    Example:
        >>> y, otf = torch.ones(1, 1, 4, 4), torch.ones(1, 1, 4, 3)
        >>> float(tikhonov(y, otf, torch.tensor(0.25)).mean())
        0.800000...
    """
    return irfft2(otf.conj() * rfft2(y) / _bounded(otf, weighed), (y.shape[-2], y.shape[-1]))


def complete(
    first: Tensor, observed: tuple[int, int], otf: Tensor, weighed: Tensor, tolerance: float, iterations: int
) -> Tensor:
    """The pixels beyond the border that fit the observed ones best.

    ``min_u |M (H u - y)|^2 + weight |D u|^2`` is ``min_u |H u - z|^2 + weight |D u|^2`` with ``M z = y``, the rest of
    z free. That minimum is ``<z, R z>`` with ``R = weight |D|^2 / (|H|^2 + weight |D|^2)`` in Fourier space, so the
    free part solves ``(1 - M) R z = 0``: conjugate gradients on the frame beyond the border, preconditioned by the same
    cut of 1 / R [ChanNg1996]. The fixed point of :func:`~blurlab.deconvolver.border.keep_observed` has the same limit
    and is far slower (``experiments/bench/tikhonov.py --border``). A hair of ``TIE`` holds what little the
    observed pixels say nothing about to the first guess.

    Args:
        first: Grid (B, C, P, Q) that begins with y; the rest is a first guess.
        observed: Size (H, W) of y.
        otf: H (B, 1, P, Q // 2 + 1).
        weighed: ``weight |D|^2``, broadcast to otf.
        tolerance: Relative residual at which an image is done.
        iterations: Ceiling.

    Returns:
        z (B, C, P, Q), y where it was observed; :func:`tikhonov` of it is the minimiser.
    """
    shape = (first.shape[-2], first.shape[-1])
    remains = weighed / _bounded(otf, weighed)

    def beyond(factor: Tensor, x: Tensor) -> Tensor:
        filtered = irfft2(factor * rfft2(x), shape)
        filtered[..., : observed[0], : observed[1]] = 0
        return filtered

    missing = conjugate_gradient(
        lambda x: beyond(remains + TIE, x),
        -beyond(remains, first),
        precondition=lambda x: beyond(1 / (remains + TIE), x),
        tolerance=tolerance,
        max_iterations=iterations,
    )
    missing[..., : observed[0], : observed[1]] = 0  # it is; and so is its gradient
    return first + missing


def _bounded(otf: Tensor, weighed: Tensor) -> Tensor:
    """``|H|^2 + weight |D|^2``, which is never zero."""
    return (otf.abs().square() + weighed).clamp_min(torch.finfo(otf.real.dtype).tiny)
