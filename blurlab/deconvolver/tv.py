"""Total variation with a box constraint by ADMM; nothing need be assumed of what lies beyond the border."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self, TypeAlias

import torch
from torch import Tensor

from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.deconvolver.base import Deconvolver, Restored, check_choice, check_count, check_option
from blurlab.deconvolver.border import BOUNDARIES, on_grid
from blurlab.deconvolver.evidence import Evidence
from blurlab.deconvolver.iteration import iterate
from blurlab.deconvolver.observation import GridObservation
from blurlab.deconvolver.scale import within
from blurlab.deconvolver.tv_step import LEAST_MU, Problem, State, measure, observed, start, step
from blurlab.deconvolver.variation import NORMS, D, in_norm
from blurlab.deconvolver.weight import FromGradient, WeightRule, frozen_weight, weight_rule
from blurlab.deconvolver.wiener import density

Measure: TypeAlias = Callable[[Problem, State], dict[str, Tensor]]


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
    of_pieces = False
    """Made by :meth:`freeze`: as all iterations are made, channels may be restored one by one; nothing is measured."""

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
        alpha = self.alpha(y, psf, sigma)
        if self.of_pieces:
            alike = self.norm != "vectorial" and y.device.type == "cpu"  # one channel fits a processor's cache
            channels = y.split(1, dim=1) if alike else [y]
            found = [self.solve(one, psf, alpha)[0][..., : y.shape[-2], : y.shape[-1]] for one in channels]
            return Restored(torch.cat(found, dim=1))
        u, history = self.solve(y, psf, alpha, measure)
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
        frozen.of_pieces = True
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
        power, rho = density(seen.otf), self.rho * alpha
        smooth = self.gamma / self.rho + D.power(shape, like=seen.y)
        return Problem(
            seen=seen,
            is_whole=self.boundary != "unknown",
            power=power,
            back=seen.otf.conj().resolve_conj(),
            smooth=smooth.expand(len(alpha), 1, -1, -1),
            alpha=alpha,
            rho=rho,
            gamma=self.gamma / self.rho,
            radius=1 / self.rho if evidence is None else on_grid(evidence.contrast, psf, self.boundary) / self.rho,
            upper=self.upper,
            norm=self.norm,
            floor=alpha.sqrt().clamp_min(self.least_mu),
            evidence=evidence,
        )

    def evidence(self, y: Tensor) -> Evidence | None:
        """What single pixels of y say; None where all say as much."""
        return None
