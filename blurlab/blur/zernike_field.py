"""Blur of an objective whose aberrations change over the field of view: defocus and coma grow from its centre."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from blurlab.blur.base import BlurFamily, check_params
from blurlab.blur.parameter import Range, parameter
from blurlab.blur.zernike import Zernike
from blurlab.physics import EigenBlur, LocalBlur, grid_places
from blurlab.physics.eigen import TERMS, check_terms

GRID = 9
"""Rows and columns of the kernels from which an operator is made."""
NODES = 5
"""Points along an axis of Gauss's rule, by which the mean kernel is taken."""
DEFOCUS, COMA_UP, COMA_ACROSS = (2, 0), (3, -1), (3, 1)
GROWTH = ("curvature_waves", "tilt_across_waves", "tilt_down_waves", "coma_waves")


class ZernikeField(BlurFamily):
    """The kernels of an objective whose coefficients are smooth functions of the place (u, v).

    u runs to the right and v down, in units of half the image's diagonal: ``u^2 + v^2`` is 0 in the middle and 1 in the
    corners. The coefficients are those of the middle, and

        defocus  + curvature (u^2 + v^2) + tilt_across u + tilt_down v,
        coma     + coma (-v, u)   of the polynomials (3, -1), whose sine runs up, and (3, 1):

    an image field that is curved, a specimen that is tilted, and a coma that points away from the axis and grows with
    the distance from it. To turn the signs of the polynomials of even order and of curvature and tilt leaves every
    kernel as it is; :class:`~blurlab.blur.Zernike` says which description is drawn.

    Args:
        family: The objective, and the coefficients in the middle of the image; defocus and both comas among them.
        curvature_waves: Range of the defocus that the corners have more than the middle, waves of root mean square.
        tilt_across_waves: Range of the defocus that a place one unit to the right has more.
        tilt_down_waves: Range of the defocus that a place one unit below has more.
        coma_waves: Range of the radial coma in the corners.
        terms: Eigen-kernels of an operator (:class:`~blurlab.physics.EigenBlur`).

    Raises:
        TypeError: If the family is no :class:`~blurlab.blur.Zernike`.
        ValueError: If defocus or a coma is not in its list, or there are no terms.

    Example:
        >>> field = ZernikeField(Zernike(pixel_nm=100))
        >>> field.names[-4:]
        ('curvature_waves', 'tilt_across_waves', 'tilt_down_waves', 'coma_waves')
        >>> params = torch.tensor([[0.05, 0, 0, 0, 0, 0, 0, 0.1, 0, 0, 0.0]])
        >>> corner, middle = field.waves_at(params, torch.tensor([[-0.5, 0.5], [0.0, 0.0]]))[0, :, 0].tolist()
        >>> round(corner, 4), round(middle, 4)
        (0.1, 0.05)
    """

    kinds = ("zernike_field",)
    symmetric = False
    may_cut = True
    varies = True

    def __init__(
        self,
        family: Zernike,
        curvature_waves: Range = (-0.2, 0.2),
        tilt_across_waves: Range = (-0.1, 0.1),
        tilt_down_waves: Range = (-0.1, 0.1),
        coma_waves: Range = (-0.15, 0.15),
        terms: int = TERMS,
    ) -> None:
        if not isinstance(family, Zernike):
            raise TypeError(f"a field of aberrations is that of a Zernike family, got {type(family).__name__}")
        lacking = {DEFOCUS, COMA_UP, COMA_ACROSS} - {*family.modes}
        if lacking:
            raise ValueError(
                f"the family must have defocus and both comas, Noll 4, 7 and 8; it lacks (n, m) = {sorted(lacking)}"
            )
        check_terms(terms)
        self.family, self.terms = family, terms
        ranges = (curvature_waves, tilt_across_waves, tilt_down_waves, coma_waves)
        growth = [parameter(name, "waves", one, signed=True) for name, one in zip(GROWTH, ranges, strict=True)]
        super().__init__([*family.parameters, *growth], family.size)
        orders = [*(n for n, _ in family.modes), 2, 2, 2, 3]
        self.even = [place for place, n in enumerate(orders) if n % 2 == 0]

    def extent_px(self, *largest: float) -> float:
        own, (curvature, across, down, coma) = [*largest[: len(self.family.names)]], largest[-4:]
        for mode, more in ((DEFOCUS, curvature + math.hypot(across, down)), (COMA_UP, coma), (COMA_ACROSS, coma)):
            own[self.family.modes.index(mode)] += more
        return self.family.extent_px(*own)

    def design(self, place: Tensor) -> Tensor:
        """How the coefficients at places (m, 2), v and u, depend on the parameters: (m, J, P); they are linear."""
        v, u = place.T
        modes = self.family.modes
        found = place.new_zeros(len(place), len(modes), len(self.names))
        found[:, range(len(modes)), range(len(modes))] = 1
        for offset, column in enumerate((u.square() + v.square(), u, v)):
            found[:, modes.index(DEFOCUS), len(modes) + offset] = column
        found[:, modes.index(COMA_UP), -1], found[:, modes.index(COMA_ACROSS), -1] = -v, u
        return found

    def waves_at(self, params: Tensor, place: Tensor) -> Tensor:
        """Coefficients (n, m, J) of parameters (n, P) at places (m, 2), v and u."""
        check_params(params, self.names)
        return torch.einsum("mjp,np->nmj", self.design(place.to(params)), params)

    def psf_at(self, params: Tensor, place: Tensor) -> Tensor:
        """Kernels (n, m, k, k) of parameters (n, P) at places (m, 2), v and u."""
        waves = self.waves_at(params, place)
        return self.family.with_size(self.size).psf(waves.flatten(0, 1))[:, 0].unflatten(0, waves.shape[:2])

    def psf(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        """The mean over a square image: what a method that knows one kernel may use."""
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        line = params.new_tensor(nodes) / math.sqrt(2)
        share = params.new_tensor(weights / 2)
        kernels = self.psf_at(params, torch.cartesian_prod(line, line))
        return torch.einsum("m,nmij->nij", torch.outer(share, share).flatten(), kernels)[:, None]

    def operator(
        self, params: Tensor, kind: Tensor | int | None = None, *, shape: tuple[int, int], boundary: str = "valid"
    ) -> LocalBlur:
        kernels = self.psf_at(params, field_places(grid_places(shape, (GRID, GRID)), shape))
        return EigenBlur.of_grid(kernels.unflatten(1, (GRID, GRID)), shape, boundary, self.terms)

    def within(self, params: Tensor) -> Tensor:
        """Into the ranges, after the signs of what is of even order are turned where the first of them is negative.

        That leaves the kernels as they are.
        """
        check_params(params, self.names)
        turned = params.clone()
        first = params[:, self.even[:1]]
        turned[:, self.even] = torch.where(first < 0, -params[:, self.even], params[:, self.even])
        return super().within(turned)

    def reversed(self, params: Tensor) -> Tensor:
        """Parameters (n, P) of the field whose kernels are all turned by half a circle."""
        check_params(params, self.names)
        odd = [place for place in range(len(self.names)) if place not in self.even]
        turned = params.clone()
        turned[:, odd] = -params[:, odd]
        return turned

    def scaled(self, params: Tensor, factor: float) -> Tensor:
        """As :meth:`Zernike.scaled <blurlab.blur.Zernike.scaled>`: only by 1."""
        self.family.scaled(params[:, : len(self.family.names)], factor)
        return params.clone()


def field_places(place: Tensor, shape: tuple[int, int]) -> Tensor:
    """Rows and columns (m, 2) of an image (H, W) as v and u: 0 in its middle, of length 1 in its corners.

    Example:
        >>> field_places(torch.tensor([[0.0, 0.0], [1.5, 2.0]]), (4, 5)).tolist()
        [[-0.6..., -0.8...], [0.0, 0.0]]
    """
    half = place.new_tensor([(side - 1) / 2 for side in shape])
    return (place - half) / float(half.norm())
