"""A batch in pieces that fit a processor's cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

CACHED_PIXELS = 2**19
"""Numbers of which several copies stay in the cache of a core: 2 MB in float32."""


def chunks(images: Tensor) -> Iterator[slice]:
    """Slices of a batch: on a CPU as many images as the cache holds, at least one; elsewhere all at once.

    Temporary tensors of a large batch are new memory at each step, which costs a CPU more than the arithmetic; those of
    one image are used again and again.

    Args:
        images: (B, C, H, W).

    Example:
        >>> list(chunks(torch.zeros(5, 1, 512, 512)))
        [slice(0, 2, None), slice(2, 4, None), slice(4, 6, None)]
    """
    many = max(CACHED_PIXELS // images[0].numel(), 1) if images.device.type == "cpu" else len(images)
    return (slice(first, first + many) for first in range(0, len(images), many))


def by_chunks(restore: Callable[[slice], Tensor], images: Tensor) -> Tensor:
    """What a network makes of a batch, chunk by chunk, so that memory is that of one; all at once if autograd records.

    Args:
        restore: From a slice of the batch to its images (n, C, H, W).
        images: (B, C, H, W).

    Returns:
        (B, C, H, W).

    Example:
        >>> images, asked = torch.ones(3, 1, 512, 1024), []
        >>> with torch.no_grad():
        ...     twice = by_chunks(lambda some: asked.append(some) or 2 * images[some], images)
        >>> len(asked), torch.equal(twice, 2 * images)
        (3, True)
    """
    pieces = [slice(None)] if torch.is_grad_enabled() else chunks(images)
    return torch.cat([restore(piece) for piece in pieces])
