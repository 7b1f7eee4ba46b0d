"""Douglas-Rachford splitting: one step, and the classical solver that repeats it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, Self

import torch
from torch import Tensor

from blurlab.deconvolver.base import Deconvolver, Restored, check_choice, check_count, check_option, for_parts
from blurlab.deconvolver.border import BOUNDARIES
from blurlab.deconvolver.iteration import BatchState, explained, iterate
from blurlab.deconvolver.observation import Observation, observe
from blurlab.deconvolver.scale import within
from blurlab.deconvolver.tv import TV
from blurlab.deconvolver.variation import D, project
from blurlab.deconvolver.weight import WeightRule, frozen_weight, weight_rule
from blurlab.physics import LinearOperator

LEAST_DATA_WEIGHT = 0.05
"""Where there is next to no noise alpha is minute; with lambda as small the iteration ends far from its minimum, worse
than y (``experiments/bench/never_worse.py --only douglas_rachford``). A larger one takes more iterations."""


def douglas_rachford_step(
    x: Tensor, prior: Callable[[Tensor], Tensor], data: Callable[[Tensor, Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """``z = prior(x);  r = data(2 z - x);  x <- x - z + r`` [DebarnotWeiss2024].

    Args:
        x: The iterate (B, C, P, Q).
        prior: Prox of the prior, or a denoiser.
        data: Prox of the data term at its first argument, given the present image z.

    Returns:
        The next x, and z, which is the present image.
    """
    z = prior(x)
    return x - z + data(2 * z - x, z), z


class Prior(Protocol):
    """What an image is like: the prox of a functional, or a denoiser in its place."""

    def __call__(self, x: Tensor, weight: Tensor, memory: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """``argmin_z 1/2 |z - x|^2 + weight R(z)``.

        Args:
            x: (B, C, P, Q).
            weight: (B, 1, 1, 1), > 0.
            memory: What the last call left, None at first.

        Returns:
            z, and what the next call may start from, one row an image.
        """

    def at_level(self, level: Tensor) -> Prior:
        """The same for images divided by their level (B, 1, 1, 1)."""


@dataclass
class TotalVariationProx(BatchState):
    """Prox of isotropic total variation, by projected gradients on the dual that start where the last call ended.

    ``p <- project(p + 1/8 grad(x / weight - grad^T p));  z = x - weight grad^T p`` [Chambolle2004]; held to [0, upper].

    Args:
        iterations: Gradient steps a call.
        upper: Greatest intensity, a number or one for each image (B, 1, 1, 1).
    """

    iterations: int = 3
    upper: float | Tensor = 1.0

    def __post_init__(self) -> None:
        check_count("iterations", self.iterations)
        if not isinstance(self.upper, Tensor):
            check_option("upper", self.upper, 1e-6, 1e6)

    def __call__(self, x: Tensor, weight: Tensor, memory: Tensor | None) -> tuple[Tensor, Tensor]:
        """The prox, and its dual field (B, C, 2, P, Q)."""
        p = torch.zeros_like(D.A(x)) if memory is None else memory
        for _ in range(self.iterations):
            p = project(p + D.A(within(x / weight - D.A_adjoint(p), self.upper / weight)) / 8, 1.0)
        return within(x - weight * D.A_adjoint(p), self.upper), p

    def at_level(self, level: Tensor) -> TotalVariationProx:
        """The same for images divided by their level; total variation itself knows no scale."""
        return replace(self, upper=self.upper / level)


class Denoised:
    """A denoiser in the place of a prox (plug and play).

    Args:
        denoiser: (images (B, C, P, Q), noise level (B, 1, 1, 1)) -> images.
    """

    def __init__(self, denoiser: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.denoiser = denoiser

    def __call__(self, x: Tensor, weight: Tensor, memory: Tensor | None) -> tuple[Tensor, None]:
        """The denoised image: a prox of weight w takes away noise of standard deviation sqrt(w)."""
        return self.denoiser(x, weight.sqrt()), None

    def at_level(self, level: Tensor) -> Denoised:
        """Itself: a denoiser was made for images at their level."""
        return self


@dataclass
class Problem(BatchState):
    """What stays the same in :func:`step`, per image (B, ...)."""

    seen: Observation
    data_weight: Tensor
    """lambda."""
    prior_weight: Tensor
    """``alpha / lambda``."""
    prior: Prior


@dataclass
class State(BatchState):
    """The iterate, the present image u = z, and what the prior keeps."""

    x: Tensor
    u: Tensor
    memory: Tensor | None


def step(problem: Problem, state: State) -> State:
    """One iteration of Douglas-Rachford on ``1/2 |A u - y|^2 + alpha R(u)``."""
    p = problem
    memory: list[Tensor | None] = []

    def prior(x: Tensor) -> Tensor:
        z, kept = p.prior(x, p.prior_weight, state.memory)
        memory.append(kept)
        return z

    x, z = douglas_rachford_step(state.x, prior, partial(p.seen.prox, weight=p.data_weight))
    return State(x, z, memory[0])


class DouglasRachford(Deconvolver):
    """``min 1/2 |A u - y|^2 + alpha R(u)`` by Douglas-Rachford splitting; R is total variation or a denoiser's prior.

    A is a convolution, cropped to the pixels that were observed, or any linear operator.

    Args:
        prior: Prox of R; None is total variation within [0, 1].
        weight: alpha, or a rule that chooses it for each image; None as :class:`~blurlab.deconvolver.tv.TV`.
        data_weight: lambda in units of alpha, though no less than ``LEAST_DATA_WEIGHT``: how far a step goes, not where
            it ends.
        iterations: Ceiling.
        tolerance: Relative change of an image between iterations at which it is done.
        boundary: What lies beyond the border where the blur is kernels, one of
            :data:`~blurlab.deconvolver.border.BOUNDARIES`.
    """

    takes = (LinearOperator,)
    has_gradient = True

    def __init__(
        self,
        prior: Prior | None = None,
        weight: float | WeightRule | None = None,
        data_weight: float = 30.0,
        iterations: int = 100,
        tolerance: float = 5e-4,
        boundary: str = "unknown",
    ) -> None:
        check_option("data_weight", data_weight, 1e-3, 1e6)
        check_count("iterations", iterations)
        check_option("tolerance", tolerance, 0, 1)
        check_choice("boundary", boundary, BOUNDARIES)
        self.prior = TotalVariationProx() if prior is None else prior
        self.weight, self.data_weight = weight_rule(weight), data_weight
        self.iterations, self.tolerance, self.boundary = int(iterations), tolerance, boundary
        self.upper = float(getattr(self.prior, "upper", self.upper))
        self.estimates_outside = boundary == "unknown" and math.isfinite(self.upper)

    def restore(self, y: Tensor, blur: Tensor | LinearOperator, sigma: Tensor) -> Restored:
        """Iterate from y; history: relative_change, misfit."""
        seen = observe(y, blur, self.boundary)
        u, history = self.solve(seen, self._alpha(y, blur, sigma), explained)
        return Restored(seen.crop(u).contiguous(), history)

    def solve(
        self, seen: Observation, alpha: Tensor, measure: Callable[[Problem, State], dict[str, Tensor]] | None = None
    ) -> tuple[Tensor, dict[str, list[float]]]:
        """The minimiser for weights (B, 1, 1, 1) on the observation's grid (B, C, P, Q); the history."""
        data_weight = (self.data_weight * alpha).clamp_min(LEAST_DATA_WEIGHT)
        problem = Problem(seen, data_weight, alpha / data_weight, self.prior)
        return iterate(step, problem, State(seen.first, seen.first, None), self.iterations, self.tolerance, measure)

    def _alpha(self, y: Tensor, blur: Tensor | LinearOperator, sigma: Tensor) -> Tensor:
        with torch.no_grad():
            if isinstance(blur, LinearOperator):
                return self.weight.choose_varying(y, blur, sigma)
            return self.weight.choose(y, blur, sigma, TV(boundary=self.boundary).blur_again)

    def at_level(self, level: Tensor) -> Self:
        """The same for images divided by their level; a fixed weight is an intensity."""
        scaled = super().at_level(level)
        scaled.weight, scaled.prior = self.weight.at_level(level), self.prior.at_level(level)
        return scaled

    def freeze(self, parts: Tensor, psf: Tensor | LinearOperator, sigma: Tensor) -> Self:
        """The same with the weight of the whole image."""
        frozen = super().freeze(parts, psf, sigma)
        frozen.weight = frozen_weight(self._alpha(parts, for_parts(psf, parts), for_parts(sigma, parts)))
        return frozen
