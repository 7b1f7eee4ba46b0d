"""Blurs between those of a few calibrations of one microscope: a convex set of operators."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.blur.base import BlurFamily, check_params
from blurlab.blur.parameter import Parameter
from blurlab.blur.spread_out import farthest_points, onto_simplex, spread_shares, uniform_shares
from blurlab.blur.zernike_field import GRID, ZernikeField, field_places
from blurlab.core.rng import generator as make_generator
from blurlab.physics import EigenBlur, LocalBlur, grid_places
from blurlab.physics.eigen import TERMS

DRAWN = 16
"""Fields are drawn for each corner of the set, of which those far from one another are kept."""


class OperatorHull(BlurFamily):
    """Convex combinations of operators that were measured, such as one microscope's over months [Debarnot2021].

    A calibration is a grid of kernels over the image. The parameters are the shares of the calibrations, drawn
    uniformly over all that are >= 0 and sum to 1; others are brought to the nearest such.

    Args:
        kernels: (M, rows, cols, k, k), two calibrations or more, k odd; each kernel >= 0 and of sum 1.
        terms: Eigen-kernels of an operator (:class:`~blurlab.physics.EigenBlur`), which all of them share.

    Raises:
        ValueError: If the kernels are no such.

    Example:
        >>> from blurlab.blur import Zernike
        >>> hull = operator_hull(ZernikeField(Zernike(pixel_nm=100)), corners=3)
        >>> hull.names, [round(float(one), 3) for one in hull.spread(3).max(1).values]
        (('share1', 'share2', 'share3'), [1.0, 1.0, 1.0])
    """

    kinds = ("operator_hull",)
    symmetric = False
    may_cut = True
    varies = True

    def __init__(self, kernels: Tensor, terms: int = TERMS) -> None:
        if kernels.ndim != 5 or len(kernels) < 2 or kernels.shape[-1] != kernels.shape[-2]:
            raise ValueError(
                f"kernels must be (M, rows, cols, k, k), two calibrations or more, got {tuple(kernels.shape)}"
            )
        sums = kernels.sum((-2, -1))
        if not bool((kernels >= 0).all()) or not bool(((sums - 1).abs() < 1e-4).all()):
            raise ValueError("each kernel of a calibration must be >= 0 and of sum 1; divide it by its sum")
        self.kernels, self.terms = kernels, terms
        shares = [Parameter(f"share{place}", "", 0.0, 1.0) for place in range(1, len(kernels) + 1)]
        super().__init__(shares, kernels.shape[-1])

    def extent_px(self, *largest: float) -> float:
        return float(self.kernels.shape[-1])

    def draw(self, n: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Kinds (n,) and shares (n, M), uniform over the set."""
        kind = torch.zeros(n, dtype=torch.long, device=generator.device)
        return kind, uniform_shares(n, len(self.kernels), generator=generator)

    def spread(self, n: int, *, seed: int = 0) -> Tensor:
        """Shares (n, M) of operators as far from one another as may be (:func:`~blurlab.blur.spread_shares`)."""
        flat = self.kernels.flatten(1).double()
        return spread_shares(flat @ flat.T, n, generator=make_generator(seed, "spread")).to(self.kernels)

    def psf(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        """The mean over a grid of places: what a method that knows one kernel may use."""
        return torch.einsum("nm,mij->nij", self._shares(params), self.kernels.mean((1, 2)).to(params))[:, None]

    def operator(
        self, params: Tensor, kind: Tensor | int | None = None, *, shape: tuple[int, int], boundary: str = "valid"
    ) -> LocalBlur:
        kernels = torch.einsum("nm,mrcij->nrcij", self._shares(params), self.kernels.to(params))
        return EigenBlur.of_grid(kernels, shape, boundary, self.terms)

    def within(self, params: Tensor) -> Tensor:
        """The nearest shares that are >= 0 and sum to 1."""
        return self._shares(params)

    def _shares(self, params: Tensor) -> Tensor:
        check_params(params, self.names)
        return onto_simplex(params)


def operator_hull(family: ZernikeField, corners: int = 6, seed: int = 0) -> OperatorHull:
    """The hull of operators of a family, drawn with a seed and far from one another.

    Args:
        family: Fields of aberrations.
        corners: Operators M.
        seed: Of the draw.
    """
    shape = (GRID, GRID)
    params = family.draw(DRAWN * corners, generator=make_generator(seed, "operator hull"))[1]
    kernels = family.psf_at(params, field_places(grid_places(shape, shape), shape)).unflatten(1, shape)
    flat = kernels.flatten(1)
    return OperatorHull(kernels[farthest_points(torch.cdist(flat, flat), corners)], family.terms)
