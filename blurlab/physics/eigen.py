"""A blur that varies over the image, from its kernels on a grid: few eigen-kernels, each under a smooth map."""

from __future__ import annotations

from typing import Self

import numpy as np
import torch
from torch import Tensor

from blurlab.physics.product_convolution import ProductConvolution, grid_windows

TERMS = 10
"""Eigen-kernels of [DebarnotWeiss2024]."""
LOCAL = 3
"""Rows and columns of kernels of which the preconditioner of :meth:`EigenBlur.solve` is made."""


def eigen_kernels(psf: Tensor, terms: int = TERMS) -> tuple[Tensor, Tensor]:
    """The kernels whose weighted sums are nearest to all of these, by a singular value decomposition.

    ``psf_i ~ sum_k c_ik e_k`` with the least sum of squared errors that ``terms`` kernels can have.

    Args:
        psf: Kernels (m, k, l), or (B, m, k, l).
        terms: Number K of eigen-kernels; no more than there are kernels or pixels are returned.

    Returns:
        Eigen-kernels (K, k, l), orthonormal, and the coefficients (m, K), both after the batch's axis where there is
        one. The sum over the kernels of each coefficient is not negative.

    Raises:
        ValueError: If there are no terms, or the kernels have another shape.

    Example:
        >>> psf = torch.tensor([[[1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0]], [[0.5, 0.0, 0.5]]])
        >>> basis, coefficient = eigen_kernels(psf, 2)
        >>> basis.shape, bool((torch.einsum("mk,kij->mij", coefficient, basis) - psf).abs().max() < 1e-6)
        (torch.Size([2, 1, 3]), True)
    """
    if psf.ndim not in (3, 4) or 0 in psf.shape:
        raise ValueError(f"psf must be (m, k, l) or (B, m, k, l) with no empty side, got {tuple(psf.shape)}")
    check_terms(terms)
    rows = psf.flatten(-2)
    basis = torch.linalg.svd(rows, full_matrices=False).Vh[..., :terms, :]
    coefficient = rows @ basis.mT
    sign = torch.where(coefficient.sum(-2) < 0, -1.0, 1.0).to(rows)
    return (basis * sign[..., None]).unflatten(-1, psf.shape[-2:]), coefficient * sign[..., None, :]


def thin_plate_maps(place: Tensor, values: Tensor, shape: tuple[int, int]) -> Tensor:
    """Smooth maps through values at places: thin-plate splines, by SciPy.

    Of all maps through the values it is the one that bends least, as the sum of its squared second derivatives.

    Args:
        place: (m, 2), row and column on the scale of ``shape``'s pixels; not all on one line.
        values: (m, K).
        shape: Sides (H, W) of the maps.

    Returns:
        (K, H, W), in the type and on the device of the values.

    Example:
        >>> corners = torch.tensor([[0.0, 0.0], [0.0, 4.0], [2.0, 0.0], [2.0, 4.0]])
        >>> thin_plate_maps(corners, torch.tensor([[0.0], [4.0], [2.0], [6.0]]), (3, 5))[0, 1].round().tolist()
        [1.0, 2.0, 3.0, 4.0, 5.0]
    """
    from scipy.interpolate import RBFInterpolator

    at, known = (one.detach().double().cpu().numpy() for one in (place, values))
    pixels = np.stack(np.meshgrid(*(np.arange(side, dtype=float) for side in shape), indexing="ij"), -1)
    found = RBFInterpolator(at, known, kernel="thin_plate_spline")(pixels.reshape(-1, 2))
    return torch.from_numpy(found.T.copy()).to(values).reshape(-1, *shape)


class EigenBlur(ProductConvolution):
    """A product-convolution whose kernels and weights have signs: those of :meth:`of_grid`.

    No single term is a blur of its own, so that :meth:`solve` is preconditioned by the kernels at nine places.
    """

    @classmethod
    def of_grid(cls, psf: Tensor, shape: tuple[int, int], boundary: str = "valid", terms: int = TERMS) -> Self:
        """The blur whose kernels on a grid are these, as nearly as so many eigen-kernels can have it.

        Args:
            psf: Kernels (B, rows, cols, k, k), k odd; the outermost lie on the image's border, the others evenly
                between. 2 rows and columns or more.
            shape: Sharp image x (H, W).
            boundary: As for :class:`~blurlab.physics.ProductConvolution`.
            terms: Eigen-kernels.

        Raises:
            ValueError: If the kernels have another shape, or there are fewer than two rows or columns.

        Example:
            >>> psf = torch.rand(1, 3, 4, 5, 5)
            >>> blur = EigenBlur.of_grid(psf, (21, 31), "reflect", terms=12)
            >>> bool((blur.psf_at(10, 20)[0, 0] - psf[0, 1, 2]).abs().max() < 1e-5)
            True
        """
        if psf.ndim != 5 or min(psf.shape[1:3]) < 2:
            raise ValueError(
                f"psf must be (B, rows, cols, k, k) with two rows and columns or more, got {tuple(psf.shape)}"
            )
        place = grid_places(shape, (psf.shape[1], psf.shape[2]))
        basis, coefficient = eigen_kernels(psf.flatten(1, 2), terms)
        weight = torch.stack([thin_plate_maps(place, one, shape) for one in coefficient])
        return cls(basis, weight, boundary)

    def window(self, rows: tuple[int, int], cols: tuple[int, int]) -> EigenBlur:
        """The operator of a part of y, with boundary ``valid``; see :class:`~blurlab.physics.LocalBlur`."""
        part = super().window(rows, cols)
        return EigenBlur(part.psf, part.weight, part.boundary)

    def _approximate_inverse(self, x: Tensor, weight: float | Tensor) -> Tensor:
        return self._of_places()._approximate_inverse(x, weight)

    def _of_places(self) -> ProductConvolution:
        """The kernels at places on a coarse grid, each for the pixels around it."""
        shape = self.weight.shape[-2], self.weight.shape[-1]
        rows, cols = grid_places(shape, (LOCAL, LOCAL)).round().long().T
        here = self.weight[..., rows, cols]
        psf = (here[..., None, None] * self.psf[:, :, None]).sum(1)
        return ProductConvolution(psf, grid_windows(shape, (LOCAL, LOCAL))[None].to(psf), self.boundary)


def grid_places(shape: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """Row and column of the points of a grid whose corners are the image's, row after row: (rows * cols, 2), float64.

    Example:
        >>> grid_places((3, 9), (1, 3)).tolist()
        [[1.0, 0.0], [1.0, 4.0], [1.0, 8.0]]
    """
    axes = [
        torch.linspace(0, side - 1, count, dtype=torch.float64)
        if count > 1
        else torch.tensor([(side - 1) / 2]).double()
        for side, count in zip(shape, grid, strict=True)
    ]
    return torch.cartesian_prod(*axes)


def check_terms(terms: int) -> None:
    """Raise unless ``terms`` is a whole number, 1 or more.

    Raises:
        ValueError: With what came.
    """
    if isinstance(terms, bool) or not isinstance(terms, int) or terms < 1:
        raise ValueError(f"terms must be a whole number, 1 or more, got {terms!r}")
