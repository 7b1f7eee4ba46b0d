"""First and second differences, both shrunk: a quick first restoration, without the stairs of total variation."""

from __future__ import annotations

from torch import Tensor

from blurlab.core.fourier import irfft2, rfft2
from blurlab.deconvolver.border import keep_observed
from blurlab.deconvolver.observation import GridObservation
from blurlab.deconvolver.tv_step import FALL, LEAST_MU, RELAXATION, observed
from blurlab.deconvolver.variation import D

RHO = 20.0
"""Penalty of both splits, in units of alpha, as that of total variation."""


def second_order(seen: GridObservation, alpha: Tensor, omega: float, iterations: int) -> Tensor:
    """``min 1/2 |M H u - y|^2 + alpha sum |grad u| + omega |grad grad u|`` by over-relaxed ADMM.

    The splits are those of :mod:`~blurlab.deconvolver.tv_step`, with one for second differences and none for a box.

    Args:
        seen: One channel, the border unknown.
        alpha: Weights (B, 1, 1, 1), > 0.
        omega: Weight of the second differences over that of the first, > 0.
        iterations: How many steps.

    Returns:
        Images on the grid (B, 1, P, Q), nearly minimal; not held to [0, 1].

    Example:
        >>> import torch
        >>> seen = GridObservation.of(torch.rand(1, 1, 16, 16), torch.ones(1, 1, 3, 3) / 9, "unknown")
        >>> second_order(seen, torch.full((1, 1, 1, 1), 1e-3), 0.5, 5).shape
        torch.Size([1, 1, 18, 18])
    """
    y, otf, u = seen.y, seen.otf, seen.first
    grid = (u.shape[-2], u.shape[-1])
    power, back, rho = otf.abs().square(), otf.conj().resolve_conj(), RHO * alpha
    laplacian = D.power(grid, like=u)
    smooth = laplacian + omega * laplacian.square()
    slope, bend = _slope_and_bend(u)
    b, bb = slope * 0, bend * 0
    blurred, e = keep_observed(irfft2(otf * rfft2(u), grid), y), y * 0
    mu, floor = alpha * 0 + 1, alpha.sqrt().clamp_min(LEAST_MU)
    for _ in range(iterations):
        # u: (mu / rho H*H + grad^T grad + omega (grad grad)^T grad grad) u = what the splits say
        share = mu / rho
        near = blurred.clone()
        observed(near, y).sub_(2 * e)
        spectrum = (rfft2(_adjoint(slope - 2 * b, bend - 2 * bb, omega)) + share * back * rfft2(near)) / (
            share * power + smooth
        )
        u, hu = irfft2(spectrum, grid), irfft2(otf * spectrum, grid)

        # s: nearest to y where that was observed, H u elsewhere;  e <- e + H u - s;  mu falls
        observed(hu, y).add_(e)
        blurred = blurred.lerp(hu, RELAXATION)
        known = observed(blurred, y).clone()
        s = (y + mu * known) / (1 + mu)
        now = (FALL * mu).maximum(floor)
        e, mu = (known - s) * (mu / now), now
        observed(blurred, y).copy_(s + e)

        # d, dd: shrink(grad u + b), shrink(grad grad u + bb);  b, bb are the projections
        new_slope, new_bend = _slope_and_bend(u)
        slope, bend = slope.lerp(new_slope + b, RELAXATION), bend.lerp(new_bend + bb, RELAXATION)
        b, bb = _projected(slope), _projected(bend)
    return u


def _slope_and_bend(u: Tensor) -> tuple[Tensor, Tensor]:
    """The two first and the four second differences of each pixel, (B, 1, 2, P, Q) and (B, 1, 4, P, Q)."""
    slope = D.A(u)
    return slope, D.A(slope.flatten(1, 2)).flatten(1, 2).unsqueeze(1)


def _adjoint(slope: Tensor, bend: Tensor, omega: float) -> Tensor:
    """``grad^T (slope + omega grad^T bend)``, (B, 1, P, Q)."""
    inner = D.A_adjoint(bend.squeeze(1).unflatten(1, (2, 2)))
    return D.A_adjoint(slope + omega * inner.unsqueeze(1))


def _projected(field: Tensor) -> Tensor:
    """Each vector brought into the ball of radius ``1 / RHO``."""
    return field * (field.square().sum(2, keepdim=True).clamp_min(RHO**-2).rsqrt() / RHO)
