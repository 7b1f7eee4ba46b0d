"""The implicitly constrained total variation of [Williams2017], eq. (2), by ADMM."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.deconvolver.base import Deconvolver, Restored, check_choice, check_count, check_option
from blurlab.deconvolver.border import BOUNDARIES, draw_to_observed
from blurlab.deconvolver.iteration import BatchState, iterate
from blurlab.deconvolver.observation import GridObservation
from blurlab.deconvolver.variation import D, project, total_variation
from blurlab.deconvolver.weight import WeightRule, frozen_weight, weight_rule

INSIDE = 1e-3
"""First estimates are kept this share of the image's range away from 0, and of ``a`` away from a, where the transform's
inverse is infinite."""
NEWTON_STEPS = 2
"""Newton steps on psi in each iteration."""
LONGEST_STEP = 1.0
"""Longest Newton step: the logistic changes its curvature over about 1.3."""


def transform(psi: Tensor, upper: float | Tensor) -> Tensor:
    """``T_a(psi) = a / (1 + exp(-psi))``, in (0, a): the transform of exponential type of [Williams2017].

    Example:
        >>> transform(torch.tensor([-100.0, 0.0]), 2.0)
        tensor([0., 1.])
    """
    return upper * torch.sigmoid(psi)


def inverse_transform(value: Tensor, upper: float | Tensor) -> Tensor:
    """``T_a^-1(v) = log(v / (a - v))`` of a value first brought inside the range.

    Example:
        >>> inverse_transform(torch.tensor([0.5]), 1.0)
        tensor([0.])
    """
    return torch.logit((value.clamp_min(INSIDE * image_range(upper)) / upper).clamp_max(1 - INSIDE))


def image_range(upper: float | Tensor) -> float | Tensor:
    """What intensities of an image at its level may reach, the least of 1 and ``upper``."""
    return upper.clamp_max(1.0) if isinstance(upper, Tensor) else min(upper, 1.0)


@dataclass
class Problem(BatchState):
    """What stays the same in :func:`step`, per image (B, ...); names as in eq. (2) of [Williams2017]."""

    seen: GridObservation
    inverse_u: Tensor
    """``1 / (split |H|^2 + gamma)``."""
    inverse_q: Tensor
    """``1 / (kappa + rho L)``."""
    alpha: Tensor
    gamma: Tensor
    kappa: Tensor
    rho: Tensor
    mu: Tensor
    theta: float | Tensor
    split: float
    """Penalty of s = H u."""
    radius: float
    """``alpha / rho``."""
    upper: float | Tensor
    iterations: int
    """After so many zeta is taken anew."""


@dataclass
class State(BatchState):
    """What :func:`step` hands on (B, C, P, Q): lambda splits u = T(psi), e T(psi) + theta (psi - zeta)^2 = q."""

    u: Tensor
    """``T(psi)``, the image."""
    hu: Tensor
    near: Tensor
    """Scaled multiplier of s = H u where y was observed, (B, C, H, W)."""
    psi: Tensor
    zeta: Tensor
    """What psi is held near."""
    lam: Tensor
    e: Tensor
    b: Tensor
    pull: Tensor
    """``grad^T (d - b)``."""
    done: int
    """Iterations that were made."""


def start(problem: Problem) -> State:
    """The state at the first guess, multipliers zero."""
    psi = inverse_transform(problem.seen.first, problem.upper)
    u = transform(psi, problem.upper)
    hu = irfft2(problem.seen.otf * rfft2(u), (u.shape[-2], u.shape[-1]))
    field, nothing, near = D.A(u), torch.zeros_like(u), torch.zeros_like(problem.seen.y)
    return State(u, hu, near, psi, psi, nothing, nothing, torch.zeros_like(field), D.A_adjoint(field), done=0)


def step(problem: Problem, state: State) -> State:
    """One iteration on eq. (2) of [Williams2017], with s, q and d split off H u and the total variation.

    Args:
        problem: Filters and penalties.
        state: The last state; it is used up.

    Returns:
        The next state.
    """
    p, otf, grid = problem, problem.seen.otf, (state.u.shape[-2], state.u.shape[-1])
    zeta = state.zeta if state.done % p.iterations else inverse_transform(state.u, p.upper)

    # s = (y + split (H u + near)) / (1 + split) where y was observed, H u elsewhere;  near <- near + H u - s
    s, near = draw_to_observed(state.hu, p.seen.y, state.near, p.split)

    # u: (split H*H + gamma) u = split H* (s - near) + gamma T(psi) + lambda
    spectrum = (p.split * otf.conj() * rfft2(s) + rfft2(p.gamma * state.u + state.lam)) * p.inverse_u
    u, hu = irfft2(spectrum, grid), irfft2(otf * spectrum, grid)

    # q: (kappa + rho grad^T grad) q = kappa (T(psi) + theta (psi - zeta)^2 - e) + rho grad^T (d - b)
    convexified = state.u + p.theta * (state.psi - zeta).square()
    q = irfft2(rfft2(p.kappa * (convexified - state.e) + p.rho * state.pull) * p.inverse_q, grid)

    # d: shrink(grad q + b, alpha / rho);  b <- grad q + b - d, which is the projection
    field = D.A(q) + state.b
    b = project(field, p.radius)
    pull = D.A_adjoint(field - 2 * b)

    # psi, pixel by pixel;  e <- e + q - T(psi) - theta (psi - zeta)^2;  lambda <- lambda + gamma (T(psi) - u)
    psi = newton(p, state.psi, zeta, u - state.lam / p.gamma, q + state.e)
    image = transform(psi, p.upper)
    e = state.e + q - image - p.theta * (psi - zeta).square()
    return State(image, hu, near, psi, zeta, state.lam + p.gamma * (image - u), e, b, pull, state.done + 1)


def newton(p: Problem, psi: Tensor, zeta: Tensor, near: Tensor, convexified: Tensor) -> Tensor:
    """Lower ``gamma/2 (T - near)^2 + mu (psi - zeta)^2 + kappa/2 (T + theta (psi - zeta)^2 - convexified)^2``.

    Gauss-Newton curvature, so each step goes downhill, cut to ``LONGEST_STEP``.
    """
    for _ in range(NEWTON_STEPS):
        value = transform(psi, p.upper)
        slope = value * (p.upper - value) / p.upper  # T'
        away = psi - zeta
        bent = value + p.theta * away.square() - convexified
        bent_slope = slope + 2 * p.theta * away
        first = p.gamma * (value - near) * slope + 2 * p.mu * away + p.kappa * bent * bent_slope
        second = p.gamma * slope.square() + 2 * p.mu + p.kappa * bent_slope.square()
        psi = psi - (first / second.clamp_min(1e-20)).clamp(-LONGEST_STEP, LONGEST_STEP)
    return psi


class ImplicitTV(Deconvolver):
    """The model of [Williams2017], eq. (2): positivity and the upper bound come from u = T_a(psi), never by clipping.

    theta and mu make the functional convex; they also hold psi near zeta, the first estimate, so zeta is taken anew
    from the present image in each of the ``rounds``. The multipliers go on: were they dropped, every round would begin
    with less regularisation than the model has, and the image would drift away from its minimiser.

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
        theta: Convexifier of the regularised term; None is ``r / (12 sqrt 3)``, r the range of the image's intensities
            (a, or the image's level where that is less): the least that suffices.
        mu: Convexifier of the penalty; None is ``0.048 gamma r^2``.
        split: Penalty of s = H u where the border is unknown (:func:`~blurlab.deconvolver.border.draw_to_observed`).
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
        split: float = 0.05,
    ) -> None:
        check_count("iterations", iterations)
        check_count("rounds", rounds)
        check_option("tolerance", tolerance, 0, 1)
        check_choice("boundary", boundary, BOUNDARIES)
        for name, value in (("upper", upper), ("gamma", gamma), ("kappa", kappa), ("rho", rho), ("split", split)):
            check_option(name, value, 1e-6, 1e6)
        if theta is not None:
            check_option("theta", theta, 0, 1e3)
        if mu is not None:
            check_option("mu", mu, 0, 1e6)
        self.theta: float | Tensor | None = theta
        self.mu: float | Tensor | None = mu
        self.weight = weight_rule(weight)
        self.iterations, self.rounds, self.tolerance = int(iterations), int(rounds), tolerance
        self.boundary, self.upper = boundary, upper
        self.estimates_outside = boundary == "unknown"
        self.gamma, self.kappa, self.rho, self.split = gamma, kappa, rho, split

    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        """Rounds of ADMM from y; history: relative_change, objective."""
        alpha = self.weight.choose(y, psf, sigma, self._blur_again)
        u, history = self._solve(y, psf, alpha)
        return Restored(u[..., : y.shape[-2], : y.shape[-1]].contiguous(), history)

    def at_level(self, level: Tensor) -> Self:
        """The same for images divided by their level; a fixed weight, theta and mu are intensities."""
        scaled = super().at_level(level)
        scaled.weight = self.weight.at_level(level)
        scaled.theta = None if self.theta is None else self.theta / level
        scaled.mu = None if self.mu is None else self.mu / level
        return scaled

    def freeze(self, parts: Tensor, psf: Tensor, sigma: Tensor) -> Self:
        """The same with the weight of the whole image."""
        frozen = super().freeze(parts, psf, sigma)
        each = len(parts), -1, -1, -1
        chosen = self.weight.choose(parts, psf.expand(each), sigma.expand(each), self._blur_again)
        frozen.weight = frozen_weight(chosen)
        return frozen

    def _solve(self, y: Tensor, psf: Tensor, alpha: Tensor) -> tuple[Tensor, dict[str, list[float]]]:
        problem = self._problem(GridObservation.of(y, psf, self.boundary), alpha)
        return iterate(step, problem, start(problem), self.rounds * self.iterations, self.tolerance, measure)

    def _blur_again(self, y: Tensor, psf: Tensor, alpha: Tensor) -> Tensor:
        u, _ = self._solve(y, psf, alpha)
        grid = (u.shape[-2], u.shape[-1])
        return irfft2(psf_to_otf(psf, grid) * rfft2(u), grid)[..., : y.shape[-2], : y.shape[-1]]

    def _problem(self, seen: GridObservation, alpha: Tensor) -> Problem:
        """Filters, and penalties in units of alpha."""
        gamma, kappa, rho = self.gamma * alpha, self.kappa * alpha, self.rho * alpha
        power = D.power((seen.first.shape[-2], seen.first.shape[-1]), like=seen.first)
        split = self.split if self.boundary == "unknown" else 1.0  # where all is observed the split gains nothing
        reach = image_range(self.upper)
        return Problem(
            seen=seen,
            inverse_u=1 / (split * seen.otf.abs().square() + gamma),
            inverse_q=1 / (kappa + rho * power),
            alpha=alpha,
            gamma=gamma,
            kappa=kappa,
            rho=rho,
            mu=alpha * (0.048 * self.gamma * reach**2 if self.mu is None else self.mu),
            theta=reach / (12 * math.sqrt(3)) if self.theta is None else self.theta,
            split=split,
            radius=1 / self.rho,
            upper=self.upper,
            iterations=self.iterations,
        )


def measure(problem: Problem, state: State) -> dict[str, Tensor]:
    """The objective ``1/2 |M H u - y|^2 + alpha TV(u)`` of a state, per image (B,)."""
    seen = problem.seen
    residual = (seen.blur(state.u) - seen.y).square().flatten(1).sum(1)
    return {"objective": residual / 2 + problem.alpha.flatten() * total_variation(state.u)}
