"""A plane of a microscope's image: its aberrations found, all over it or place by place, and undone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from blurlab.blur import Zernike, ZernikeField, field_places
from blurlab.blur.pupil import LEAST_RADIUS, Optics
from blurlab.deconvolver import TV, Deconvolver, DouglasRachford, Tiled
from blurlab.likelihood import FieldRefiner, OrientedRefiner
from blurlab.physics import LocalBlur, grid_places

HALF90 = 1.645
"""Half of a 90 % interval in standard deviations of a Gaussian."""
WAVES = 0.15
"""Largest magnitude of the coefficients that are looked for, in waves of root mean square."""
INDICES = (4, 5, 6, 7, 8, 9, 10)
LEAST_SIDE, MOST_SIDE = 31, 61
"""Sides of the kernels, px."""
WIDTH = 5.0
"""Side of a kernel times the pupil's radius: two Airy disks of the widest coefficients."""
LEAST_SAMPLES = 63
"""Of the pupil along an axis."""
SHOWN = 3
"""Rows and columns of the places whose kernels are shown of a field."""
ITERATIONS = 40
"""Of the restoration through a field."""
LEAST_PLANE = 64
"""Shortest side of a plane, px."""


@dataclass(frozen=True)
class Plane:
    """What was found in one plane.

    Attributes:
        kernels: (k, k), or of a field (SHOWN, SHOWN, k, k): those of places evenly spread, the outermost on the border.
        parameters: Name -> value and half of its 90 % interval, in waves of root mean square.
        sigma: Noise standard deviation, on the plane's scale.
        turned: Probability that the kernel lies the other way round, as far as the phase tells.
    """

    kernels: Tensor
    parameters: dict[str, tuple[float, float]]
    sigma: float
    turned: float


class Microscope:
    """Finds the aberrations of an objective in each plane by itself, and undoes them by total variation.

    Args:
        na: Numerical aperture.
        wavelength_nm: Wavelength of the light in vacuum, nm.
        pixel_nm: Side of a pixel in the plane of the specimen, nm.
        refractive_index: Of the medium before the objective.
        by_tiles: Look for a field, whose defocus and coma grow from the centre; otherwise for one kernel.
        tile: Side of the tiles in which a large plane is restored, px.

    Raises:
        ValueError: If the optics are wrong.

    Example:
        >>> tool = Microscope(na=1.4, wavelength_nm=520, pixel_nm=65, by_tiles=False)
        >>> tool.family.size, tool.family.names[0]
        (31, 'noll4_waves')
    """

    def __init__(
        self,
        *,
        na: float,
        wavelength_nm: float,
        pixel_nm: float | None,
        refractive_index: float = 1.51,
        by_tiles: bool = False,
        tile: int = 512,
    ) -> None:
        cutoff = Optics(na, wavelength_nm, pixel_nm, refractive_index).cutoff
        samples = max(LEAST_SAMPLES, math.ceil(LEAST_RADIUS / cutoff) + 1)
        side = min(max(LEAST_SIDE, math.ceil(WIDTH / cutoff) // 2 * 2 + 1), MOST_SIDE)
        self.family = Zernike(
            WAVES, INDICES, na=na, wavelength_nm=wavelength_nm, pixel_nm=pixel_nm, refractive_index=refractive_index,
            size=side, samples=max(samples, side),
        )  # fmt: skip
        self.tile = tile
        field = ZernikeField(self.family) if by_tiles else None
        self.refiner = OrientedRefiner(self.family) if field is None else FieldRefiner(field)

    def __call__(
        self, y: Tensor, sigma: float | None = None, progress: Callable[[float], None] | None = None
    ) -> tuple[Tensor, Plane]:
        """Restore a plane.

        Args:
            y: (1, 1, H, W) in [0, 1], 64 px a side or more.
            sigma: Noise standard deviation to restore with; that found if None.
            progress: Called with the share that is done.

        Returns:
            The restored plane (1, 1, H, W) in [0, 1], and what was found.

        Raises:
            ValueError: If the plane is too small or constant.
        """
        if min(y.shape[-2:]) < LEAST_PLANE:
            raise ValueError(f"a plane needs sides of {LEAST_PLANE} px or more, got {y.shape[-2]}x{y.shape[-1]}")
        blur, plane = self.identify(y)
        inner: Deconvolver = DouglasRachford(iterations=ITERATIONS) if isinstance(blur, LocalBlur) else TV()
        restorer = Tiled(inner, max(self.tile, 4 * self.family.size), progress=progress)
        with torch.inference_mode():
            image = restorer(y, blur, plane.sigma if sigma is None else sigma).image
        return image.clamp(0, 1), plane

    def identify(self, y: Tensor) -> tuple[Tensor | LocalBlur, Plane]:
        """The blur of a plane, to be undone, and what is known of it."""
        if isinstance(self.refiner, FieldRefiner):
            field = self.refiner(y)
            half = HALF90 * field.covariance.diagonal().sqrt()
            names = field.family.names
            places = field_places(grid_places(field.shape, (SHOWN, SHOWN)), field.shape)
            kernels = field.psf_at(places).unflatten(0, (SHOWN, SHOWN))
            told = _told(names, field.params, half)
            return field.operator(), Plane(kernels, told, field.sigma, field.turned)
        found = self.refiner(y)
        half = HALF90 * found.covariance[0].diagonal().sqrt()
        told = _told(self.family.names, found.params[0], half)
        return found.psf, Plane(found.psf[0, 0], told, float(found.sigma[0]), float(found.turned[0]))


def _told(names: tuple[str, ...], values: Tensor, half: Tensor) -> dict[str, tuple[float, float]]:
    return {name: (float(one), float(off)) for name, one, off in zip(names, values, half, strict=True)}
