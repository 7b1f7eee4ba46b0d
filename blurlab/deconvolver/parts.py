"""What can be told of an image of any size from as many pixels as memory is sure to hold."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from blurlab.noise.level import KERNEL_ERROR_PX, effective_sigma

MOST_PX = 2**22
"""Pixels of an image that is looked at whole."""
ALONG = 3
"""Parts of a larger image, along each side."""


def parts(image: Tensor, most_px: int = MOST_PX) -> Tensor:
    """The image itself if it is small; else nine parts of it, evenly spaced, together of about ``most_px`` pixels.

    Args:
        image: One image (1, C, H, W).
        most_px: Greatest H W of an image that is taken whole, [px].

    Returns:
        (1, C, H, W), the image, or (9, C, h, w), copies.

    Example:
        >>> parts(torch.zeros(1, 3, 40, 60)).shape, parts(torch.zeros(1, 3, 40, 60), 600).shape
        (torch.Size([1, 3, 40, 60]), torch.Size([9, 3, 6, 10]))
    """
    height, width = image.shape[-2:]
    if height * width <= most_px:
        return image
    share = (most_px / (height * width)) ** 0.5 / ALONG
    rows, cols = max(int(height * share), 1), max(int(width * share), 1)
    places = corners(image, (rows, cols))
    return torch.cat([image[..., top : top + rows, left : left + cols] for top, left in places])


def corners(image: Tensor, size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """First row and column of nine evenly spaced pieces of ``size`` (h, w).

    Example:
        >>> list(corners(torch.zeros(5, 9), (5, 3)))[:3]
        [(0, 0), (0, 3), (0, 6)]
    """
    rooms = [whole - part for whole, part in zip(image.shape[-2:], size, strict=True)]
    for i in range(ALONG):
        for j in range(ALONG):
            yield rooms[0] * i // (ALONG - 1), rooms[1] * j // (ALONG - 1)


def middle(image: Tensor, most_px: int = MOST_PX) -> tuple[tuple[int, int], tuple[int, int]]:
    """Rows and columns of an image's middle, each the first and the one after the last; all of a small image.

    Example:
        >>> middle(torch.zeros(1, 3, 40, 60)), middle(torch.zeros(1, 3, 40, 60), 600)
        (((0, 40), (0, 60)), ((10, 30), (15, 45)))
    """
    height, width = image.shape[-2:]
    share = min((most_px / (height * width)) ** 0.5, 1.0)
    rows, cols = max(int(height * share), 1), max(int(width * share), 1)
    top, left = (height - rows) // 2, (width - cols) // 2
    return (top, top + rows), (left, left + cols)


def measure_sigma(
    y: Tensor,
    level: Tensor,
    most_px: int = MOST_PX,
    kernel_error_px: float | Tensor = KERNEL_ERROR_PX,
    caution: float | Tensor = 1.0,
) -> Tensor:
    """:func:`~blurlab.noise.level.effective_sigma`; of a larger image the median over its :func:`parts`.

    Args:
        y: Observed images (B, C, H, W) on the [0, 1] scale.
        level: What each is divided by before it is looked at, and the result multiplied by, (B, 1, 1, 1).
        most_px: Greatest H W of an image that is taken whole, [px].
        kernel_error_px: As in :func:`~blurlab.noise.level.effective_sigma`.
        caution: As there.

    Returns:
        (B,).

    Example:
        >>> y = 0.5 + 0.01 * torch.randn(1, 1, 90, 90, generator=torch.Generator().manual_seed(0))
        >>> one = torch.ones(1, 1, 1, 1)
        >>> torch.cat([measure_sigma(y, one), measure_sigma(y, one, most_px=4096)]).round(decimals=3)
        tensor([0.0100, 0.0100])
    """
    if y.shape[-2] * y.shape[-1] <= most_px:
        level = level.to(torch.float64 if y.dtype == torch.float64 else torch.float32)
        error = kernel_error_px.to(level) if isinstance(kernel_error_px, Tensor) else kernel_error_px
        return effective_sigma(y / level, error, caution) * level.flatten()
    errors, cautions = (torch.as_tensor(one).expand(len(y)) for one in (kernel_error_px, caution))
    found = []
    for i in range(len(y)):
        few = parts(y[i : i + 1], most_px).split(1)  # one at a time: memory is that of one
        each = [measure_sigma(part, level[i : i + 1], most_px, errors[i], cautions[i]) for part in few]
        found.append(torch.cat(each).median())
    return torch.stack(found)
