"""A plane of a microscope's image: its aberrations found, all over it or place by place, and undone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from blurlab.blur import Zernike, ZernikeField, field_places, identity_psf
from blurlab.blur.pupil import LEAST_RADIUS, Optics
from blurlab.core.constants import MAD_OF_NORMAL
from blurlab.deconvolver import TV, Deconvolver, DouglasRachford, Tiled
from blurlab.likelihood import FieldRefiner, Microscopes, OrientedRefiner
from blurlab.physics import LocalBlur, grid_places
from blurlab.pipeline.aberrations import HALF90, Aberrations, at_noise

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
ROOM, BELOW = 4.0, 0.25
"""A restored plane may reach from -1 to 3 times the range of the observed one: what was blurred was higher. A plane is
divided by the one, and the other is added, before it is restored."""
CUT, SATURATED = 0.2, 0.01
"""Share of pixels that are exactly the least or the largest value, from which on a plane's blur is not told."""
HOT, TIMES = 12.0, 2.0
"""A pixel that lies above or below all of its eight neighbours by so many deviations of the noise, and is so many times
as bright or as dark, is no light."""


@dataclass(frozen=True)
class Plane:
    """What was found in one plane.

    Attributes:
        kernels: (k, k), or of a field (SHOWN, SHOWN, k, k): those of places evenly spread, the outermost on the border.
        parameters: Name -> value and half of its 90 % interval, in waves of root mean square.
        sigma: Noise standard deviation, on the plane's scale.
        turned: Probability that the kernel lies the other way round.
        doubt: Why nothing is told of this plane, which then stays as it is; empty where something is.
    """

    kernels: Tensor
    parameters: dict[str, tuple[float, float]]
    sigma: float
    turned: float
    doubt: str = ""


class Microscope:
    """Finds the aberrations of an objective in each plane by itself, and undoes them by total variation.

    Args:
        na: Numerical aperture.
        wavelength_nm: Wavelength of the light in vacuum, nm.
        pixel_nm: Side of a pixel in the plane of the specimen, nm.
        refractive_index: Of the medium before the objective.
        by_tiles: Look for a field, whose defocus and coma grow from the centre; otherwise for one kernel.
        tile: Side of the tiles in which a large plane is restored, px.
        waves: Largest magnitude of the coefficients, in waves of root mean square.
        indices: Noll's indices of the polynomials.
        fit: Makes what finds the coefficients; the likelihood without a network if None.

    Raises:
        ValueError: If the optics or the polynomials are wrong.

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
        waves: float = WAVES,
        indices: Sequence[int] = INDICES,
        fit: Callable[[Zernike], Aberrations] | None = None,
    ) -> None:
        cutoff = Optics(na, wavelength_nm, pixel_nm, refractive_index).cutoff
        samples = max(LEAST_SAMPLES, math.ceil(LEAST_RADIUS / cutoff) + 1)
        side = min(max(LEAST_SIDE, math.ceil(WIDTH / cutoff) // 2 * 2 + 1), MOST_SIDE)
        self.family = Zernike(
            waves, indices, na=na, wavelength_nm=wavelength_nm, pixel_nm=pixel_nm, refractive_index=refractive_index,
            size=side, samples=max(samples, side),
        )  # fmt: skip
        self.tile = tile
        likelihood = partial(OrientedRefiner, others=[Microscopes()])
        self.asked = Aberrations(self.family, fit=likelihood) if fit is None else fit(self.family)
        assert self.asked.refiner is not None
        self.whole = self.asked.refiner
        self.field = FieldRefiner(ZernikeField(self.family), self.whole) if by_tiles else None

    def __call__(
        self, y: Tensor, sigma: float | None = None, progress: Callable[[float], None] | None = None
    ) -> tuple[Tensor, Plane]:
        """Restore a plane.

        Args:
            y: (1, 1, H, W) in [0, 1], 64 px a side or more.
            sigma: Noise standard deviation to restore with; that found if None.
            progress: Called with the share that is done.

        Returns:
            The restored plane (1, 1, H, W), which may leave [0, 1] since a blur lowers what is bright, and what was
            found. A plane of which nothing can be told comes back as it is, with the reason.

        Raises:
            ValueError: If the plane is too small.
        """
        if min(y.shape[-2:]) < LEAST_PLANE:
            raise ValueError(f"a plane needs sides of {LEAST_PLANE} px or more, got {y.shape[-2]}x{y.shape[-1]}")
        doubt = doubt_of(y)
        if doubt:
            return y, self.nothing(doubt)
        blur, plane = self.identify(y)
        inner: Deconvolver = DouglasRachford(iterations=ITERATIONS) if isinstance(blur, LocalBlur) else TV()
        restorer = Tiled(inner, max(self.tile, 4 * self.family.size), progress=progress)
        with torch.inference_mode():
            image = restorer(y / ROOM + BELOW, blur, (plane.sigma if sigma is None else sigma) / ROOM).image
        return ROOM * (image - BELOW), plane

    def nothing(self, doubt: str) -> Plane:
        """What is said of a plane of which nothing is told."""
        kernel = identity_psf(1, self.family.size)[0, 0]
        return Plane(kernel if self.field is None else kernel.expand(SHOWN, SHOWN, -1, -1), {}, 0.0, 0.0, doubt)

    def identify(self, y: Tensor) -> tuple[Tensor | LocalBlur, Plane]:
        """The blur of a plane, to be undone, and what is known of it."""
        if self.field is not None:
            field = self.field(y)
            half = HALF90 * field.covariance.diagonal().sqrt()
            names = field.family.names
            places = field_places(grid_places(field.shape, (SHOWN, SHOWN)), field.shape)
            kernels = field.psf_at(places).unflatten(0, (SHOWN, SHOWN))
            told = _told(names, field.params, half)
            return field.operator(), Plane(kernels, told, field.sigma, field.turned)
        found = self.whole(y)
        half = HALF90 * found.covariance[0].diagonal().sqrt()
        if self.asked.widen:
            half = half * at_noise(self.asked.widen, found)
        told = _told(self.family.names, found.params[0], half)
        return found.psf, Plane(found.psf[0, 0], told, float(found.sigma[0]), float(found.turned[0]))


def doubt_of(y: Tensor) -> str:
    """Why a plane (1, 1, H, W) does not tell its blur: it is constant, cut off below, or saturated; else nothing.

    Example:
        >>> doubt_of(torch.zeros(1, 1, 64, 64)), doubt_of(torch.rand(1, 1, 64, 64).sub(0.5).clamp_min(0))[5:]
        ('it is constant', '% of its pixels have exactly its least value: was a background taken away?')
    """
    least, most = y.min(), y.max()
    if not bool(most > least):
        return "it is constant"
    cut, full = (float((y == end).float().mean()) for end in (least, most))
    if cut > CUT:
        return f"{100 * cut:.1f} % of its pixels have exactly its least value: was a background taken away?"
    if full > SATURATED:
        return f"{100 * full:.1f} % of its pixels have exactly its largest value: are they saturated?"
    return ""


def without_hot_pixels(y: Tensor) -> tuple[Tensor, Tensor]:
    """A plane (1, 1, H, W) whose hot and dead pixels have their neighbours' median, and which they were (1, 1, H, W).

    Light that came through an objective is never one pixel wide.

    Example:
        >>> y = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
        >>> y[0, 0, 5, 6] = 40.0
        >>> clean, hot = without_hot_pixels(y)
        >>> hot.nonzero()[:, 2:].tolist(), bool(clean.max() <= 1)
        ([[5, 6]], True)
    """
    padded = torch.nn.functional.pad(y, (1, 1, 1, 1), mode="reflect")
    height, width = y.shape[-2:]
    around = torch.cat([
        padded[..., row : row + height, col : col + width]
        for row in range(3) for col in range(3) if (row, col) != (1, 1)
    ], 1)  # fmt: skip
    middle = around.median(1, keepdim=True).values
    noise = (y - middle).abs().median() / MAD_OF_NORMAL
    least, (low, high) = middle.min(), torch.aminmax(around, dim=1, keepdim=True)
    bright = (y - high > HOT * noise) & (y - least > TIMES * (high - least))
    dark = (low - y > HOT * noise) & (low - least > TIMES * (y - least))
    hot = (bright | dark) & (noise > 0)
    return torch.where(hot, middle, y), hot


def _told(names: tuple[str, ...], values: Tensor, half: Tensor) -> dict[str, tuple[float, float]]:
    return {name: (float(one), float(off)) for name, one, off in zip(names, values, half, strict=True)}
