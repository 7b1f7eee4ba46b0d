"""Quadratic regularisation; nothing need be assumed of what lies beyond the border, and the weight is found from y."""

from __future__ import annotations

from copy import copy
from typing import Self

import torch
from torch import Tensor

from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.deconvolver.base import Deconvolver, Restored, check_choice, check_count, check_option
from blurlab.deconvolver.border import BOUNDARIES, on_grid
from blurlab.deconvolver.linear_rule import RULES, image_energy, tikhonov_weight
from blurlab.deconvolver.spectrum import tapered_energy
from blurlab.physics import Gradient, conjugate_gradient

TAPER = 0.6
"""Share of an image's sides under a taper where its energy is measured: more would leave too little of the image, less
lets the border pass for what the blur cannot have made (``experiments/bench/never_worse.py``)."""
TIE = 1e-6
"""Weight of a first guess beyond the border beside that of an observed pixel."""
PENALTIES = {"identity": 0, "gradient": 1, "laplacian": 2}
"""Name of D -> power p of the difference spectrum L = |Dx|^2 + |Dy|^2 that is ``|D|^2``."""


def tikhonov(y: Tensor, otf: Tensor, weighed: Tensor) -> Tensor:
    """``argmin_u |H u - y|^2 + weight |D u|^2`` on a periodic grid: ``U = conj(H) Y / (|H|^2 + weight |D|^2)``.

    Args:
        y: Images on the grid (B, C, H, W).
        otf: H (B, 1, H, W // 2 + 1).
        weighed: ``weight |D|^2``, broadcast to otf.

    Returns:
        (B, C, H, W).

    Example:
        >>> y, otf = torch.ones(1, 1, 4, 4), torch.ones(1, 1, 4, 3)
        >>> float(tikhonov(y, otf, torch.tensor(0.25)).mean())
        0.800000...
    """
    return irfft2(otf.conj() * rfft2(y) / _bounded(otf, weighed), (y.shape[-2], y.shape[-1]))


def complete(
    first: Tensor, observed: tuple[int, int], otf: Tensor, weighed: Tensor, tolerance: float, iterations: int
) -> Tensor:
    """The pixels beyond the border that fit the observed ones best.

    ``min_u |M (H u - y)|^2 + weight |D u|^2`` is ``min_u |H u - z|^2 + weight |D u|^2`` with ``M z = y``, the rest of
    z free. That minimum is ``<z, R z>`` with ``R = weight |D|^2 / (|H|^2 + weight |D|^2)`` in Fourier space, so the
    free part solves ``(1 - M) R z = 0``: conjugate gradients on the frame beyond the border, preconditioned by the same
    cut of 1 / R [ChanNg1996]. The fixed point of :func:`~blurlab.deconvolver.border.keep_observed` has the same limit
    and is far slower (``experiments/bench/tikhonov.py --border``). A hair of ``TIE`` holds what little the
    observed pixels say nothing about to the first guess.

    Args:
        first: Grid (B, C, P, Q) that begins with y; the rest is a first guess.
        observed: Size (H, W) of y.
        otf: H (B, 1, P, Q // 2 + 1).
        weighed: ``weight |D|^2``, broadcast to otf.
        tolerance: Relative residual at which an image is done.
        iterations: Ceiling.

    Returns:
        z (B, C, P, Q), y where it was observed; :func:`tikhonov` of it is the minimiser.
    """
    shape = (first.shape[-2], first.shape[-1])
    remains = weighed / _bounded(otf, weighed)

    def beyond(factor: Tensor, x: Tensor) -> Tensor:
        filtered = irfft2(factor * rfft2(x), shape)
        filtered[..., : observed[0], : observed[1]] = 0
        return filtered

    missing = conjugate_gradient(
        lambda x: beyond(remains + TIE, x),
        -beyond(remains, first),
        precondition=lambda x: beyond(1 / (remains + TIE), x),
        tolerance=tolerance,
        max_iterations=iterations,
    )
    missing[..., : observed[0], : observed[1]] = 0  # it is; and so is its gradient
    return first + missing


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
        tolerance: Relative residual of :func:`complete` at which an image is done.
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
        return self.strength * tikhonov_weight(energy, otf, power, sigma, self.rule, shape)

    def freeze(self, parts: Tensor, psf: Tensor, sigma: Tensor) -> Self:
        """The same with mean and weight of the whole image."""
        frozen, each = copy(self), (len(parts), -1, -1, -1)
        frozen.mean = parts.mean(dim=(0, -2, -1), keepdim=True)
        grid = on_grid(parts - frozen.mean, psf.expand(each), self.boundary)
        otf, power = self._spectra(grid, psf.expand(each))
        frozen.weight = float(self._weight(parts, grid, otf, power, sigma.expand(each)).log().mean().exp())
        return frozen


def _bounded(otf: Tensor, weighed: Tensor) -> Tensor:
    """``|H|^2 + weight |D|^2``, which is never zero."""
    return (otf.abs().square() + weighed).clamp_min(torch.finfo(otf.real.dtype).tiny)
