"""Total variation with a box constraint by ADMM; nothing need be assumed of what lies beyond the border."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self, TypeAlias

import torch
from torch import Tensor

from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.deconvolver.base import Deconvolver, Restored, check_choice, check_count, check_option
from blurlab.deconvolver.border import BOUNDARIES, keep_observed, on_grid
from blurlab.deconvolver.evidence import Evidence
from blurlab.deconvolver.iteration import BatchState, iterate
from blurlab.deconvolver.observation import GridObservation
from blurlab.deconvolver.scale import within
from blurlab.deconvolver.variation import NORMS, D, field_length, in_norm, project
from blurlab.deconvolver.weight import FromGradient, WeightRule, frozen_weight, weight_rule

RELAXATION = 1.8
"""Over-relaxation of all splits: between 1 (none) and 2."""
FALL = 0.8
"""Factor by which mu, the penalty of s = H u, falls with each iteration from 1 down to sqrt(alpha). A large one gets
the details quickly, a small one the pixels beyond the border, of which y says little."""
LEAST_MU = 0.01
"""mu is no smaller than this. With next to no noise sqrt(alpha) is, and the pixels beyond the border then swing for
hundreds of iterations (``experiments/bench/never_worse.py``)."""


@dataclass
class Problem(BatchState):
    """What stays the same in :func:`step`, per image (B, ...), in units of rho, the penalty of d = grad u."""

    seen: GridObservation
    pull: Tensor | None
    """``conj(H) Y / rho`` where y is the whole grid; None where some of it is unknown."""
    adjoint: Tensor
    """conj(H)."""
    power: Tensor
    """|H|^2."""
    smooth: Tensor
    """``gamma + L``, L = |Dx|^2 + |Dy|^2."""
    inverse: Tensor
    """``1 / (|H|^2 + smooth)``."""
    alpha: Tensor
    """As in the objective."""
    rho: Tensor
    """As in the objective."""
    gamma: float
    """Penalty of w = u."""
    radius: float | Tensor
    """Of the shrinkage: alpha; per pixel (B, C, P, Q) where contrasts differ."""
    upper: float | Tensor
    norm: str
    least_mu: float
    """Of the penalty of s = H u."""
    evidence: Evidence | None = None
    """What single pixels of y say, where that differs; the border is unknown then."""


@dataclass
class State(BatchState):
    """What :func:`step` hands on, on the grid (B, C, P, Q): of each split the sum with its scaled multiplier."""

    u: Tensor
    spectrum: Tensor
    """That of u."""
    field: Tensor
    """``d + b`` of d = grad u, (B, C, 2, P, Q)."""
    b: Tensor
    box: Tensor
    """``w + c`` of w = u."""
    c: Tensor
    pull: Tensor
    """``gamma (w - c) + grad^T (d - b)``."""
    blurred: Tensor | None
    """``s + e`` of s = H u; None where y is the whole grid."""
    e: Tensor
    """Only where y was observed, (B, C, H, W): beyond it is zero."""
    mu: Tensor
    """Penalty of s = H u, as in the objective."""
    space: Tensor
    """Room for a field."""


Measure: TypeAlias = Callable[[Problem, State], dict[str, Tensor]]


def start(problem: Problem, u: Tensor) -> State:
    """The state at a first estimate u (B, C, P, Q), multipliers zero."""
    p, y, spectrum, field = problem, problem.seen.y, rfft2(u), D.A(u)
    pull = D.A_adjoint(field).add_(u, alpha=p.gamma)
    blurred = None
    if p.pull is None:
        blurred = keep_observed(irfft2(p.seen.otf * spectrum, (u.shape[-2], u.shape[-1])), y)
    b, c, e = torch.zeros_like(field), torch.zeros_like(u), torch.zeros_like(y)
    mu = torch.ones_like(p.alpha)
    return State(u.clone(), spectrum, field, b, u.clone(), c, pull, blurred, e, mu, torch.empty_like(field))


def step(problem: Problem, state: State) -> State:
    """One iteration of over-relaxed ADMM on ``1/2 |M H u - y|^2 + alpha TV(u)``, 0 <= u <= upper.

    The splits are d = grad u [Goldstein2009], w = u, and s = H u where the border is unknown [Almeida2013].

    Args:
        problem: Images, filters and penalties.
        state: The last state; it is used up.

    Returns:
        The next state.
    """
    p, otf = problem, problem.seen.otf
    recorded = torch.is_grad_enabled() and (otf.requires_grad or p.seen.y.requires_grad)
    v = (
        replace(state, **{name: one.clone() for name, one in vars(state).items() if one is not None})
        if recorded
        else state
    )
    space, b, c, pull = (None,) * 4 if recorded else (v.space, v.b, v.c, v.pull)  # room for what comes next
    grid = (v.u.shape[-2], v.u.shape[-1])

    # u: (mu H*H + gamma + grad^T grad) u = mu H*(s - e) + gamma (w - c) + grad^T (d - b)
    spectrum = rfft2(v.pull)
    if p.pull is not None:
        spectrum.add_(p.pull).mul_(p.inverse)
    elif v.blurred is not None:
        near = v.blurred.clone()
        observed(near, p.seen.y).sub_(v.e, alpha=2)
        mu = v.mu / p.rho
        spectrum.add_(rfft2(near).mul_(p.adjoint).mul_(mu))
        spectrum.mul_(torch.addcmul(p.smooth, p.power, mu).reciprocal_())
        _keep_to_data(p, v, v.blurred, irfft2(otf * spectrum, grid))
    v.spectrum, v.u = spectrum, irfft2(spectrum, grid)

    # d: shrink(grad u + b, alpha / rho);  b <- grad u + b - d, which is the projection
    v.field.lerp_(D.forward(v.u, space).add_(v.b), RELAXATION)
    v.b = project(v.field, p.radius, p.norm, out=b)

    # w: clip(u + c);  c <- u + c - w
    v.box.lerp_(v.c.add_(v.u), RELAXATION)
    w = within(v.box, p.upper, out=c)
    v.pull = D.adjoint(torch.sub(v.field, v.b, alpha=2, out=space), pull)
    v.pull.add_(w, alpha=2 * p.gamma).sub_(v.box, alpha=p.gamma)
    v.c = torch.sub(v.box, w, out=c)
    return v


def _keep_to_data(p: Problem, v: State, blurred: Tensor, hu: Tensor) -> None:
    """Update s, nearest to y where that was observed and H u elsewhere, with its multiplier and penalty."""
    y = p.seen.y
    observed(hu, y).add_(v.e)
    known = observed(blurred.lerp_(hu, RELAXATION), y)
    s = torch.addcmul(y, known, v.mu).div_(1 + v.mu) if p.evidence is None else p.evidence.between(y, known, v.mu)
    v.mu, before = (FALL * v.mu).maximum(p.alpha.sqrt()).clamp_min(p.least_mu), v.mu
    v.e = known.sub(s).mul_(before / v.mu)
    known.copy_(s).add_(v.e)


def measure(problem: Problem, state: State) -> dict[str, Tensor]:
    """Objective and relative primal residual ``|grad u - d| / |grad u|`` of a state, per image (B,)."""
    p, y, slope = problem, problem.seen.y, D.A(state.u)
    residual = observed(irfft2(p.seen.otf * state.spectrum, (state.u.shape[-2], state.u.shape[-1])), y) - y
    objective = residual.square().flatten(1).sum(1) / 2 + p.alpha.flatten() * field_length(slope, p.norm)
    size = slope.square().flatten(1).sum(1).clamp_min(torch.finfo(slope.dtype).tiny)
    apart = slope.sub_(state.field).add_(state.b).square_().flatten(1).sum(1)
    return {"objective": objective, "primal_residual": (apart / size).sqrt()}


class TV(Deconvolver):
    """Total variation and box constraint, ``min 1/2 |M H u - y|^2 + alpha TV(u), 0 <= u <= upper``.

    The convex model of [Williams2017] with its transform eliminated, by the split of [Goldstein2009].

    Args:
        weight: alpha, or a rule that chooses it for each image; None is
            :class:`~blurlab.deconvolver.weight.FromGradient`.
        norm: isotropic, anisotropic, or vectorial: the channels of a colour image have their edges in common.
        iterations: Ceiling.
        tolerance: Relative change of an image between iterations at which it is done.
        boundary: unknown (M keeps the pixels that were observed; the image goes on beyond them, freely [Almeida2013]),
            or M = 1: padded (y goes on by reflection), circular (true of made-up data only) or another of
            ``BOUNDARIES``.
        upper: Greatest intensity.
        rho: Penalty of d = grad u in units of alpha.
        gamma: Penalty of w = u in units of alpha.
    """

    has_gradient = True
    least_mu = LEAST_MU

    def __init__(
        self,
        weight: float | WeightRule | None = None,
        norm: str = "isotropic",
        iterations: int = 60,
        tolerance: float = 1e-3,
        boundary: str = "unknown",
        upper: float = 1.0,
        rho: float = 20.0,
        gamma: float = 5.0,
    ) -> None:
        check_choice("norm", norm, NORMS)
        check_count("iterations", iterations)
        check_option("tolerance", tolerance, 0, 1)
        check_choice("boundary", boundary, BOUNDARIES)
        check_option("upper", upper, 1e-6, 1e6)
        check_option("rho", rho, 1e-3, 1e6)
        check_option("gamma", gamma, 1e-3, 1e6)
        self.weight = weight_rule(weight)
        self.norm = norm
        self.iterations = int(iterations)
        self.tolerance = tolerance
        self.boundary = boundary
        self.estimates_outside = boundary == "unknown"
        self.upper = upper
        self.rho = rho
        self.gamma = gamma

    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        """ADMM from y; history: relative_change, objective, primal_residual."""
        u, history = self.solve(y, psf, self.alpha(y, psf, sigma), measure)
        return Restored(u[..., : y.shape[-2], : y.shape[-1]].contiguous(), history)

    def alpha(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Tensor:
        """Weights (B, 1, 1, 1) of images (B, C, H, W)."""
        with torch.no_grad():
            alpha = self.weight.choose(y, psf, sigma, self.blur_again)
        return alpha * in_norm(self.norm, y.shape[1]) if isinstance(self.weight, FromGradient) else alpha

    def at_level(self, level: Tensor) -> Self:
        """The same for images divided by their level; a fixed weight is an intensity."""
        scaled = super().at_level(level)
        scaled.weight = self.weight.at_level(level)
        return scaled

    def freeze(self, parts: Tensor, psf: Tensor, sigma: Tensor) -> Self:
        """The same with the weight of the whole image."""
        frozen = super().freeze(parts, psf, sigma)
        each = len(parts), -1, -1, -1
        frozen.weight = frozen_weight(self.alpha(parts, psf.expand(each), sigma.expand(each)))
        return frozen

    def solve(
        self, y: Tensor, psf: Tensor, alpha: Tensor, measure: Measure | None = None
    ) -> tuple[Tensor, dict[str, list[float]]]:
        """The minimiser for weights (B, 1, 1, 1) on the whole grid (B, C, P, Q), which begins with y; the history."""
        seen = GridObservation.of(y, psf, self.boundary)
        problem = self._problem(seen, psf, alpha, self.evidence(y))
        first = start(problem, seen.first)
        u, history = iterate(step, problem, first, self.iterations, self.tolerance, measure, seen.shape)
        return within(u, self.upper, out=None if u.requires_grad else u), history

    def blur_again(self, y: Tensor, psf: Tensor, alpha: Tensor) -> Tensor:
        """What the images restored with weights (B, 1, 1, 1) look like when blurred again, of y's shape."""
        u, _ = self.solve(y, psf, alpha)
        grid = (u.shape[-2], u.shape[-1])
        return observed(irfft2(psf_to_otf(psf, grid) * rfft2(u), grid), y)

    def _problem(self, seen: GridObservation, psf: Tensor, alpha: Tensor, evidence: Evidence | None) -> Problem:
        shape = (seen.first.shape[-2], seen.first.shape[-1])
        power, rho, adjoint = seen.otf.abs().square(), self.rho * alpha, seen.otf.conj().resolve_conj()
        smooth = self.gamma / self.rho + D.power(shape, like=seen.y)
        return Problem(
            seen=seen,
            pull=None if self.boundary == "unknown" else adjoint * rfft2(seen.first) / rho,
            adjoint=adjoint,
            power=power,
            smooth=smooth.expand(len(alpha), 1, -1, -1),
            inverse=1 / (power / rho + smooth),
            alpha=alpha,
            rho=rho,
            gamma=self.gamma / self.rho,
            radius=1 / self.rho if evidence is None else on_grid(evidence.contrast, psf, self.boundary) / self.rho,
            upper=self.upper,
            norm=self.norm,
            least_mu=self.least_mu,
            evidence=evidence,
        )

    def evidence(self, y: Tensor) -> Evidence | None:
        """What single pixels of y say; None where all say as much."""
        return None


def observed(image: Tensor, y: Tensor) -> Tensor:
    """The part of a grid (B, C, P, Q) that y (B, C, H, W) fills, as a view."""
    return image[..., : y.shape[-2], : y.shape[-1]]
