"""Total variation with a box constraint by ADMM; nothing need be assumed of what lies beyond the border."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.deconvolver.base import Deconvolver, Restored, check_choice, check_option
from blurlab.deconvolver.border import BOUNDARIES, draw_to_observed, has_room, on_grid
from blurlab.deconvolver.iteration import Rows, iterate
from blurlab.deconvolver.variation import project, total_variation
from blurlab.physics import Gradient

STRENGTH = 1.5
"""alpha / sigma^1.5 of best mean ISNR over validation photographs of DRIVE, CHASE_DB1 and BSDS500 (16, green), with 4,
6, 8 and 10 taps and sigma .002, .004, .01: ``experiments/bench/tv_weight.py``, ``results/tv_weight.json`` there. Fundus
photographs alone would have 2, Berkeley's 1. The power is 1.5, not 2: the best alpha / sigma^2 falls as noise grows."""
D = Gradient()


@dataclass
class Problem(Rows):
    """What stays the same in :func:`step`, per image (B, ...)."""

    y: Tensor
    """Observed images (B, C, H, W); they fill the first rows and columns of the grid, the rest is unknown."""
    otf: Tensor
    inverse: Tensor
    """``1 / (mu |H|^2 + gamma + rho L)``, L = |Dx|^2 + |Dy|^2."""
    gamma: Tensor
    rho: Tensor
    mu: float
    radius: float
    """``alpha / rho``."""
    upper: float


@dataclass
class State(Rows):
    """What :func:`step` hands on, on the grid (B, C, P, Q) save e."""

    u: Tensor
    hu: Tensor
    e: Tensor
    """Scaled multiplier of s = H u where y was observed, (B, C, H, W)."""
    b: Tensor
    """Scaled multiplier of d = grad u, (B, C, 2, P, Q)."""
    c: Tensor
    """Scaled multiplier of w = u, ``-lambda / gamma``."""
    pull: Tensor
    """``gamma (w - c) + rho grad^T (d - b)``."""


def start(problem: Problem, u: Tensor) -> State:
    """The state at a first estimate u (B, C, P, Q), multipliers zero."""
    hu = irfft2(problem.otf * rfft2(u), (u.shape[-2], u.shape[-1]))
    field = D.A(u)
    pull = problem.gamma * u + problem.rho * D.A_adjoint(field)
    e, nothing = torch.zeros_like(problem.y), torch.zeros_like(u)
    return State(u=u, hu=hu, e=e, b=torch.zeros_like(field), c=nothing, pull=pull)


def step(problem: Problem, state: State) -> State:
    """One iteration of ADMM on ``1/2 |M H u - y|^2 + alpha TV(u)``, 0 <= u <= upper.

    The split s = H u is that of [Almeida2013]: :func:`~blurlab.deconvolver.border.draw_to_observed`.

    Args:
        problem: Images, filters and penalties.
        state: The last state; it is used up.

    Returns:
        The next state.
    """
    p, c = problem, state.c
    grid = (state.u.shape[-2], state.u.shape[-1])

    s, e = draw_to_observed(state.hu, p.y, state.e, p.mu)
    spectrum = (p.otf.conj() * rfft2(s)).mul_(p.mu).add_(rfft2(state.pull)).mul_(p.inverse)
    u, hu = irfft2(spectrum, grid), irfft2(p.otf * spectrum, grid)

    field = D.A(u).add_(state.b)
    b = project(field, p.radius)  # b + grad u - d: shrinkage leaves what projection takes
    field.sub_(b, alpha=2)  # d - b

    c += u
    w = c.clamp(0, p.upper)  # w = clip(u + c)
    c -= w  # c = u + c - w
    pull = D.A_adjoint(field).mul_(p.rho).add_(w.sub_(c).mul_(p.gamma))
    return State(u, hu, e, b, c, pull)


class TV(Deconvolver):
    """Isotropic total variation and box constraint, ``min 1/2 |M H u - y|^2 + alpha TV(u), 0 <= u <= upper``.

    The convex model of [Williams2017] with its transform eliminated, by the split of [Goldstein2009].

    Args:
        weight: alpha; None is ``strength sigma^1.5`` for each image.
        strength: alpha / sigma^1.5 where weight is None.
        iterations: Ceiling.
        tolerance: Relative change of an image between iterations at which it is done.
        boundary: unknown (M keeps the pixels that were observed; the image goes on beyond them, freely [Almeida2013]),
            or another of ``border.BOUNDARIES`` (M = 1: what makes y periodic counts as observed).
        upper: Greatest intensity.
        rho: Penalty of d = grad u in units of alpha.
        gamma: Penalty of w = u in units of alpha.
        mu: Penalty of s = H u where the border is unknown; below 1 the pixels beyond it are found in fewer iterations.
    """

    def __init__(
        self,
        weight: float | None = None,
        strength: float = STRENGTH,
        iterations: int = 40,
        tolerance: float = 1e-3,
        boundary: str = "unknown",
        upper: float = 1.0,
        rho: float = 10.0,
        gamma: float = 20.0,
        mu: float = 0.1,
    ) -> None:
        if weight is not None:
            check_option("weight", weight, 1e-12, 10)
        check_option("strength", strength, 1e-3, 1e4)
        check_option("iterations", iterations, 1, 1e6)
        check_option("tolerance", tolerance, 0, 1)
        check_choice("boundary", boundary, BOUNDARIES)
        check_option("upper", upper, 1e-6, 1e6)
        check_option("rho", rho, 1e-3, 1e6)
        check_option("gamma", gamma, 1e-3, 1e6)
        check_option("mu", mu, 1e-6, 1e6)
        self.weight = weight
        self.strength = strength
        self.iterations = int(iterations)
        self.tolerance = tolerance
        self.boundary = boundary
        self.reaches_beyond = has_room(boundary)
        self.upper = upper
        self.rho = rho
        self.gamma = gamma
        self.mu = mu

    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        """ADMM from y; history: relative_change."""
        problem, first = self._problem(y, psf, sigma)
        u, change = iterate(step, problem, start(problem, first), self.iterations, self.tolerance)
        return Restored(u[..., : y.shape[-2], : y.shape[-1]].clamp(0, self.upper), {"relative_change": change})

    def _problem(self, y: Tensor, psf: Tensor, sigma: Tensor) -> tuple[Problem, Tensor]:
        grid = on_grid(y, psf, self.boundary)
        shape = (grid.shape[-2], grid.shape[-1])
        alpha = default_weight(sigma, self.strength) if self.weight is None else torch.full_like(sigma, self.weight)
        otf, rho, gamma = psf_to_otf(psf, shape), self.rho * alpha, self.gamma * alpha
        # where all is observed no split is needed, and mu = 1 is to have none
        observed, mu = (y, self.mu) if self.boundary == "unknown" else (grid, 1.0)
        inverse = 1 / (mu * otf.abs().square() + gamma + rho * D.power(shape, like=y))
        return Problem(observed, otf, inverse, gamma, rho, mu, 1 / self.rho, self.upper), grid


def default_weight(sigma: Tensor, strength: float = STRENGTH) -> Tensor:
    """``alpha = strength sigma^1.5``, of the shape of sigma.

    Example:
        >>> default_weight(torch.tensor([0.004]))
        tensor([0.0004])
    """
    return strength * sigma.pow(1.5)


def tv_objective(u: Tensor, y: Tensor, psf: Tensor, weight: float) -> Tensor:
    """``1/2 |h * u - y|^2 + alpha TV(u)``, circular, per image (B,); u and y (B, C, H, W)."""
    shape = (y.shape[-2], y.shape[-1])
    residual = irfft2(psf_to_otf(psf, shape) * rfft2(u), shape) - y
    return residual.square().flatten(1).sum(1) / 2 + weight * total_variation(u)
