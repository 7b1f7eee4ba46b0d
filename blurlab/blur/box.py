"""Box: a uniform square."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.blur.base import check_params
from blurlab.blur.parameter import Range, length
from blurlab.blur.shape import pixel_grid
from blurlab.blur.strength import OneParameterStrength
from blurlab.blur.values import as_psf, check_values, work_tensor


def box_psf(width_px: Tensor, size: int) -> Tensor:
    """Uniform square, each pixel the exact area inside it over width^2; at most one pixel wide is the identity.

    Args:
        width_px: Widths in pixels (n,), >= 0, at most ``size``.
        size: Side of the kernels, odd.

    Returns:
        Kernels (n, 1, size, size), differentiable in the width.

    Raises:
        ValueError: If a width is negative, not finite or too large, or the size is even.

    Example:
        >>> box_psf(torch.tensor([2.0]), 3)[0, 0]
        tensor([[0.0625, 0.1250, 0.0625],
                [0.1250, 0.2500, 0.1250],
                [0.0625, 0.1250, 0.0625]])
    """
    check_values(size, width_px, {"width_px": width_px})
    half = work_tensor(width_px).clamp_min(0.5)[:, None] / 2
    pixel = pixel_grid(size, half)
    inside = (torch.minimum(pixel + 0.5, half) - torch.maximum(pixel - 0.5, -half)).clamp_min(0)
    return as_psf(inside[:, :, None] * inside[:, None, :], width_px.dtype)


class Box(OneParameterStrength):
    """Uniform squares (:func:`box_psf`); the strength is the width.

    Args:
        width_px: Range of the width.
        size: Side of the kernels.
    """

    kinds = ("box",)
    strength_name = "width_px"

    def __init__(self, width_px: Range = (1.0, 10.0), size: int | None = None) -> None:
        super().__init__([length("width_px", width_px)], size)

    def extent_px(self, *largest: float) -> float:
        return largest[0]

    def psf(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        check_params(params, self.names)
        return box_psf(params[:, 0], self.size)
