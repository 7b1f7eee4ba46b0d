"""Douglas-Rachford splitting: one step, and the classical solver that repeats it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, Self

import torch
from torch import Tensor

from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.deconvolver.base import Deconvolver, Restored, check_choice, check_count, check_option
from blurlab.deconvolver.border import BOUNDARIES, keep_observed, on_grid
from blurlab.deconvolver.iteration import BatchState, explained, iterate
from blurlab.deconvolver.tv import TV, D
from blurlab.deconvolver.variation import project
from blurlab.deconvolver.weight import WeightRule, frozen_weight, weight_rule


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


def data_prox(v: Tensor, u: Tensor, y: Tensor, otf: Tensor, weight: Tensor | float) -> Tensor:
    """Minimiser of ``|M H r - y|^2 + weight |r - v|^2``, the pixels beyond y's border taken from H u.

    ``r = (H*H + weight)^-1 (H* (M y + (1 - M) H u) + weight v)``, exact where u = r or nothing is beyond the border.

    Args:
        v: Where to stay near (B, C, P, Q).
        u: Present image (B, C, P, Q).
        y: Observed images (B, C, H, W), the first rows and columns of the grid.
        otf: Transfer functions (B, 1, P, Q // 2 + 1).
        weight: Broadcast to (B, 1, 1, 1), > 0.

    Returns:
        (B, C, P, Q).
    """
    shape = (v.shape[-2], v.shape[-1])
    whole = v.shape[-2:] == y.shape[-2:]
    blurred = y if whole else keep_observed(irfft2(otf * rfft2(u), shape), y)
    spectrum = otf.conj() * rfft2(blurred) + weight * rfft2(v)
    return irfft2(spectrum / (otf.abs().square() + weight), shape)


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


class TotalVariationProx:
    """Prox of isotropic total variation, by projected gradients on the dual that start where the last call ended.

    ``p <- project(p + 1/8 grad(x / weight - grad^T p));  z = x - weight grad^T p`` [Chambolle2004]; held to [0, upper].

    Args:
        iterations: Gradient steps a call.
        upper: Greatest intensity.
    """

    def __init__(self, iterations: int = 3, upper: float = 1.0) -> None:
        check_count("iterations", iterations)
        check_option("upper", upper, 1e-6, 1e6)
        self.iterations, self.upper = int(iterations), upper

    def __call__(self, x: Tensor, weight: Tensor, memory: Tensor | None) -> tuple[Tensor, Tensor]:
        """The prox, and its dual field (B, C, 2, P, Q)."""
        p = torch.zeros_like(D.A(x)) if memory is None else memory
        for _ in range(self.iterations):
            p = project(p + D.A((x / weight - D.A_adjoint(p)).clamp(0 / weight, self.upper / weight)) / 8, 1.0)
        return (x - weight * D.A_adjoint(p)).clamp(0, self.upper), p


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


@dataclass
class Problem(BatchState):
    """What stays the same in :func:`step`, per image (B, ...)."""

    y: Tensor
    otf: Tensor
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
    """One iteration of Douglas-Rachford on ``1/2 |M H u - y|^2 + alpha R(u)``."""
    p = problem
    memory: list[Tensor | None] = []

    def prior(x: Tensor) -> Tensor:
        z, kept = p.prior(x, p.prior_weight, state.memory)
        memory.append(kept)
        return z

    x, z = douglas_rachford_step(state.x, prior, partial(data_prox, y=p.y, otf=p.otf, weight=p.data_weight))
    return State(x, z, memory[0])


class DouglasRachford(Deconvolver):
    """``min 1/2 |M H u - y|^2 + alpha R(u)`` by Douglas-Rachford splitting; R is total variation or a denoiser's prior.

    Args:
        prior: Prox of R; None is total variation within [0, 1].
        weight: alpha, or a rule that chooses it for each image; None as :class:`~blurlab.deconvolver.tv.TV`.
        data_weight: lambda in units of alpha: how far a step goes, not where it ends.
        iterations: Ceiling.
        tolerance: Relative change of an image between iterations at which it is done.
        boundary: What lies beyond the border, one of :data:`~blurlab.deconvolver.border.BOUNDARIES`.
    """

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
        self.estimates_outside = boundary == "unknown"
        self.upper = float(getattr(self.prior, "upper", self.upper))

    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        """Iterate from y; history: relative_change, misfit."""
        grid = on_grid(y, psf, self.boundary)
        alpha = self._alpha(y, psf, sigma)
        observed = y if self.boundary == "unknown" else grid
        otf = psf_to_otf(psf, (grid.shape[-2], grid.shape[-1]))
        problem = Problem(
            observed, otf, self.data_weight * alpha, torch.full_like(alpha, 1 / self.data_weight), self.prior
        )
        u, history = iterate(step, problem, State(grid, grid, None), self.iterations, self.tolerance, explained)
        return Restored(u[..., : y.shape[-2], : y.shape[-1]].contiguous(), history)

    def _alpha(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Tensor:
        return self.weight.choose(y, psf, sigma, TV(boundary=self.boundary).blur_again)

    def freeze(self, parts: Tensor, psf: Tensor, sigma: Tensor) -> Self:
        """The same with the weight of the whole image."""
        frozen = super().freeze(parts, psf, sigma)
        each = len(parts), -1, -1, -1
        frozen.weight = frozen_weight(self._alpha(parts, psf.expand(each), sigma.expand(each)))
        return frozen
