"""Richardson and Lucy's multiplicative iteration: plain, with total variation, accelerated; stopped at the noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from blurlab.deconvolver.base import Deconvolver, Restored, check_choice, check_count, check_option, for_parts
from blurlab.deconvolver.border import BOUNDARIES
from blurlab.deconvolver.iteration import CHECK_EVERY, BatchState, explained, iterate
from blurlab.deconvolver.observation import Observation, observe
from blurlab.deconvolver.scale import within
from blurlab.deconvolver.variation import D
from blurlab.deconvolver.weight import FromGradient
from blurlab.physics import LinearOperator

DARK = 1e-6
"""Least blurred image that is divided by: a quotient far above the rest would drown it in the round-off of the FFT."""
SEEN = 1e-2
"""A pixel beyond the border of which less than this share of the light was observed is left as it was guessed."""
FLAT = 8.0
"""Gradients below this many lambda are no edges: the step, explicit in the total variation, would swing on them."""


def richardson_lucy(
    u: Tensor, y: Tensor, blur: Callable[[Tensor], Tensor], adjoint: Callable[[Tensor], Tensor]
) -> Tensor:
    """``u H^T (y / H u)``: one step towards the greatest Poisson likelihood [Richardson1972] [Lucy1974].

    Args:
        u: Present estimate (B, C, H, W), >= 0.
        y: Observed images.
        blur: H, any boundary.
        adjoint: H^T.

    Returns:
        The next estimate, shaped as u.

    Example:
        >>> u, y = torch.full((1, 1, 2, 2), 0.5), torch.full((1, 1, 2, 2), 0.25)
        >>> float(richardson_lucy(u, y, lambda x: x, lambda x: x).mean())
        0.25
    """
    return u * adjoint(y / blur(u).clamp_min(DARK))


def curvature(u: Tensor, flat: float | Tensor) -> Tensor:
    """``div(grad u / sqrt(|grad u|^2 + flat^2))``, periodic: minus the slope of the total variation, rounded off.

    Args:
        u: (B, C, H, W).
        flat: Gradient below which it is rounded off, > 0 [1 / px], broadcast to (B, 1, 1, 1, 1).

    Returns:
        (B, C, H, W).

    Example:
        >>> hill = torch.zeros(1, 1, 5, 5); hill[..., 2, 2] = 1
        >>> round(float(curvature(hill, 1e-3)[0, 0, 2, 2]), 3)
        -3.414
    """
    field = D.A(u)
    return -D.A_adjoint(field / (field.square().sum(2, keepdim=True) + flat**2).sqrt())


@dataclass
class Problem(BatchState):
    """What stays the same in :func:`step`, per image (B, ...)."""

    seen: Observation
    """What was observed, >= 0."""
    share: Tensor
    """``A^T 1``, which share of a pixel's light was observed, on the grid (B, 1, P, Q)."""
    limit: Tensor
    """Mean square residual at which an image is done (B, 1, 1, 1)."""
    weight: Tensor
    """lambda of the total variation (B, 1, 1, 1)."""
    upper: float | Tensor
    accelerated: bool


@dataclass
class State(BatchState):
    """What :func:`step` hands on, on the grid (B, C, P, Q)."""

    u: Tensor
    before: Tensor
    """The estimate before u."""
    move: Tensor
    """``g_{k-1}``: what the last step added to its prediction."""
    alpha: Tensor
    """Factor of the next prediction (B, 1, 1, 1)."""
    done: Tensor
    """Which images explain y as well as the noise lets them (B, 1, 1, 1)."""


def start(u: Tensor) -> State:
    """The state at a first estimate (B, C, P, Q), >= 0."""
    alone = u.new_zeros(len(u), 1, 1, 1)
    return State(u, u, torch.zeros_like(u), alone, alone.bool())


def step(problem: Problem, state: State) -> State:
    """One iteration; an image that is done stays as it is.

    Args:
        problem: Images, filters, stopping.
        state: The last state.

    Returns:
        The next state.
    """
    p, seen = problem, problem.seen

    # prediction: v = u_k + alpha (u_k - u_{k-1}), eq. (6) of [BiggsAndrews1997]
    v = within(state.u + state.alpha * (state.u - state.before), p.upper) if p.accelerated else state.u
    blurred = seen.blur(v).clamp_min(0)
    done = state.done | ((blurred - seen.y).square().mean((1, 2, 3), keepdim=True) <= p.limit)

    # u_{k+1} = v / (A^T 1 - lambda div(grad v / |grad v|)) A^T (y / A v), [Dey2006] [Bertero2005]
    share = p.share
    if bool((p.weight > 0).any()):
        share = p.share - p.weight * curvature(v, FLAT * p.weight.unsqueeze(1))
    u = richardson_lucy(v, seen.y, lambda _: blurred, seen.adjoint) / share.clamp_min(SEEN)
    u = torch.where(p.share > SEEN, within(u, p.upper), v)

    # alpha = <g_k, g_{k-1}> / <g_{k-1}, g_{k-1}> within [0, 1], eq. (10) of [BiggsAndrews1997]
    move = u - v
    along = (move * state.move).sum((1, 2, 3), keepdim=True)
    alpha = (along / state.move.square().sum((1, 2, 3), keepdim=True).clamp_min(1e-30)).clamp(0, 1)
    return State(torch.where(done, state.u, u), state.u, move, alpha, done)


class RichardsonLucy(Deconvolver):
    """Greatest Poisson likelihood of ``y = A u``, 0 <= u <= upper, by an iteration that is stopped at the noise.

    A is a convolution, cropped to the pixels that were observed, or any operator that makes no light negative.

    Args:
        iterations: Ceiling.
        accelerated: By the vector extrapolation of [BiggsAndrews1997]; over hundreds of steps that nothing stops, its
            factor alpha magnifies round-off in float32 to some 1e-4.
        weight: lambda of the total variation of [Dey2006]; 0 is without, None is TV's own alpha over the mean of each
            image: a residual r costs about ``r^2 / (2 A u)`` in the Poisson likelihood, ``r^2 / 2`` in TV's objective.
        stop: An image is done where ``|A u - y|^2 <= stop n sigma^2`` (discrepancy principle); 0 never stops early.
        tolerance: Relative change of an image between iterations at which it is done.
        boundary: Of kernels: unknown (only observed pixels count [Bertero2005]), or another of ``BOUNDARIES``.
        upper: Greatest intensity; were there none, a y that was not seen through this kernel would be explained by
            pixels that grow brighter with every iteration.
    """

    takes = (LinearOperator,)

    def __init__(
        self,
        iterations: int = 100,
        accelerated: bool = True,
        weight: float | None = 0.0,
        stop: float = 1.0,
        tolerance: float = 1e-5,
        boundary: str = "unknown",
        upper: float = 1.0,
    ) -> None:
        check_count("iterations", iterations)
        if weight is not None:
            check_option("weight", weight, 0, 0.1)
        check_option("stop", stop, 0, 100)
        check_option("tolerance", tolerance, 0, 1)
        check_choice("boundary", boundary, BOUNDARIES)
        check_option("upper", upper, 1e-6, 1e6)
        self.iterations = int(iterations)
        self.accelerated = accelerated
        self.weight = weight
        self.stop = stop
        self.stops_at_noise = stop > 0
        self.tolerance = tolerance
        self.boundary = boundary
        self.estimates_outside = boundary == "unknown"
        self.upper = upper

    def restore(self, y: Tensor, blur: Tensor | LinearOperator, sigma: Tensor) -> Restored:
        """Iterations from y; history: relative_change, misfit.

        Raises:
            ValueError: If a kernel has values below 0, or an operator's adjoint makes such of an image of ones.
        """
        if isinstance(blur, Tensor) and bool((blur < 0).any()):
            raise ValueError(f"psf has values down to {float(blur.min()):.3g}; light is never negative, use wiener")
        seen = observe(y, blur, self.boundary)
        seen = replace(seen, y=seen.y.clamp_min(0), first=within(seen.first, self.upper))
        share = seen.adjoint(torch.ones_like(seen.y[:, :1]))
        if isinstance(blur, LinearOperator) and bool(share.min() < -SEEN * share.max()):
            raise ValueError(
                f"the operator makes light negative: its adjoint of ones has values down to {float(share.min()):.3g};"
                " use douglas_rachford"
            )
        problem = Problem(
            seen, share, self.stop * sigma.square(), self._weight(y, blur, sigma), self.upper, self.accelerated
        )
        u, history = iterate(step, problem, start(seen.first), self.iterations, self.tolerance, explained)
        return Restored(seen.crop(u).contiguous(), history)

    def _weight(self, y: Tensor, blur: Tensor | LinearOperator, sigma: Tensor) -> Tensor:
        if self.weight is not None:
            return torch.full_like(sigma, self.weight)
        rule = FromGradient()
        alpha = rule.choose(y, blur, sigma) if isinstance(blur, Tensor) else rule.choose_varying(y, blur, sigma)
        return alpha / y.mean((1, 2, 3), keepdim=True).clamp_min(sigma)

    def freeze(self, parts: Tensor, psf: Tensor | LinearOperator, sigma: Tensor) -> Self:
        """The same with the weight of the whole image, and the number of iterations after which all of it is done."""
        frozen, blur, level = super().freeze(parts, psf, sigma), for_parts(psf, parts), for_parts(sigma, parts)
        frozen.weight = float(self._weight(parts, blur, level).mean())
        looks = self.restore(parts, blur, level).history["relative_change"]
        frozen.iterations, frozen.stop = min(CHECK_EVERY * len(looks), self.iterations), 0.0
        return frozen
