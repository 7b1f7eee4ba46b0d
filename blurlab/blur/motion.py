"""Motion: a uniform straight line."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.blur.base import check_params
from blurlab.blur.parameter import Range, length, line_angle
from blurlab.blur.shape import pixel_grid
from blurlab.blur.strength import OneParameterStrength
from blurlab.blur.values import as_psf, check_values, work_tensor

ANGLE_FROM_PX = 6.0
"""Length from which a line has an angle that can be told."""


def motion_psf(length_px: Tensor, angle_deg: Tensor, size: int) -> Tensor:
    """Uniform line segment around the centre, each pixel the exact length of line inside it over the whole length.

    A line no longer than the way across the centre pixel is the identity.

    Args:
        length_px: Lengths in pixels (n,), >= 0, at most ``size``.
        angle_deg: Angles in degrees (n,), counter-clockwise from +x as seen with rows going down.
        size: Side of the kernels, odd.

    Returns:
        Kernels (n, 1, size, size), differentiable in length and angle.

    Raises:
        ValueError: If a length is negative or too large, a value is not finite, or the size is even.

    Example:
        >>> motion_psf(torch.tensor([4.0]), torch.tensor([0.0]), 5)[0, 0, 2]
        tensor([0.1250, 0.2500, 0.2500, 0.2500, 0.1250])
    """
    check_values(size, length_px, {"length_px": length_px}, signed={"angle_deg": angle_deg})
    length, angle = work_tensor(length_px), torch.deg2rad(work_tensor(angle_deg))
    enter_x, leave_x = _crossing(length * angle.cos(), size)
    enter_y, leave_y = _crossing(-length * angle.sin(), size)
    enter = torch.maximum(enter_x[:, None, :], enter_y[:, :, None]).clamp_min(-0.5)
    leave = torch.minimum(leave_x[:, None, :], leave_y[:, :, None]).clamp_max(0.5)
    return as_psf((leave - enter).clamp_min(0), length_px.dtype)


def _crossing(run: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Where t * run enters and leaves each column of pixels as t grows, (n, size) each; run (n,)."""
    pixel = torch.where(run < 0, -1.0, 1.0)[:, None] * pixel_grid(size, run)
    speed = run.abs().clamp_min(1e-9)[:, None]  # stays in its column for every t in [-1/2, 1/2]
    return (pixel - 0.5) / speed, (pixel + 0.5) / speed


class Motion(OneParameterStrength):
    """Uniform lines (:func:`motion_psf`); the strength is the length.

    Args:
        length_px: Range of the length.
        angle_deg: Range of the angle, counter-clockwise from +x.
        size: Side of the kernels.

    Example:
        >>> family = Motion(length_px=[1, 10], angle_deg=[0, 90])
        >>> family.size, family.at_strength(torch.tensor([4.0]))
        (11, tensor([[ 4., 45.]]))
    """

    kinds = ("motion",)
    strength_name = "length_px"

    def __init__(
        self, length_px: Range = (1.0, 10.0), angle_deg: Range = (0.0, 180.0), size: int | None = None
    ) -> None:
        super().__init__([length("length_px", length_px), line_angle("angle_deg", angle_deg)], size)

    def extent_px(self, *largest: float) -> float:
        return largest[0]

    def psf(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        check_params(params, self.names)
        return motion_psf(params[:, 0], params[:, 1], self.size)

    def measurable(self, params: Tensor) -> Tensor:
        """All but the angle of a line shorter than ``ANGLE_FROM_PX``, which hardly has one."""
        known = super().measurable(params)
        known[:, 1] &= params[:, 0] >= ANGLE_FROM_PX
        return known
