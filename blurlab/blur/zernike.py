"""Diffraction blur of an objective whose aberrations are a few Zernike polynomials [DebarnotWeiss2024]."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from blurlab.blur.base import BlurFamily, check_params
from blurlab.blur.parameter import Parameter
from blurlab.blur.pupil import Optics, amplitude, pupil
from blurlab.blur.values import as_psf, work_tensor
from blurlab.blur.zernike_polynomial import ORDERS

Modes = tuple[tuple[int, int], ...]
AT_ONCE = 32
"""Kernels that are made at once: what lies between then stays in the cache."""
AIRY_RINGS = 2.23
"""Radius of the third dark ring of a perfect lens times its cut-off: beyond lies 6 % of the light."""


def zernike_psf(waves: Tensor, modes: Modes, optics: Optics, size: int, samples: int | None = None) -> Tensor:
    """Kernels of a pupil with this phase: ``h = |F P|^2``, ``P = 1{|xi| <= f_c} exp(-2 i pi sum_j c_j Z_j(xi / f_c))``.

    To turn the sign of all polynomials of even order n leaves the kernel as it is; to turn those of odd order, or all,
    turns it by half a circle.

    Args:
        waves: Coefficients (n, j), in waves of root mean square over the pupil.
        modes: Radial order and azimuthal frequency of the j polynomials.
        optics: The objective.
        size: Side of the kernels, odd; what lies outside is cut and the rest renormalised.
        samples: Samples R of the pupil along an axis; None for ``size``, as published: what would lie outside the
            kernel then comes back in at the opposite edge.

    Returns:
        Kernels (n, 1, size, size), differentiable in the coefficients.

    Raises:
        ValueError: If a coefficient is not finite, or their number is not that of the modes.

    Example:
        >>> lens = Optics(na=1.41, wavelength_nm=540, pixel_nm=100, refractive_index=1.51)
        >>> psf = zernike_psf(torch.tensor([[0.1, 0.1]]), ((2, 0), (3, 1)), lens, 31)
        >>> turned = zernike_psf(torch.tensor([[-0.1, 0.1]]), ((2, 0), (3, 1)), lens, 31)
        >>> psf.shape, bool((psf - turned).abs().max() < 1e-7)
        (torch.Size([1, 1, 31, 31]), True)
    """
    _check_waves(waves, modes)
    wide = work_tensor(waves)
    found = pupil(optics, modes, size, samples or size).to(wide)
    each = [_power(amplitude(found, some @ found.modes)) for some in wide.split(AT_ONCE)]
    return as_psf(torch.cat(each) if len(each) > 1 else each[0], waves.dtype)


def zernike_stack(
    waves: Tensor, modes: Modes, optics: Optics, depth_nm: Sequence[float], size: int, samples: int = 256
) -> Tensor:
    """A stack of kernels for a point out of focus by each of several depths, of sum 1 over the whole stack.

    The pupil of :func:`zernike_psf` is multiplied by ``exp(-2 i pi z sqrt((n / lambda)^2 - |xi|^2))``.

    Args:
        waves: Coefficients (n, j).
        modes: Radial order and azimuthal frequency of the j polynomials.
        optics: The objective.
        depth_nm: Depths z of the planes, nm.
        size: Side of the kernels, odd.
        samples: Samples of the pupil along an axis; a plane far from focus is wide, and needs many.

    Returns:
        (n, planes, size, size), differentiable in the coefficients.

    Raises:
        ValueError: If a value is not finite, or there is no plane.
    """
    _check_waves(waves, modes)
    if not depth_nm or not all(math.isfinite(z) for z in depth_nm):
        raise ValueError(f"depth_nm must be one finite depth or more, got {list(depth_nm)}")
    wide = work_tensor(waves)
    found = pupil(optics, modes, size, samples).to(wide)
    depth = wide.new_tensor([z / float(optics.pixel_nm or 1) for z in depth_nm])
    phase = (wide @ found.modes)[:, None] + depth[:, None] * found.axial
    power = _power(amplitude(found, phase))
    return (power / power.sum((1, 2, 3), keepdim=True)).to(waves.dtype)


def _power(field: Tensor) -> Tensor:
    return field.real.square() + field.imag.square()


def _check_waves(waves: Tensor, modes: Modes) -> None:
    if not isinstance(waves, Tensor) or not waves.is_floating_point() or waves.ndim != 2:
        raise ValueError(f"waves must be a floating-point tensor (n, {len(modes)}), got {type(waves).__name__}")
    if waves.shape[1] != len(modes):
        raise ValueError(f"waves must be (n, {len(modes)}), a column for each polynomial, got {tuple(waves.shape)}")
    if not bool(torch.isfinite(waves.detach()).all()):
        raise ValueError("the coefficients of Zernike polynomials must be finite")


class Zernike(BlurFamily):
    """Kernels of :func:`zernike_psf`, their coefficients uniform over a range on both sides of 0.

    Every kernel has two descriptions, the signs of the polynomials of even order turned or not. The family draws and
    estimates the one whose first polynomial of even order, which is defocus where the list has it, is not negative.

    Args:
        waves: Largest magnitude of the coefficients, in waves of root mean square; one for all or one for each.
        indices: Numbers of the polynomials.
        order: How they are counted, ``noll`` or ``osa``.
        na: Numerical aperture.
        wavelength_nm: Wavelength in vacuum, nm.
        pixel_nm: Side of a pixel in the plane of the specimen, nm; there is no default, it is the microscope's.
        refractive_index: Of the medium before the objective.
        size: Side of the kernels, odd.
        samples: Samples of the pupil along an axis, at least ``size``; None for ``size``, as published.

    Raises:
        ValueError: If an index is unknown or named twice, the magnitudes do not fit the list, or the optics are wrong.

    Example:
        >>> family = Zernike(pixel_nm=100)
        >>> family.names[:2], family.bounds[:2], family.size
        (('noll4_waves', 'noll5_waves'), ((0.0, 0.15), (-0.15, 0.15)), 31)
    """

    kinds = ("zernike",)
    symmetric = False
    may_cut = True

    def __init__(
        self,
        waves: float | Sequence[float] = 0.15,
        indices: Sequence[int] = (4, 5, 6, 7, 8, 9, 10),
        order: str = "noll",
        *,
        na: float = 1.41,
        wavelength_nm: float = 540.0,
        pixel_nm: float | None = None,
        refractive_index: float = 1.51,
        size: int = 31,
        samples: int | None = None,
    ) -> None:
        if order not in ORDERS:
            raise ValueError(f"order must be one of {', '.join(ORDERS)}, got {order!r}")
        if not indices or len({*indices}) < len(indices):
            raise ValueError(f"indices must be one or more numbers, each once, got {list(indices)}")
        self.optics = Optics(na, wavelength_nm, pixel_nm, refractive_index)
        self.modes: Modes = tuple(ORDERS[order](index) for index in indices)
        self.even = [place for place, (n, _) in enumerate(self.modes) if n % 2 == 0]
        largest = [float(waves)] * len(indices) if isinstance(waves, int | float) else [float(one) for one in waves]
        if len(largest) != len(indices) or not all(math.isfinite(one) and one >= 0 for one in largest):
            raise ValueError(
                f"waves must be a magnitude >= 0, or one for each of {len(indices)} polynomials, got {waves}"
            )
        low = [0.0 if place in self.even[:1] else -one for place, one in enumerate(largest)]
        names = [f"{order}{index}_waves" for index in indices]
        ranges = zip(names, low, largest, strict=True)
        self.samples = samples
        super().__init__([Parameter(name, "waves", a, b, signed=True) for name, a, b in ranges], size)
        pupil(self.optics, self.modes, self.size, self.samples or self.size)

    def extent_px(self, *largest: float) -> float:
        """Width of a perfect lens's kernel to its third dark ring, and twice the rays' largest departure from it.

        A ray departs by the slope of the phase over the pupil, at most ``c_j N_j n^2 / f_c`` at its edge.
        """
        terms = zip(largest, self.modes, strict=True)
        rays = sum(abs(one) * math.sqrt((1 if m == 0 else 2) * (n + 1)) * n**2 for one, (n, m) in terms)
        return 2 * (AIRY_RINGS / 2 + rays) / self.optics.cutoff

    def psf(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        check_params(params, self.names)
        return zernike_psf(params, self.modes, self.optics, self.size, self.samples)

    def within(self, params: Tensor) -> Tensor:
        """Into the ranges, after the signs of the polynomials of even order are turned where their first is negative.

        That leaves the kernel as it is.
        """
        check_params(params, self.names)
        if not self.even:
            return super().within(params)
        turned = params.clone()
        turned[:, self.even] = torch.where(params[:, self.even[:1]] < 0, -params[:, self.even], params[:, self.even])
        return super().within(turned)

    def reversed(self, params: Tensor) -> Tensor:
        """Parameters (n, P) of the kernels turned by half a circle: the signs of odd orders are turned."""
        check_params(params, self.names)
        return params * params.new_tensor([-1.0 if n % 2 else 1.0 for n, _ in self.modes])

    def scaled(self, params: Tensor, factor: float) -> Tensor:
        """The coefficients as they are: what changes with an image's size is the pixel, which the family fixes.

        Raises:
            ValueError: If the factor is not 1.
        """
        check_params(params, self.names)
        if factor != 1:
            raise ValueError("an image of a microscope cannot be resized here; give the family another pixel_nm")
        return params.clone()
