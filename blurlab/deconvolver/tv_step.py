"""Total variation with a box constraint by ADMM: its problem, its state and one iteration."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from blurlab.core.fourier import irfft2, rfft2
from blurlab.deconvolver.border import keep_observed
from blurlab.deconvolver.evidence import Evidence, Nearest, alike
from blurlab.deconvolver.iteration import BatchState
from blurlab.deconvolver.observation import GridObservation
from blurlab.deconvolver.scale import within
from blurlab.deconvolver.variation import D, field_length, project

RELAXATION = 1.8
"""Over-relaxation of all splits: between 1 (none) and 2."""
FALL = 0.8
"""Factor by which mu, the penalty of s = H u, falls with each iteration from 1 down to sqrt(alpha). A large one gets
the details quickly, a small one the pixels beyond the border, of which y says little."""
UNTOLD = 10**6
"""Iterations, more than any solver makes."""
LEAST_MU = 0.01
"""mu is no smaller than this. With next to no noise sqrt(alpha) is, and the pixels beyond the border then swing for
hundreds of iterations (``experiments/bench/never_worse.py``)."""


@dataclass
class Problem(BatchState):
    """What stays the same in :func:`step`, per image (B, ...), in units of rho, the penalty of d = grad u."""

    seen: GridObservation
    is_whole: bool
    """Is y the whole grid? Else some of it is unknown."""
    power: Tensor
    """|H|^2."""
    back: Tensor
    """``conj(H)``, in memory of its own: what is conjugated on the fly is slow to multiply."""
    smooth: Tensor
    """``gamma + L``, L = |Dx|^2 + |Dy|^2."""
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
    floor: Tensor
    """Where the penalty of s = H u ends, (B, 1, 1, 1)."""
    evidence: Evidence | None = None
    """What single pixels of y say, where that differs; the border is unknown then."""

    def with_penalty(self, mu: Tensor, room: Penalised | None = None) -> Penalised:
        """What an iteration needs where the penalty of s = H u is mu (B, 1, 1, 1).

        Args:
            mu: The penalty.
            room: What an earlier iteration needed, written over: quicker, unknown to autograd. None: new room.
        """
        share, y = mu / self.rho, self.seen.y
        inverse = torch.addcmul(self.smooth, self.power, share, out=room.inverse if room else None).reciprocal_()
        towards = torch.mul(self.back, share * inverse, out=room.towards if room else None)
        if self.is_whole:
            return Penalised(mu, inverse, towards * rfft2(self.seen.first), None)
        own = room.nearest.own if room and room.nearest else None
        nearest = alike(y, mu, own) if self.evidence is None else self.evidence.at(y, mu)
        return Penalised(mu, inverse, towards, nearest)


@dataclass
class Penalised(BatchState):
    """What follows from mu, the penalty of s = H u."""

    mu: Tensor
    inverse: Tensor
    """``1 / (mu / rho |H|^2 + smooth)``."""
    towards: Tensor
    """``conj(H) mu / rho`` of that; where y is the whole grid, with mu = 1, times the spectrum of y."""
    nearest: Nearest | None
    """Gives s; None where y is the whole grid."""


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
    hu: Tensor | None
    """H u; None where y is the whole grid."""
    e: Tensor
    """Only where y was observed, (B, C, H, W): beyond it is zero."""
    at: Penalised
    """What follows from the present penalty."""
    falls: int
    """Iterations until the penalty stays as it is."""
    space: Tensor
    """Room for a field."""


def start(problem: Problem, u: Tensor) -> State:
    """The state at a first estimate u (B, C, P, Q), multipliers zero."""
    p, y, spectrum, field = problem, problem.seen.y, rfft2(u), D.A(u)
    pull = D.A_adjoint(field).add_(u, alpha=p.gamma)
    hu = blurred = None
    if not p.is_whole:
        hu = irfft2(p.seen.otf * spectrum, (u.shape[-2], u.shape[-1]))
        blurred = keep_observed(hu.clone(), y)
    b, c, e = torch.zeros_like(field), torch.zeros_like(u), torch.zeros_like(y)
    at, falls = p.with_penalty(torch.ones_like(p.alpha)), 0 if p.is_whole else _falls(p)
    return State(u.clone(), spectrum, field, b, u.clone(), c, pull, blurred, hu, e, at, falls, torch.empty_like(field))


def _falls(p: Problem) -> int:
    """Iterations that the penalty takes to its floor, at least one; a trace cannot look and goes on at the floor."""
    if torch.compiler.is_compiling():
        return UNTOLD
    return max(math.ceil(math.log(min(float(p.floor.min()), 1.0)) / math.log(FALL)), 1)


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
    recorded = recorded or torch.compiler.is_compiling()  # a program is far longer where parts are written over
    v = _copied(state) if recorded else state
    space, b, c, pull = (None,) * 4 if recorded else (v.space, v.b, v.c, v.pull)  # room for what comes next
    grid = (v.u.shape[-2], v.u.shape[-1])

    # u: (mu H*H + gamma + grad^T grad) u = mu H*(s - e) + gamma (w - c) + grad^T (d - b)
    spectrum = rfft2(v.pull).mul_(v.at.inverse)
    if v.blurred is None:
        spectrum.add_(v.at.towards)
    else:
        near = v.blurred.clone()
        observed(near, p.seen.y).sub_(v.e, alpha=2)
        spectrum.addcmul_(rfft2(near), v.at.towards)
        v.hu = irfft2(otf * spectrum, grid)
        _keep_to_data(p, v, v.blurred, v.hu, recorded)
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


def _copied(state: State) -> State:
    """The same with all that :func:`step` writes into copied."""
    copies: dict[str, Any] = {name: one.clone() for name, one in vars(state).items() if isinstance(one, Tensor)}
    return replace(state, **copies)


def _keep_to_data(p: Problem, v: State, blurred: Tensor, hu: Tensor, recorded: bool) -> None:
    """Update s, nearest to y where that was observed and H u elsewhere, with its multiplier and penalty.

    Unless autograd records it (``recorded``), the multiplier and ``blurred`` are written where they are.
    """
    y = p.seen.y
    known = observed(blurred.lerp_(hu, RELAXATION), y).add_(v.e, alpha=RELAXATION)
    assert v.at.nearest is not None
    s = v.at.nearest.to(known)
    v.e = torch.sub(known, s, out=None if recorded else v.e)
    if v.falls:
        before = v.at.mu
        mu, room = (FALL * before).maximum(p.floor), None if recorded else v.at
        v.at, v.falls = p.with_penalty(mu, room), v.falls - 1
        v.e *= before / v.at.mu
        if recorded:
            known.copy_(s).add_(v.e)
        else:
            torch.add(s, v.e, out=known)


def measure(problem: Problem, state: State) -> dict[str, Tensor]:
    """Objective and relative primal residual ``|grad u - d| / |grad u|`` of a state, per image (B,)."""
    p, y, slope = problem, problem.seen.y, D.forward(state.u, torch.empty_like(state.field))
    hu = state.hu
    if hu is None:
        hu = irfft2(p.seen.otf * state.spectrum, (state.u.shape[-2], state.u.shape[-1]))
    residual = observed(hu, y) - y
    objective = residual.square().flatten(1).sum(1) / 2 + p.alpha.flatten() * field_length(slope, p.norm)
    size = slope.square().flatten(1).sum(1).clamp_min(torch.finfo(slope.dtype).tiny)
    apart = slope.sub_(state.field).add_(state.b).square_().flatten(1).sum(1)
    return {"objective": objective, "primal_residual": (apart / size).sqrt()}


def observed(image: Tensor, y: Tensor) -> Tensor:
    """The part of a grid (B, C, P, Q) that y (B, C, H, W) fills, as a view."""
    return image[..., : y.shape[-2], : y.shape[-1]]
