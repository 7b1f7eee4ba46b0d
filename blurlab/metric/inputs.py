"""What every metric does first: check, crop alike, and compare in at least float32."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.core.checks import check_images


def at_least_float32(x: Tensor) -> Tensor:
    """``x`` itself if it is float32 or float64, else in float32."""
    return x if x.dtype in (torch.float32, torch.float64) else x.float()


def aligned(border: int, **images: Tensor) -> list[Tensor]:
    """The named images in at least float32 with ``border`` pixels cut from each side of every one.

    Args:
        border: Pixels >= 0.
        images: Tensors (B, C, H, W) of one shape.

    Returns:
        The cropped images, in the order given.

    Raises:
        TypeError: If one is not a floating-point tensor.
        ValueError: If one is not finite, the shapes differ, or the border leaves nothing.

    Example:
        >>> [image.shape for image in aligned(1, x=torch.zeros(1, 1, 4, 5))]
        [torch.Size([1, 1, 2, 3])]
    """
    for name, image in images.items():
        check_images(image, name)
    shapes = {name: tuple(image.shape) for name, image in images.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"images must have one shape, got {shapes}; crop them alike or pass border=")
    height, width = next(iter(shapes.values()))[-2:]
    if border < 0 or 2 * border >= min(height, width):
        raise ValueError(
            f"border must be >= 0 and leave pixels of {height}x{width}, got {border}; use a smaller border"
        )
    window = (..., slice(border, height - border), slice(border, width - border))
    return [at_least_float32(image)[window] for image in images.values()]


def energy(x: Tensor) -> Tensor:
    """Sum of squares per sample (B,)."""
    return x.square().flatten(1).sum(1)
