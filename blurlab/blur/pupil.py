"""The pupil of a microscope's objective: where it lets light through, and what it does to the phase there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from blurlab.blur.shape import pixel_grid
from blurlab.blur.zernike_polynomial import zernike_polynomial
from blurlab.core.constants import made_once

LEAST_NM, LARGEST_NM = 100.0, 20_000.0
"""Wavelengths of light, from the far ultraviolet to the thermal infrared."""
LEAST_RADIUS = 3.0
"""Samples from the centre of the pupil to its edge: fewer do not show its shape."""


@dataclass(frozen=True)
class Optics:
    """An objective and a camera.

    Attributes:
        na: Numerical aperture of the objective.
        wavelength_nm: Wavelength of the light in vacuum, nanometres.
        pixel_nm: Side of a camera's pixel in the plane of the specimen (its own side over the magnification), nm.
        refractive_index: Of the medium between specimen and objective: 1 air, 1.33 water, 1.51 oil.

    Raises:
        ValueError: If the pixel size is missing, a value is in another unit or out of its range, the aperture is larger
            than the refractive index, or the pixels are too coarse for the aperture.

    Example:
        >>> round(Optics(na=1.41, wavelength_nm=540, pixel_nm=100, refractive_index=1.51).cutoff, 4)
        0.2611
    """

    na: float
    wavelength_nm: float
    pixel_nm: float | None
    refractive_index: float

    def __post_init__(self) -> None:
        if self.pixel_nm is None:
            raise ValueError("the pixel size is missing; give pixel_nm, the camera's pixel over the magnification")
        if not 1 <= self.refractive_index <= 4:
            raise ValueError(f"refractive_index must lie in 1 .. 4, got {self.refractive_index:g}; oil has 1.51")
        if not 0 < self.na <= self.refractive_index:
            raise ValueError(
                f"na must be above 0 and at most the refractive index {self.refractive_index:g}, got {self.na:g}"
            )
        for name, value, example in (("wavelength_nm", self.wavelength_nm, 520), ("pixel_nm", self.pixel_nm, 65)):
            high = LARGEST_NM if name == "wavelength_nm" else math.inf
            least = LEAST_NM if name == "wavelength_nm" else 1.0
            if not (math.isfinite(value) and least <= value <= high):
                unit = " metres" if 0 < value < 1e-3 else " micrometres" if 0 < value < least else ""
                raise ValueError(
                    f"{name} must be in nanometres, for instance {example}, got {value:g}"
                    + (f", which looks like{unit}" if unit else "")
                )
        if self.cutoff >= 0.5:
            raise ValueError(
                f"a pupil of {self.cutoff:.3g} cycles/px needs pixels below "
                f"{0.5 * self.wavelength_nm / self.na:.4g} nm, got pixel_nm={self.pixel_nm:g}"
            )

    @property
    def cutoff(self) -> float:
        """Radius of the pupil, ``na pixel / wavelength``, in cycles/px; the transfer function ends at twice this."""
        return self.na / self.wavelength_nm * float(self.pixel_nm or 0)

    @property
    def medium(self) -> float:
        """Radius of the sphere of waves in the medium, ``n pixel / wavelength``, in cycles/px."""
        return self.refractive_index / self.wavelength_nm * float(self.pixel_nm or 0)


@dataclass(frozen=True)
class Pupil:
    """Samples of a pupil on the square that holds it, and the sums that take it to the image plane.

    Attributes:
        inside: 1 where light passes (w, w), else 0.
        modes: Zernike polynomials (j, w * w), of unit root mean square on the disk, 0 outside.
        axial: ``sqrt(k^2 - |xi|^2)`` (w * w), in cycles/px; 0 outside.
        waves: ``exp(-2 i pi k p / R)`` (size, w): from sample k to pixel p, of either axis.
    """

    inside: Tensor
    modes: Tensor
    axial: Tensor
    waves: Tensor

    def to(self, like: Tensor) -> Pupil:
        """In the precision and on the device of a real tensor."""
        wide = torch.complex64 if like.dtype == torch.float32 else torch.complex128
        return Pupil(self.inside.to(like), self.modes.to(like), self.axial.to(like), self.waves.to(like.device, wide))


@made_once
def pupil(optics: Optics, modes: tuple[tuple[int, int], ...], size: int, samples: int) -> Pupil:
    """The pupil sampled ``samples`` times over [-1/2, 1/2] cycles/px along each axis, both ends included.

    That is the published grid [DebarnotWeiss2024]. The discrete transform takes its spacing ``1 / (R - 1)`` for
    ``1 / R``, so that the pupil is narrower by the factor ``(R - 1) / R`` than the optics say: 3 % for R = 31, 0.4 %
    for R = 256.

    Args:
        optics: The objective.
        modes: Radial order and azimuthal frequency of each polynomial.
        size: Side of the kernels, odd.
        samples: R, at least ``size``.

    Raises:
        ValueError: If the pupil has too few samples.
    """
    if samples < size:
        raise ValueError(f"the pupil needs as many samples as the kernel has pixels or more, got {samples} for {size}")
    if optics.cutoff * (samples - 1) < LEAST_RADIUS:
        least = math.ceil(LEAST_RADIUS / optics.cutoff) + 1
        raise ValueError(f"a pupil of {optics.cutoff:.3g} cycles/px is too small on {samples} samples; use {least}")
    step = torch.arange(samples, dtype=torch.float64) - (samples - 1) / 2
    step = step[step.abs() <= optics.cutoff * (samples - 1)]
    across = step / (samples - 1)
    up = -across[:, None]  # rows go down
    rho = (across**2 + up**2).sqrt()
    inside = (rho <= optics.cutoff).double()
    theta = torch.atan2(up.expand_as(rho), across.expand_as(rho))
    each = [(zernike_polynomial(n, m, rho / optics.cutoff, theta) * inside).flatten() for n, m in modes]
    axial = (optics.medium**2 - rho**2).clamp_min(0).sqrt() * inside
    phase = -2 * torch.pi / samples * pixel_grid(size, step)[:, None] * step
    waves = torch.polar(torch.ones_like(phase), phase)
    return Pupil(inside, torch.stack(each) if each else inside.new_zeros(0, inside.numel()), axial.flatten(), waves)


def amplitude(found: Pupil, phase_waves: Tensor) -> Tensor:
    """The field in the image plane (..., size, size), complex, of a phase in waves over the pupil (..., w * w)."""
    turn = phase_waves.unflatten(-1, tuple(found.inside.shape)) * (-2 * torch.pi)
    field = torch.complex(turn.cos() * found.inside, turn.sin() * found.inside)
    return found.waves @ field @ found.waves.mT
