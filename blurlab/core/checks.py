"""Checks at the edge of the library: each error says what came, what was expected and what to do."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def check_images(images: Tensor, name: str = "image") -> None:
    """Raise unless ``images`` is a finite floating-point (B, C, H, W) tensor with no empty side.

    Raises:
        TypeError: If it is not a floating-point tensor.
        ValueError: If it has another number of axes, an empty axis, or NaN or infinite values.

    Example:
        >>> check_images(torch.zeros(1, 1, 4, 4))
    """
    if not isinstance(images, Tensor) or not images.is_floating_point():
        came = str(images.dtype) if isinstance(images, Tensor) else type(images).__name__
        raise TypeError(f"{name} must be a floating-point tensor in [0, 1], got {came}; divide integers by their range")
    if images.ndim != 4 or 0 in images.shape:
        raise ValueError(f"{name} must be (B, C, H, W) with no empty side, got {tuple(images.shape)}")
    if not all_finite(images):
        raise ValueError(f"{name} has NaN or infinite values; replace them before calling")


def all_finite(values: Tensor) -> bool:
    """Whether no value is NaN or infinite, read off their sum, one pass; values are looked at one by one if it is not.

    Example:
        >>> all_finite(torch.tensor([1.0, 3e38, 3e38])), all_finite(torch.tensor([1.0, torch.inf, -torch.inf]))
        (True, False)
    """
    return math.isfinite(values.detach().sum()) or bool(torch.isfinite(values).all())


def check_positive(value: float, name: str) -> None:
    """Raise unless a number is above 0; infinity is.

    Raises:
        ValueError: If it is not, or is NaN.

    Example:
        >>> check_positive(math.inf, "max_length_px")
    """
    if not value > 0:
        raise ValueError(f"{name} must be a positive number, got {value:g}")


FLAT = 1e-9
"""Range of intensities within which a channel says nothing."""
CLIPPED = 0.9
"""Share of a channel's pixels at exactly 0 or 1 from which the rest says nothing."""


def is_flat(images: Tensor) -> Tensor:
    """Which images (B, C, H, W) are constant or all but saturated, so that nothing can be told of their blur (B,) bool.

    Each channel is looked at by itself: an image of one colour is constant.

    Example:
        >>> is_flat(torch.tensor([[[[0.5, 0.5]]], [[[0.5, 0.6]]], [[[1.0, 0.0]]]]))
        tensor([ True, False,  True])
        >>> is_flat(torch.tensor([0.3, 0.5, 0.7]).reshape(1, 3, 1, 1).expand(1, 3, 4, 4))
        tensor([True])
    """
    low, high = images.amin((2, 3)), images.amax((2, 3))
    count = sum((images == end).sum((2, 3)) for end in (0, 1))
    return ((high - low <= FLAT) | (count >= CLIPPED * images[0, 0].numel())).all(1)


def check_psf(psf: Tensor, shape: tuple[int, int] | None = None) -> None:
    """Raise unless ``psf`` is (B, 1, k, l) with odd sides no larger than the grid ``shape``.

    Raises:
        ValueError: With the shape that came and the remedy.

    Example:
        >>> check_psf(torch.ones(1, 1, 3, 3) / 9, (8, 8))
    """
    if psf.ndim != 4 or psf.shape[1] != 1:
        raise ValueError(f"psf must be (B, 1, k, k), got {tuple(psf.shape)}")
    rows, cols = psf.shape[-2:]
    if rows % 2 == 0 or cols % 2 == 0:
        raise ValueError(f"psf must have odd sides, got {rows}x{cols}; pad it with blur.shape.pad_to_odd")
    if shape is not None and (rows > shape[0] or cols > shape[1]):
        raise ValueError(
            f"psf {rows}x{cols} is larger than the image {shape[0]}x{shape[1]}; crop the kernel or use a larger image"
        )


MOST_SIGMA = 0.5
"""Greatest standard deviation of values in [0, 1]."""


def check_sigma(sigma: float | Tensor, name: str = "sigma", *, white: float = 1.0) -> None:
    """Raise unless every value of ``sigma`` is a standard deviation that images on the [0, white] scale can have.

    Raises:
        ValueError: With the value that came.

    Example:
        >>> check_sigma(0.01)
    """
    most = MOST_SIGMA * white
    if isinstance(sigma, float) and 0 <= sigma <= most:
        return
    value = torch.as_tensor(sigma)
    if not bool(((value >= 0) & (value <= most)).all()):
        few = value.flatten().tolist()[:4]
        came = few[0] if value.ndim == 0 else few
        raise ValueError(
            f"{name} is a standard deviation on the [0, {white:g}] scale, at most {most:g}, and must be finite and "
            f">= 0, got {came}; divide it by the value of white, as the image was"
        )
