"""The implicitly constrained total variation of [Williams2017], eq. (2), by ADMM."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.deconvolver.base import Deconvolver, Restored, check_choice, check_count, check_option
from blurlab.deconvolver.border import BOUNDARIES, keep_observed, on_grid
from blurlab.deconvolver.iteration import BatchState, iterate
from blurlab.deconvolver.tv import D
from blurlab.deconvolver.variation import project, total_variation
from blurlab.deconvolver.weight import WeightRule, frozen_weight, weight_rule

INSIDE = 1e-3
"""First estimates are kept this share of the range away from its ends, where the transform's inverse is infinite."""
NEWTON_STEPS = 2
"""Newton steps on psi in each iteration."""
LONGEST_STEP = 1.0
"""Longest Newton step: the logistic changes its curvature over about 1.3."""


def transform(psi: Tensor, upper: float) -> Tensor:
    """``T_a(psi) = a / (1 + exp(-psi))``, in (0, a): the transform of exponential type of [Williams2017].

    Example:
        >>> transform(torch.tensor([-100.0, 0.0]), 2.0)
        tensor([0., 1.])
    """
    return upper * torch.sigmoid(psi)


def inverse_transform(value: Tensor, upper: float) -> Tensor:
    """``T_a^-1(v) = log(v / (a - v))`` of a value first brought inside the range.

    Example:
        >>> inverse_transform(torch.tensor([0.5]), 1.0)
        tensor([0.])
    """
    return torch.logit((value / upper).clamp(INSIDE, 1 - INSIDE))


@dataclass
class Problem(BatchState):
    """What stays the same in :func:`step`, per image (B, ...); names as in eq. (2) of [Williams2017]."""

    y: Tensor
    """Observed images; they fill the first rows and columns of the grid, the rest is unknown."""
    otf: Tensor
    inverse_u: Tensor
    """``1 / (|H|^2 + gamma)``."""
    inverse_q: Tensor
    """``1 / (kappa + rho L)``."""
    zeta: Tensor
    gamma: Tensor
    kappa: Tensor
    rho: Tensor
    mu: Tensor
    theta: float
    radius: float
    """``alpha / rho``."""
    upper: float


@dataclass
class State(BatchState):
    """What :func:`step` hands on (B, C, P, Q): lambda splits u = T(psi), e T(psi) + theta (psi - zeta)^2 = q."""

    u: Tensor
    """``T(psi)``, the image."""
    hu: Tensor
    psi: Tensor
    lam: Tensor
    e: Tensor
    b: Tensor
    pull: Tensor
    """``grad^T (d - b)``."""


def start(problem: Problem) -> State:
    """The state at the first estimate zeta, multipliers zero."""
    u = transform(problem.zeta, problem.upper)
    hu = irfft2(problem.otf * rfft2(u), (u.shape[-2], u.shape[-1]))
    field = D.A(u)
    nothing = torch.zeros_like(u)
    return State(u, hu, problem.zeta, lam=nothing, e=nothing, b=torch.zeros_like(field), pull=D.A_adjoint(field))


def step(problem: Problem, state: State) -> State:
    """One iteration on eq. (2) of [Williams2017], with q and d split off the total variation.

    Args:
        problem: Filters, penalties and the first estimate.
        state: The last state; it is used up.

    Returns:
        The next state.
    """
    p, grid = problem, (state.u.shape[-2], state.u.shape[-1])

    # z: y where it was observed, the present H u elsewhere
    z = keep_observed(state.hu, p.y)

    # u: (H*H + gamma) u = H* z + gamma T(psi) + lambda
    spectrum = (p.otf.conj() * rfft2(z) + rfft2(p.gamma * state.u + state.lam)) * p.inverse_u
    u, hu = irfft2(spectrum, grid), irfft2(p.otf * spectrum, grid)

    # q: (kappa + rho grad^T grad) q = kappa (T(psi) + theta (psi - zeta)^2 - e) + rho grad^T (d - b)
    convexified = state.u + p.theta * (state.psi - p.zeta).square()
    q = irfft2(rfft2(p.kappa * (convexified - state.e) + p.rho * state.pull) * p.inverse_q, grid)

    # d: shrink(grad q + b, alpha / rho);  b <- grad q + b - d, which is the projection
    field = D.A(q) + state.b
    b = project(field, p.radius)
    pull = D.A_adjoint(field - 2 * b)

    # psi, pixel by pixel;  e <- e + q - T(psi) - theta (psi - zeta)^2;  lambda <- lambda + gamma (T(psi) - u)
    psi = newton(p, state.psi, u - state.lam / p.gamma, q + state.e)
    image = transform(psi, p.upper)
    e = state.e + q - image - p.theta * (psi - p.zeta).square()
    return State(image, hu, psi, state.lam + p.gamma * (image - u), e, b, pull)


def newton(p: Problem, psi: Tensor, near: Tensor, convexified: Tensor) -> Tensor:
    """Lower ``gamma/2 (T - near)^2 + mu (psi - zeta)^2 + kappa/2 (T + theta (psi - zeta)^2 - convexified)^2``.

    Gauss-Newton curvature, so each step goes downhill, cut to ``LONGEST_STEP``.
    """
    for _ in range(NEWTON_STEPS):
        value = transform(psi, p.upper)
        slope = value * (p.upper - value) / p.upper  # T'
        away = psi - p.zeta
        bent = value + p.theta * away.square() - convexified
        bent_slope = slope + 2 * p.theta * away
        first = p.gamma * (value - near) * slope + 2 * p.mu * away + p.kappa * bent * bent_slope
        second = p.gamma * slope.square() + 2 * p.mu + p.kappa * bent_slope.square()
        psi = psi - (first / second.clamp_min(1e-20)).clamp(-LONGEST_STEP, LONGEST_STEP)
    return psi


class ImplicitTV(Deconvolver):
    """The model of [Williams2017], eq. (2): positivity and the upper bound come from u = T_a(psi), never by clipping.

    theta and mu make the functional convex; they also hold psi near zeta, the first estimate, so zeta is taken anew
    from the present image in each of the ``rounds``.

    Args:
        weight: alpha, or a rule that chooses it for each image, as :class:`~blurlab.deconvolver.tv.TV`'s.
        iterations: Ceiling, of each round.
        rounds: First estimates: y, then the image of the round before.
        tolerance: Relative change of an image between iterations at which it is done.
        boundary: One of ``border.BOUNDARIES``, as :class:`~blurlab.deconvolver.tv.TV`'s.
        upper: a, greatest intensity.
        gamma: Penalty of u = T(psi) in units of alpha.
        kappa: Penalty of q in units of alpha.
        rho: Penalty of d = grad q in units of alpha.
        theta: Convexifier of the regularised term; None is ``a / (12 sqrt 3)``, the least that suffices.
        mu: Convexifier of the penalty; None is ``0.048 gamma a^2``.
    """

    def __init__(
        self,
        weight: float | WeightRule | None = None,
        iterations: int = 10,
        rounds: int = 8,
        tolerance: float = 2e-4,
        boundary: str = "unknown",
        upper: float = 1.0,
        gamma: float = 20.0,
        kappa: float = 20.0,
        rho: float = 10.0,
        theta: float | None = None,
        mu: float | None = None,
    ) -> None:
        check_count("iterations", iterations)
        check_count("rounds", rounds)
        check_option("tolerance", tolerance, 0, 1)
        check_choice("boundary", boundary, BOUNDARIES)
        for name, value in (("upper", upper), ("gamma", gamma), ("kappa", kappa), ("rho", rho)):
            check_option(name, value, 1e-6, 1e6)
        self.theta = upper / (12 * math.sqrt(3)) if theta is None else theta
        self.mu = 0.048 * gamma * upper**2 if mu is None else mu
        check_option("theta", self.theta, 0, 1e3)
        check_option("mu", self.mu, 0, 1e6)
        self.weight = weight_rule(weight)
        self.iterations, self.rounds, self.tolerance = int(iterations), int(rounds), tolerance
        self.boundary, self.upper = boundary, upper
        self.gamma, self.kappa, self.rho = gamma, kappa, rho

    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        """Rounds of ADMM from y; history: relative_change, objective (of the image, after each round)."""
        alpha = self.weight.choose(y, psf, sigma, self._blur_again)
        u, history = self._solve(y, psf, alpha)
        return Restored(u[..., : y.shape[-2], : y.shape[-1]].contiguous(), history)

    def freeze(self, parts: Tensor, psf: Tensor, sigma: Tensor) -> Self:
        """The same with the weight of the whole image."""
        frozen = super().freeze(parts, psf, sigma)
        each = len(parts), -1, -1, -1
        chosen = self.weight.choose(parts, psf.expand(each), sigma.expand(each), self._blur_again)
        frozen.weight = frozen_weight(chosen)
        return frozen

    def _solve(self, y: Tensor, psf: Tensor, alpha: Tensor) -> tuple[Tensor, dict[str, list[float]]]:
        u = on_grid(y, psf, self.boundary)
        otf = psf_to_otf(psf, (u.shape[-2], u.shape[-1]))
        history: dict[str, list[float]] = {"relative_change": [], "objective": []}
        observed = y if self.boundary == "unknown" else u
        for _ in range(self.rounds):
            problem = self._problem(observed, otf, alpha, first=u)
            u, looks = iterate(step, problem, start(problem), self.iterations, self.tolerance)
            history["relative_change"] += looks["relative_change"]
            history["objective"].append(_objective(u, observed, otf, alpha))
        return u, history

    def _blur_again(self, y: Tensor, psf: Tensor, alpha: Tensor) -> Tensor:
        u, _ = self._solve(y, psf, alpha)
        grid = (u.shape[-2], u.shape[-1])
        return irfft2(psf_to_otf(psf, grid) * rfft2(u), grid)[..., : y.shape[-2], : y.shape[-1]]

    def _problem(self, y: Tensor, otf: Tensor, alpha: Tensor, *, first: Tensor) -> Problem:
        """Penalties in units of alpha, filters, and zeta = T^-1(first)."""
        gamma, kappa, rho = self.gamma * alpha, self.kappa * alpha, self.rho * alpha
        power = D.power((first.shape[-2], first.shape[-1]), like=y)
        return Problem(
            y=y,
            otf=otf,
            inverse_u=1 / (otf.abs().square() + gamma),
            inverse_q=1 / (kappa + rho * power),
            zeta=inverse_transform(first, self.upper),
            gamma=gamma,
            kappa=kappa,
            rho=rho,
            mu=self.mu * alpha,
            theta=self.theta,
            radius=1 / self.rho,
            upper=self.upper,
        )


def _objective(u: Tensor, y: Tensor, otf: Tensor, alpha: Tensor) -> float:
    """Mean of ``1/2 |M H u - y|^2 + alpha TV(u)`` over the batch."""
    blurred = irfft2(otf * rfft2(u), (u.shape[-2], u.shape[-1]))
    residual = blurred[..., : y.shape[-2], : y.shape[-1]] - y
    value = residual.square().flatten(1).sum(1) / 2 + alpha.flatten() * total_variation(u)
    return float(value.mean())
