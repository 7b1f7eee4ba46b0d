"""Objective gaps of total variation: the objective, its minimum by a long run in float64, the iterations to a gap."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.physics import Gradient


def objective(u: Tensor, y: Tensor, psf: Tensor, weight: float, border: str = "circular") -> float:
    """``1/2 |h * u - y|^2 + weight TV(u)`` in float64, isotropic; h circular.

    Args:
        u: Image (1, 1, H, W).
        y: Observed image.
        psf: Kernel (1, 1, k, k).
        weight: alpha.
        border: Of the differences: circular, as blurlab's, or replicate, as those of deepinv's TVPrior.
    """
    shape = (y.shape[-2], y.shape[-1])
    u, y, psf = u.double(), y.double(), psf.double()
    residual = irfft2(psf_to_otf(psf, shape) * rfft2(u), shape) - y
    return float(residual.square().sum() / 2 + weight * Gradient(border).A(u).norm(dim=2).sum())


def minimise(
    y: Tensor, psf: Tensor, weight: float, border: str = "circular", *, iterations: int, step: float = 30.0
) -> Tensor:
    """The minimiser of :func:`objective` by the primal-dual method of Chambolle and Pock in float64.

    The prox of the misfit is one division in Fourier space; that of TV's conjugate a projection.

    Args:
        y: Observed image (1, 1, H, W).
        psf: Kernel (1, 1, k, k).
        weight: alpha.
        border: Of the differences.
        iterations: How many.
        step: Of the image; that of the dual field is ``1 / (8 step)``.
    """
    shape, gradient = (y.shape[-2], y.shape[-1]), Gradient(border)
    otf = psf_to_otf(psf.double(), shape)
    u = y.double()
    seen, inverse = otf.conj() * rfft2(u) * step, 1 / (1 + step * otf.abs().square())
    before, field = u, torch.zeros_like(gradient.A(u))
    for _ in range(iterations):
        field = field + gradient.A(2 * u - before) / (8 * step)
        field = field / (field.norm(dim=2, keepdim=True) / weight).clamp_min(1)
        before = u
        u = irfft2((rfft2(u - step * gradient.A_adjoint(field)) + seen) * inverse, shape)
    return u


def iterations_to(target: float, objective_after: Callable[[int], float], most: int) -> int | None:
    """The least number of iterations after which the objective is at most ``target``; None where ``most`` do not do.

    Example:
        >>> iterations_to(0.1, lambda n: 1 / n, 20), iterations_to(0.01, lambda n: 1 / n, 20)
        (10, None)
    """
    return next((n for n in range(1, most + 1) if objective_after(n) <= target), None)
