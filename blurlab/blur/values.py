"""Values of blur parameters: checked once, at the edge."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from blurlab.blur.shape import check_size


def check_values(
    size: int, extent_px: Tensor | None, values: Mapping[str, Tensor], signed: Mapping[str, Tensor] | None = None
) -> None:
    """Raise unless each parameter is a finite (n,) tensor, none that must not be is negative, and the kernel holds all.

    Args:
        size: Side of the kernel, odd.
        extent_px: Width of the blur in pixels (n,), at most ``size``; None where a tail may be cut.
        values: Parameters by name (n,), none of them negative.
        signed: Parameters by name (n,) that may be negative, such as angles.

    Raises:
        TypeError: If a parameter is not a floating-point tensor.
        ValueError: With the name and the value that came.
    """
    check_size(size)
    every = {**values, **(signed or {})}
    for name, value in every.items():
        if not isinstance(value, Tensor) or not value.is_floating_point():
            came = str(value.dtype) if isinstance(value, Tensor) else type(value).__name__
            raise TypeError(f"{name} must be a floating-point tensor (n,), got {came}")
        if value.ndim != 1 or value.shape != next(iter(every.values())).shape:
            raise ValueError(f"{name} must be (n,), the same n for each parameter, got {tuple(value.shape)}")
    tensors = [value.detach() for value in every.values()] + ([] if extent_px is None else [extent_px.detach()])
    if not tensors or tensors[0].numel() == 0:
        return
    # one transfer from the device for all of them; min and max of NaN are NaN
    ends = torch.stack([torch.stack([value.min(), value.max()]) for value in tensors]).tolist()
    for name, (low, high) in zip(every, ends, strict=False):
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ValueError(f"{name} must be finite, got values from {low:g} to {high:g}")
        if low < 0 and name in values:
            raise ValueError(f"{name} must not be negative, got {low:g}")
    if extent_px is not None and ends[-1][1] > size * (1 + 1e-6):
        raise ValueError(
            f"a blur {ends[-1][1]:g} pixels wide does not fit a {size}x{size} kernel; give the family a larger size"
        )


def work_tensor(value: Tensor) -> Tensor:
    """``value`` in the precision kernels are computed in: float64, or float32 on a device that has no more."""
    return value.to(torch.float32 if value.device.type == "mps" else torch.float64)


def as_psf(weights: Tensor, dtype: torch.dtype) -> Tensor:
    """Weights (n, k, k) as kernels (n, 1, k, k) of sum 1 in ``dtype``."""
    return (weights / weights.sum((-2, -1), keepdim=True)).unsqueeze(1).to(dtype)
