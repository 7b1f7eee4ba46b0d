"""Deconvolution with a hyper-Laplacian prior on first and second differences [Krishnan2009], by ADMM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from blurlab.core.fourier import irfft2, rfft2
from blurlab.deconvolver.base import Deconvolver, Restored, check_choice, check_count, check_option
from blurlab.deconvolver.border import BOUNDARIES, draw_to_observed
from blurlab.deconvolver.iteration import BatchState, explained, iterate
from blurlab.deconvolver.observation import GridObservation
from blurlab.deconvolver.scale import within
from blurlab.deconvolver.variation import D

STRENGTH = 0.57
EXPONENT = 1.58
"""``alpha = STRENGTH sigma^EXPONENT`` through the best alpha over validation photographs of BSDS500, DRIVE and
CHASE_DB1 at sigma .002, .004 and .01: ``experiments/bench/hyper_weight.py``, ``results/hyper_weight.json`` there."""
NEWTON_STEPS = 4
"""Newton steps of :func:`shrink`; from above the root of a convex function, so they never pass it."""


def shrink(length: Tensor, weight: float, power: float) -> Tensor:
    """``argmin_w weight w^p + 1/2 (w - length)^2`` over w >= 0: the prox of a hyper-Laplacian, p < 1.

    Below ``h = x + weight p x^(p - 1)``, ``x = (2 weight (1 - p))^(1 / (2 - p))``, it is 0; from there it jumps to x
    and is the greater root of ``w + weight p w^(p - 1) = length``.

    Args:
        length: Values >= 0, any shape.
        weight: > 0.
        power: p, in (0, 1).

    Returns:
        Of the shape of length.

    Example:
        >>> shrink(torch.tensor([1.0, 1.5, 8.0]), 1.0, 2 / 3)
        tensor([0.0000, 0.7739, 7.6618])
    """
    scale = weight ** (1 / (2 - power))  # w = scale v brings the weight to 1
    jump = (2 * (1 - power)) ** (1 / (2 - power))
    threshold = jump + power * jump ** (power - 1)
    target = (length / scale).clamp_min_(threshold)
    v = target
    for _ in range(NEWTON_STEPS):
        bent = v.pow(power - 2)
        above = torch.addcmul(v, bent, v, value=power).sub_(target)
        v = torch.addcdiv(v, above, bent.mul_(power * (power - 1)).add_(1), value=-1)
    return torch.where(length > threshold * scale, v.mul_(scale), 0.0)


def shrink_vectors(field: Tensor, weight: float, power: float) -> Tensor:
    """:func:`shrink` of the length of each vector along axis 2, its direction kept: (B, C, n, H, W).

    Example:
        >>> shrink_vectors(torch.tensor([4.8, 6.4]).reshape(1, 1, 2, 1, 1), 1.0, 2 / 3).flatten()
        tensor([4.5971, 6.1295])
    """
    length = field.square().sum(2, keepdim=True).sqrt_()
    return field * (shrink(length, weight, power) / length.clamp_min_(torch.finfo(field.dtype).tiny))


@dataclass
class Problem(BatchState):
    """What stays the same in :func:`step`, per image (B, ...)."""

    seen: GridObservation
    inverse: Tensor
    """``1 / (mu |H|^2 + gamma + rho (L + omega L^2))``, L = |Dx|^2 + |Dy|^2."""
    gamma: Tensor
    rho: Tensor
    mu: float
    omega: float
    radius: float
    """``alpha / rho``."""
    power: float
    upper: float | Tensor


@dataclass
class State(BatchState):
    """What :func:`step` hands on, on the grid (B, C, P, Q) save e."""

    u: Tensor
    hu: Tensor
    e: Tensor
    """Scaled multiplier of s = H u where y was observed, (B, C, H, W)."""
    b: Tensor
    """Scaled multiplier of d = grad u, (B, C, 2, P, Q)."""
    bb: Tensor
    """Scaled multiplier of dd = grad grad u, (B, 2 C, 2, P, Q)."""
    c: Tensor
    """Scaled multiplier of w = u."""
    pull: Tensor
    """``gamma (w - c) + rho grad^T (d - b + omega grad^T (dd - bb))``."""


def start(problem: Problem, u: Tensor) -> State:
    """The state at a first estimate u (B, C, P, Q), multipliers zero."""
    hu = irfft2(problem.seen.otf * rfft2(u), (u.shape[-2], u.shape[-1]))
    slope = D.A(u)
    bend = D.A(slope.flatten(1, 2))
    pull = problem.gamma * u + problem.rho * _adjoint(slope, bend, problem.omega)
    e, nothing = torch.zeros_like(problem.seen.y), torch.zeros_like(u)
    return State(u, hu, e, b=torch.zeros_like(slope), bb=torch.zeros_like(bend), c=nothing, pull=pull)


def step(problem: Problem, state: State) -> State:
    """One iteration of ADMM on ``1/2 |M H u - y|^2 + alpha sum |grad u|^p + omega |grad grad u|^p``, 0 <= u <= upper.

    Args:
        problem: Images, filters and penalties.
        state: The last state; it is used up.

    Returns:
        The next state.
    """
    p, c, otf = problem, state.c, problem.seen.otf
    grid = (state.u.shape[-2], state.u.shape[-1])

    # s = (y + mu (H u + e)) / (1 + mu) where y was observed, H u elsewhere;  e <- e + H u - s
    s, e = draw_to_observed(state.hu, p.seen.y, state.e, p.mu)
    spectrum = (otf.conj() * rfft2(s)).mul_(p.mu).add_(rfft2(state.pull)).mul_(p.inverse)
    u, hu = irfft2(spectrum, grid), irfft2(otf * spectrum, grid)

    # d, dd: shrink(grad u + b), shrink(grad grad u + bb);  b <- grad u + b - d
    slope = D.forward(u, torch.empty_like(state.b))
    bend = D.forward(slope.flatten(1, 2), torch.empty_like(state.bb)).add_(state.bb)
    slope += state.b
    d = shrink_vectors(slope, p.radius, p.power)
    dd = shrink_vectors(_four(bend), p.radius, p.power).reshape(bend.shape)
    b, bb = slope.sub_(d), bend.sub_(dd)

    c += u
    w = within(c, p.upper)  # w = clip(u + c)
    c -= w  # c = u + c - w
    pull = _adjoint(d.sub_(b), dd.sub_(bb), p.omega).mul_(p.rho).add_(w.sub_(c).mul_(p.gamma))
    return State(u, hu, e, b, bb, c, pull)


def _adjoint(slope: Tensor, bend: Tensor, omega: float) -> Tensor:
    """``grad^T (slope + omega grad^T bend)``, (B, C, P, Q)."""
    inner = D.adjoint(bend, torch.empty_like(bend[:, :, 0])).reshape(slope.shape)
    return D.adjoint(inner.mul_(omega).add_(slope), torch.empty_like(slope[:, :, 0]))


def _four(bend: Tensor) -> Tensor:
    """The four second differences of a pixel as one vector: (B, 2 C, 2, P, Q) -> (B, C, 4, P, Q)."""
    return bend.unflatten(1, (-1, 2)).flatten(2, 3)


class HyperLaplacian(Deconvolver):
    """``min 1/2 |M H u - y|^2 + alpha sum |grad u|^p + omega |grad grad u|^p``, 0 <= u <= upper.

    The prior of [Krishnan2009] on the length of the gradient, so that no direction is preferred, and after [Levin2007]
    on second differences, without which slopes turn into stairs. M keeps the observed pixels.

    Args:
        weight: alpha; None is ``strength sigma^exponent`` for each image.
        strength: alpha / sigma^exponent where weight is None.
        exponent: Of sigma.
        power: p; 2/3 in [Krishnan2009], 0.8 in [Levin2007].
        omega: Weight of second differences beside first ones.
        iterations: Ceiling.
        tolerance: Relative change of an image between iterations at which it is done.
        boundary: What lies beyond the border of y: one of ``border.BOUNDARIES``. With unknown the image goes on there
            freely; otherwise the pixels appended to make y periodic count as observed.
        upper: Greatest intensity.
        rho: Penalty of the differences in units of alpha.
        gamma: Penalty of the box in units of alpha.
        mu: Penalty of s = H u where the border is unknown.
    """

    def __init__(
        self,
        weight: float | None = None,
        strength: float = STRENGTH,
        exponent: float = EXPONENT,
        power: float = 0.8,
        omega: float = 0.5,
        iterations: int = 40,
        tolerance: float = 1e-3,
        boundary: str = "unknown",
        upper: float = 1.0,
        rho: float = 60.0,
        gamma: float = 20.0,
        mu: float = 0.1,
    ) -> None:
        if weight is not None:
            check_option("weight", weight, 1e-12, 10)
        check_option("strength", strength, 1e-6, 1e4)
        check_option("exponent", exponent, 0, 4)
        check_option("power", power, 0.3, 0.95)
        check_option("omega", omega, 0, 1e3)
        check_count("iterations", iterations)
        check_option("tolerance", tolerance, 0, 1)
        check_choice("boundary", boundary, BOUNDARIES)
        for name, value in (("upper", upper), ("rho", rho), ("gamma", gamma), ("mu", mu)):
            check_option(name, value, 1e-6, 1e6)
        self.weight: float | Tensor | None = weight
        self.strength, self.exponent = strength, exponent
        self.power, self.omega = power, omega
        self.iterations, self.tolerance = int(iterations), tolerance
        self.boundary, self.upper = boundary, upper
        self.estimates_outside = boundary == "unknown"
        self.rho, self.gamma, self.mu = rho, gamma, mu

    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        """ADMM from y; history: relative_change, misfit.

        In double precision: the prox jumps, so round-off in single precision, which the neighbours in a batch have a
        part in, turns a few pixels over.
        """
        work = torch.float64 if y.device.type != "mps" else torch.float32
        seen = GridObservation.of(y.to(work), psf.to(work), self.boundary)
        problem = self._problem(seen, sigma.to(work))
        first = start(problem, seen.first)
        u, history = iterate(step, problem, first, self.iterations, self.tolerance, explained)
        return Restored(within(seen.crop(u), self.upper).to(y), history)

    def at_level(self, level: Tensor) -> Self:
        """The same for images divided by their level; a fixed weight has the unit of an intensity to the 2 - p."""
        scaled = super().at_level(level)
        scaled.weight = None if self.weight is None else self.weight / level ** (2 - self.power)
        return scaled

    def _problem(self, seen: GridObservation, sigma: Tensor) -> Problem:
        alpha = (
            self.strength * sigma.pow(self.exponent) if self.weight is None else torch.ones_like(sigma) * self.weight
        )
        rho, gamma = self.rho * alpha, self.gamma * alpha
        roughness = D.power((seen.first.shape[-2], seen.first.shape[-1]), like=seen.first)
        mu = self.mu if self.boundary == "unknown" else 1.0  # where all is observed the split gains nothing
        inverse = 1 / (mu * seen.otf.abs().square() + gamma + rho * (roughness + self.omega * roughness.square()))
        return Problem(
            seen=seen,
            inverse=inverse,
            gamma=gamma,
            rho=rho,
            mu=mu,
            omega=self.omega,
            radius=1 / self.rho,
            power=self.power,
            upper=self.upper,
        )
