"""Gaussian blur, round and elliptic."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from blurlab.blur.base import check_params
from blurlab.blur.parameter import Range, length, line_angle
from blurlab.blur.shape import pixel_grid
from blurlab.blur.strength import OneParameterStrength, StrengthFamily
from blurlab.blur.values import as_psf, check_values, work_tensor

TAIL_SIGMAS = 4.0
SIGMA_FLOOR_PX = 0.02  # already the identity in float64
ANGLE_FROM_ELONGATION = 1.5
"""Longer sigma over the shorter one from which an ellipse has an angle that can be told."""
SAME_ANGLE_DEG = 1e-3
"""Angles that differ by less are the same but for rounding."""


def gaussian_psf(sigma_px: Tensor, size: int) -> Tensor:
    """Round Gaussian integrated exactly over each pixel; what lies outside the kernel is cut and the rest renormalised.

    Args:
        sigma_px: Standard deviations in pixels (n,), >= 0; 0 is the identity.
        size: Side of the kernels, odd.

    Returns:
        Kernels (n, 1, size, size), differentiable in sigma.

    Raises:
        ValueError: If a sigma is negative or not finite, or the size is even.

    Example:
        >>> gaussian_psf(torch.tensor([0.5]), 3)[0, 0]
        tensor([[0.0249, 0.1080, 0.0249],
                [0.1080, 0.4686, 0.1080],
                [0.0249, 0.1080, 0.0249]])
    """
    check_values(size, None, {"sigma_px": sigma_px})
    mass = _pixel_mass(work_tensor(sigma_px).clamp_min(SIGMA_FLOOR_PX), size)
    return as_psf(mass[:, :, None] * mass[:, None, :], sigma_px.dtype)


def anisotropic_gaussian_psf(
    sigma_x_px: Tensor, sigma_y_px: Tensor, angle_deg: Tensor, size: int, nodes: int = 8
) -> Tensor:
    """Elliptic Gaussian integrated over each pixel; what lies outside is cut and the rest renormalised.

    The mass of a row of pixels is exact (erf), its shares among the row's pixels too where the axes lie along the
    grid or the sigmas are equal. Otherwise they are exact across the row and integrated down it by Gauss-Legendre
    quadrature: with 8 nodes no pixel is off by more than 2e-9 for sigmas >= 0.3 px, 1e-6 for sigmas >= 0.2 px and
    3e-5 for sigmas >= 0.15 px; a slanted ellipse thinner than that needs more nodes.

    Args:
        sigma_x_px: Standard deviation along the first axis in pixels (n,), >= 0.
        sigma_y_px: Standard deviation along the second axis (n,), >= 0.
        angle_deg: Angle of the first axis in degrees (n,), counter-clockwise from +x.
        size: Side of the kernels, odd.
        nodes: Quadrature nodes in a pixel.

    Returns:
        Kernels (n, 1, size, size), differentiable in all three.

    Raises:
        ValueError: If a sigma is negative, a value is not finite, or the size is even.

    Example:
        >>> anisotropic_gaussian_psf(*torch.tensor([[0.5], [1.0], [90.0]]), 3)[0, 0]
        tensor([[0.0440, 0.0697, 0.0440],
                [0.1910, 0.3026, 0.1910],
                [0.0440, 0.0697, 0.0440]])
    """
    check_values(size, None, {"sigma_x_px": sigma_x_px, "sigma_y_px": sigma_y_px}, signed={"angle_deg": angle_deg})
    var_x, var_y = (work_tensor(s).clamp_min(SIGMA_FLOOR_PX) ** 2 for s in (sigma_x_px, sigma_y_px))
    angle = torch.deg2rad(work_tensor(angle_deg))
    var_row = var_x * angle.sin() ** 2 + var_y * angle.cos() ** 2
    covariance = (var_y - var_x) * angle.sin() * angle.cos()  # rows go down
    given_row = (var_x * var_y / var_row).sqrt()
    return covariance_psf(var_row, covariance, given_row, size, sigma_x_px.dtype, nodes)


def covariance_psf(
    var_row: Tensor, covariance: Tensor, given_row: Tensor, size: int, dtype: torch.dtype, nodes: int = 8
) -> Tensor:
    """Gaussian of this covariance, as :func:`anisotropic_gaussian_psf` integrates it.

    Args:
        var_row: Variance along the rows' direction, downwards, in px^2 (n,), > 0.
        covariance: Of row and column (n,).
        given_row: Standard deviation of the column where the row is known (n,), > 0.
        size: Side of the kernels, odd.
        dtype: Of the kernels.
        nodes: Quadrature nodes in a pixel.

    Returns:
        Kernels (n, 1, size, size).
    """
    given_row = given_row[:, None, None]
    at, weight = _legendre(nodes, var_row)
    row = pixel_grid(size, var_row)[: size // 2 + 1, None] + at  # the upper half; the lower is its mirror image
    mean = (covariance / var_row)[:, None] * row.flatten()
    density = (weight.log() - row**2 / (2 * var_row[:, None, None])).softmax(-1)
    in_row = _pixel_mass(var_row.sqrt(), size)[:, : size // 2 + 1]
    coarse = torch.promote_types(dtype, torch.float32)  # a share is at most 1: float32 will do for float32
    mean, given_row, density, edge = (x.to(coarse) for x in (mean, given_row, density, _edges(size, var_row)))
    cumulative = torch.erf((edge - mean[:, :, None]) / (math.sqrt(2) * given_row))
    share = cumulative.diff(dim=-1).clamp_min(0).unflatten(1, tuple(row.shape)) / 2
    upper = in_row[:, :, None] * (density[..., None] * share).sum(2)
    return as_psf(torch.cat([upper, upper[:, :-1].flip(1, 2)], dim=1), dtype)


def _edges(size: int, like: Tensor) -> Tensor:
    return torch.arange(size + 1, dtype=like.dtype, device=like.device) - size / 2


def _pixel_mass(sigma: Tensor, size: int) -> Tensor:
    """Mass of a 1-D Gaussian in each pixel, (n, size)."""
    return torch.erf(_edges(size, sigma) / (math.sqrt(2) * sigma[:, None])).diff(dim=-1) / 2


def _legendre(nodes: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Nodes and weights on [-1/2, 1/2], from the eigenvectors of the Jacobi matrix."""
    k = torch.arange(1, nodes, dtype=torch.float64)
    beside = k / torch.sqrt(4 * k**2 - 1)
    at, vectors = torch.linalg.eigh(torch.diag(beside, 1) + torch.diag(beside, -1))
    return (at / 2).to(like), (vectors[0] ** 2).to(like)


class Gaussian(OneParameterStrength):
    """Round Gaussians (:func:`gaussian_psf`); the strength is sigma. The kernel holds 4 sigma on each side.

    Args:
        sigma_px: Range of the standard deviation.
        size: Side of the kernels; a smaller one than the default cuts more of the tail.
    """

    kinds = ("gaussian",)
    strength_name = "sigma_px"
    may_cut = True
    has_zeros = False

    def __init__(self, sigma_px: Range = (0.3, 2.5), size: int | None = None) -> None:
        super().__init__([length("sigma_px", sigma_px)], size)

    def extent_px(self, *largest: float) -> float:
        return 2 * TAIL_SIGMAS * largest[0]

    def psf(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        check_params(params, self.names)
        return gaussian_psf(params[:, 0], self.size)


class AnisotropicGaussian(StrengthFamily):
    """Elliptic Gaussians (:func:`anisotropic_gaussian_psf`).

    The strength is the geometric mean of the two sigmas; at a strength, both sigmas equal it. Exchanging the sigmas and
    turning by 90 degrees leaves the kernel as it is: where the ranges hold both descriptions, the family draws and
    estimates the one whose first sigma is the larger.

    Args:
        sigma_x_px: Range of the standard deviation along the first axis.
        sigma_y_px: Range of that along the second.
        angle_deg: Range of the angle of the first axis, counter-clockwise from +x.
        size: Side of the kernels; a smaller one than the default cuts more of the tail.
    """

    kinds = ("gaussian_anisotropic",)
    may_cut = True
    has_zeros = False

    def __init__(
        self,
        sigma_x_px: Range = (0.3, 2.5),
        sigma_y_px: Range = (0.3, 2.5),
        angle_deg: Range = (0.0, 180.0),
        size: int | None = None,
    ) -> None:
        axes = [length("sigma_x_px", sigma_x_px), length("sigma_y_px", sigma_y_px)]
        super().__init__([*axes, line_angle("angle_deg", angle_deg)], size)

    def extent_px(self, *largest: float) -> float:
        return 2 * TAIL_SIGMAS * max(largest[:2])

    def psf(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        check_params(params, self.names)
        return anisotropic_gaussian_psf(params[:, 0], params[:, 1], params[:, 2], self.size)

    def draw(self, n: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        kind, params = super().draw(n, generator=generator)
        return kind, self.within(params)

    def within(self, params: Tensor) -> Tensor:
        kept = super().within(params)
        sigma_x, sigma_y, angle = kept.unbind(1)
        turned = torch.stack([sigma_y, sigma_x, angle + 90], 1)
        other = super().within(turned)
        off = self.parameters[2].apart(other[:, 2], turned[:, 2]).abs()
        is_held = (other[:, :2] == turned[:, :2]).all(1) & (off < SAME_ANGLE_DEG)
        return torch.where((is_held & (sigma_x < sigma_y))[:, None], other, kept)

    def measurable(self, params: Tensor) -> Tensor:
        """All but the angle of an ellipse less elongated than ``ANGLE_FROM_ELONGATION``."""
        known = super().measurable(params)
        sigmas = params[:, :2]
        known[:, 2] &= sigmas.amax(1) >= ANGLE_FROM_ELONGATION * sigmas.amin(1)
        return known

    def strength_px(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        check_params(params, self.names)
        return (params[:, 0] * params[:, 1]).sqrt()

    def at_strength(self, strength_px: Tensor, kind: Tensor | int = 0) -> Tensor:
        angle = torch.full_like(strength_px, self.parameters[2].middle)
        return torch.stack([strength_px, strength_px, angle], dim=1)

    def with_strength(self, params: Tensor, strength_px: Tensor, kind: Tensor | int = 0) -> Tensor:
        """The same ellipses, enlarged or reduced; a round one where there was no blur."""
        before = self.strength_px(params)
        factor = (strength_px.to(params) / before)[:, None]
        sigmas = torch.where(before[:, None] > 0, params[:, :2] * factor, strength_px.to(params)[:, None])
        return torch.cat([sigmas, params[:, 2:]], dim=1)
