"""Quadratic regularisation; nothing need be assumed of what lies beyond the border, and the weight is found from y."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor

from blurlab.core.fourier import plane_mean, psf_to_otf
from blurlab.deconvolver.base import Deconvolver, Restored, check_choice, check_count, check_option
from blurlab.deconvolver.border import BOUNDARIES, on_grid
from blurlab.deconvolver.linear_rule import RULES, image_energy, tikhonov_weight
from blurlab.deconvolver.quadratic import complete, tikhonov
from blurlab.deconvolver.spectrum import tapered_energy
from blurlab.deconvolver.wiener import LEAST_ENERGY, gradient_energy
from blurlab.physics import Gradient

FEW_PX = 48 * 48
"""Pixels of an image from which a rule is met by the image, not by chance (``experiments/bench/never_worse.py``)."""
TAPER = 0.6
"""Share of an image's sides under a taper where its energy is measured: more would leave too little of the image, less
lets the border pass for what the blur cannot have made (``experiments/bench/never_worse.py``)."""
PENALTIES = {"identity": 0, "gradient": 1, "laplacian": 2}
"""Name of D -> power p of the difference spectrum L = |Dx|^2 + |Dy|^2 that is ``|D|^2``."""


class Tikhonov(Deconvolver):
    """``min_u |M H u - y|^2 + weight |D u|^2``; the mean of each channel is kept aside.

    Args:
        weight: Of the penalty; None lets ``rule`` choose it for each image.
        penalty: D: identity, gradient or laplacian.
        rule: How the weight is found where it is None, from the energy of y under a window: gcv (needs no noise level,
            save for its least weight), discrepancy or sure, see :mod:`blurlab.deconvolver.linear_rule`; the default
            loses least over photographs of DRIVE, CHASE_DB1 and BSDS500 (``experiments/bench/tikhonov.py``).
        strength: Factor on the rule's weight.
        boundary: unknown (M keeps the pixels that were observed), or another of ``BOUNDARIES`` (M = 1).
        tolerance: Relative residual of :func:`~blurlab.deconvolver.quadratic.complete` at which an image is done.
        iterations: Ceiling there.
    """

    def __init__(
        self,
        weight: float | None = None,
        penalty: str = "gradient",
        rule: str = "gcv",
        strength: float = 1.0,
        boundary: str = "unknown",
        tolerance: float = 1e-5,
        iterations: int = 300,
    ) -> None:
        if weight is not None:
            check_option("weight", weight, 1e-12, 1e6)
        check_choice("penalty", penalty, tuple(PENALTIES))
        check_choice("rule", rule, tuple(RULES))
        check_option("strength", strength, 1e-3, 1e3)
        check_choice("boundary", boundary, BOUNDARIES)
        check_option("tolerance", tolerance, 0, 1)
        check_count("iterations", iterations)
        self.weight = weight
        self.penalty = penalty
        self.rule = rule
        self.strength = strength
        self.boundary = boundary
        self.tolerance = tolerance
        self.iterations = int(iterations)
        self.mean: Tensor | None = None

    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        """The minimiser, no history."""
        mean = y.mean(dim=(-2, -1), keepdim=True) if self.mean is None else self.mean
        grid = on_grid(y - mean, psf, self.boundary)
        otf, power = self._spectra(grid, psf)
        weighed = self._weight(y, grid, otf, power, sigma) * power
        if self.boundary == "unknown":
            grid = complete(grid, (y.shape[-2], y.shape[-1]), otf, weighed, self.tolerance, self.iterations)
        return Restored(tikhonov(grid, otf, weighed)[..., : y.shape[-2], : y.shape[-1]] + mean)

    def _spectra(self, grid: Tensor, psf: Tensor) -> tuple[Tensor, Tensor]:
        """H, and |D|^2."""
        shape = (grid.shape[-2], grid.shape[-1])
        return psf_to_otf(psf, shape), Gradient().power(shape, like=grid) ** PENALTIES[self.penalty]

    def _weight(self, y: Tensor, grid: Tensor, otf: Tensor, power: Tensor, sigma: Tensor) -> Tensor:
        if self.weight is not None:
            return torch.full_like(sigma, self.weight)
        shape = (grid.shape[-2], grid.shape[-1])
        energy = image_energy(grid) if self.boundary == "circular" else tapered_energy(y, shape, TAPER)
        best = tikhonov_weight(energy, otf, power, sigma, self.rule, shape)
        few = y.shape[-2] * y.shape[-1] < FEW_PX
        return self.strength * (best.maximum(self._least_weight(y, otf, sigma, shape)) if few else best)

    def _least_weight(self, y: Tensor, otf: Tensor, sigma: Tensor, shape: tuple[int, int]) -> Tensor:
        """Bayes's weight if all differences of y were the image's: ``sigma^2 / v``, its spectrum ``v / |D|^2``.

        A rule that sees few pixels can be met by a tenth of it, and then the restored image is noise.
        """
        falling = Gradient().power(shape, like=y) ** (1 - PENALTIES[self.penalty])
        blurred = otf.abs().square() * falling
        blurred[..., 0, 0] = 0  # the mean is kept aside
        return sigma.square() * plane_mean(blurred, shape) / gradient_energy(y).clamp_min(LEAST_ENERGY)

    def freeze(self, parts: Tensor, psf: Tensor, sigma: Tensor) -> Self:
        """The same with mean and weight of the whole image."""
        frozen, each = super().freeze(parts, psf, sigma), (len(parts), -1, -1, -1)
        frozen.mean = parts.mean(dim=(0, -2, -1), keepdim=True)
        grid = on_grid(parts - frozen.mean, psf.expand(each), self.boundary)
        otf, power = self._spectra(grid, psf.expand(each))
        frozen.weight = float(self._weight(parts, grid, otf, power, sigma.expand(each)).log().mean().exp())
        return frozen
