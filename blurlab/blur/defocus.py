"""Defocus: a uniform disk."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.blur.base import check_params
from blurlab.blur.parameter import Range, length
from blurlab.blur.shape import pixel_grid
from blurlab.blur.strength import OneParameterStrength
from blurlab.blur.values import as_psf, check_values, work_tensor


def disk_psf(radius_px: Tensor, size: int) -> Tensor:
    """Uniform disk, each pixel the exact area of its intersection with the circle over pi r^2.

    A disk of radius <= 0.5 lies inside the centre pixel and is the identity.

    Args:
        radius_px: Radii in pixels (n,), >= 0, at most size / 2.
        size: Side of the kernels, odd.

    Returns:
        Kernels (n, 1, size, size); the gradient in the radius is finite everywhere.

    Raises:
        ValueError: If a radius is negative, not finite or too large, or the size is even.

    Example:
        >>> disk_psf(torch.tensor([1.0]), 3)[0, 0]
        tensor([[0.0251, 0.1453, 0.0251],
                [0.1453, 0.3183, 0.1453],
                [0.0251, 0.1453, 0.0251]])
    """
    check_values(size, 2 * radius_px, {"radius_px": radius_px})
    radius = work_tensor(radius_px).clamp_min(0.25)  # at most 0.5 is the identity, and 0 would divide
    quadrant = _quadrant_area(radius, size // 2 + 1)
    fold = pixel_grid(size, radius).abs().long()
    return as_psf(quadrant[:, fold][:, :, fold], radius_px.dtype)


def _quadrant_area(radius: Tensor, count: int) -> Tensor:
    """Area (n, count, count) that a circle around the corner pixel's centre shares with the pixels of a quadrant.

    Over a pixel of [x0, x1] x [y0, y1], x0, y0 >= 0, the area is the integral of clamp(sqrt(r^2 - u^2), y0, y1) - y0
    over u in [x0, x1]. With u = r sin(phi) it is in closed form between the angles at which the arc leaves y1 and y0.
    Pixels on an axis are halved by it, and counted twice.
    """
    r = radius[:, None, None]
    index = torch.arange(count, dtype=radius.dtype, device=radius.device)
    near, far = (index - 0.5).clamp_min(0), index + 0.5
    x0, y0 = near, near[:, None]
    high = (far - near)[:, None]
    start, stop = _asin(x0 / r), _asin(far / r)
    at_top = _acos(far[:, None] / r).clamp(start, stop)
    at_base = _acos(y0 / r).clamp(start, stop)
    left_of_top = r * at_top.sin() - torch.minimum(x0, r)
    under_arc = r**2 * (_half_angle_integral(at_base) - _half_angle_integral(at_top))
    area = high * left_of_top + under_arc - y0 * r * (at_base.sin() - at_top.sin())
    twice = torch.where(index == 0, 2.0, 1.0)
    inside = x0**2 + y0**2 < r**2
    return torch.where(inside, area, torch.zeros_like(area)).clamp_min(0) * twice * twice[:, None]


def _half_angle_integral(phi: Tensor) -> Tensor:
    return (phi + phi.sin() * phi.cos()) / 2


def _asin(sine: Tensor) -> Tensor:
    """asin, pi / 2 with no gradient from 1 on. Nothing is lost: the area is stationary in the angles of its pieces."""
    top = 1 - 4 * torch.finfo(sine.dtype).eps
    return torch.where(sine < top, torch.asin(sine.clamp_max(top)), torch.full_like(sine, torch.pi / 2))


def _acos(cosine: Tensor) -> Tensor:
    return torch.pi / 2 - _asin(cosine)


class Defocus(OneParameterStrength):
    """Uniform disks (:func:`disk_psf`); the strength is the diameter.

    Args:
        radius_px: Range of the radius.
        size: Side of the kernels.

    Example:
        >>> family = Defocus(radius_px=[0.5, 5])
        >>> family.size, family.strength_px(torch.tensor([[2.5]]))
        (11, tensor([5.]))
    """

    kinds = ("defocus",)
    strength_name = "radius_px"
    strength_scale = 2.0

    def __init__(self, radius_px: Range = (0.5, 5.0), size: int | None = None) -> None:
        super().__init__([length("radius_px", radius_px)], size)

    def extent_px(self, *largest: float) -> float:
        return 2 * largest[0]

    def psf(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        check_params(params, self.names)
        return disk_psf(params[:, 0], self.size)
