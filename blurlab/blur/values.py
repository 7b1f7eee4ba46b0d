"""Ranges and values of blur parameters: checked once, at the edge."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from blurlab.blur.shape import check_size

Range = float | Sequence[float]


def as_range(value: Range, name: str) -> tuple[float, float]:
    """A range from ``[low, high]`` or from one number, which is then fixed.

    Args:
        value: Two finite numbers, low <= high, or one. Must be >= 0 unless it is an angle.
        name: Name of the parameter with its unit; a name that ends in ``_deg`` is an angle.

    Returns:
        ``(low, high)``.

    Raises:
        TypeError: If it is neither a number nor two numbers.
        ValueError: If it is reversed, negative, NaN or infinite.

    Example:
        >>> as_range([1, 10], "length_px"), as_range(4, "length_px")
        ((1.0, 10.0), (4.0, 4.0))
    """
    pair = [value, value] if isinstance(value, int | float) else value
    is_pair = isinstance(pair, Sequence) and not isinstance(pair, str) and len(pair) == 2
    if not is_pair or any(isinstance(end, bool) or not isinstance(end, int | float) for end in pair):
        raise TypeError(f"{name} must be a number or [low, high], got {value!r}")
    low, high = (float(end) for end in pair)
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValueError(f"{name} must be [low, high] with finite low <= high, got [{low:g}, {high:g}]")
    if low < 0 and not name.endswith("_deg"):
        raise ValueError(f"{name} must not be negative, got [{low:g}, {high:g}]")
    return low, high


def turn_into(angle_deg: Tensor, low: float, high: float) -> Tensor:
    """Angles of lines, which repeat after half a turn, brought into a range; what lies outside goes to its nearer end.

    Example:
        >>> turn_into(torch.tensor([150.0, 40.0, 100.0]), -45, 45).tolist()
        [-30.0, 40.0, -45.0]
        >>> turn_into(torch.tensor([-10.0]), 0, 180).tolist()
        [170.0]
    """
    if high - low >= 180:
        return low + (angle_deg - low) % 180
    middle = (low + high) / 2
    return (middle + (angle_deg - middle + 90) % 180 - 90).clamp(low, high)


def check_values(size: int, extent_px: Tensor | None = None, **values: Tensor) -> None:
    """Raise unless each parameter is a finite (n,) tensor, no length is negative and the kernel holds the largest.

    Args:
        size: Side of the kernel, odd.
        extent_px: Width of the blur in pixels (n,), at most ``size``; None where a tail may be cut.
        values: Parameters by name (n,); those whose name ends in ``_deg`` may be negative.

    Raises:
        TypeError: If a parameter is not a floating-point tensor.
        ValueError: With the name and the value that came.
    """
    check_size(size)
    for name, value in values.items():
        if not isinstance(value, Tensor) or not value.is_floating_point():
            came = str(value.dtype) if isinstance(value, Tensor) else type(value).__name__
            raise TypeError(f"{name} must be a floating-point tensor (n,), got {came}")
        if value.ndim != 1 or value.shape != next(iter(values.values())).shape:
            raise ValueError(f"{name} must be (n,), the same n for each parameter, got {tuple(value.shape)}")
    tensors = [value.detach() for value in values.values()] + ([] if extent_px is None else [extent_px.detach()])
    if not tensors or tensors[0].numel() == 0:
        return
    # one transfer from the device for all of them; min and max of NaN are NaN
    ends = torch.stack([torch.stack([value.min(), value.max()]) for value in tensors]).tolist()
    for name, (low, high) in zip(values, ends, strict=False):
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ValueError(f"{name} must be finite, got values from {low:g} to {high:g}")
        if low < 0 and not name.endswith("_deg"):
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
