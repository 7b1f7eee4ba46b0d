"""From an image to a periodic grid: extension without a jump at the seam."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.core.fourier import fast_size


def extend_periodic(image: Tensor, margin: int) -> Tensor:
    """Append at least ``margin`` rows and columns so that the image, repeated, has no jump.

    The new pixels fade from the reflection of the bottom (right) edge to that of the top (left) edge, which is where
    the periodic image goes on; the original is ``result[..., :H, :W]``.

    Args:
        image: (..., H, W).
        margin: Least number of pixels to append to each of the two axes, [px]; at least 1.

    Returns:
        (..., H', W') with sides whose FFT is fast.

    Example:
        >>> extend_periodic(torch.tensor([[0.0, 1, 2, 3, 4, 5]]).expand(6, 6), 3)[0, 5:]
        tensor([5.0000, 4.5607, 2.5000, 0.4393])
    """
    return _extend(_extend(image, margin).mT, margin).mT.contiguous()


def _extend(image: Tensor, margin: int) -> Tensor:
    """Append to the last axis; see :func:`extend_periodic`."""
    n = image.shape[-1]
    steps = torch.arange(fast_size(n + margin) - n, device=image.device)
    count = len(steps)
    after_last = image[..., _reflect(n + steps, n)]
    before_first = image[..., _reflect(steps - count, n)]
    fade = (1 + torch.cos(torch.pi * (steps + 1) / (count + 1))).to(image) / 2
    return torch.cat([image, fade * after_last + (1 - fade) * before_first], dim=-1)


def _reflect(index: Tensor, n: int) -> Tensor:
    """Indices of the half-sample symmetric extension of n samples, any distance away."""
    index = index.remainder(2 * n)
    return torch.where(index < n, index, 2 * n - 1 - index)
