"""The noise of a photograph, measured in the photograph itself."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

MAD_OF_NORMAL = 0.6744897501960817
"""Median of |n| of a standard normal variable n."""


def estimate_sigma(y: Tensor) -> Tensor:
    """Noise standard deviation from the finest diagonal wavelet coefficients: median |d| / 0.6745 [Donoho1995].

    A blurred photograph has next to nothing at the finest diagonal scale, so what is there is noise. Pixels that are
    clipped at 0 or 1, or equal to all their neighbours, such as the black surround of a fundus photograph, have none
    and do not count.

    Args:
        y: Observed images (B, C, H, W) on the [0, 1] scale.

    Returns:
        (B,), all channels of an image together; 0 where no pixel counts.

    Example:
        >>> y = 0.5 + 0.01 * torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
        >>> estimate_sigma(y).round(decimals=3)
        tensor([0.0100, 0.0100])
    """
    # Four shifts of the Haar transform's diagonal band: (a - b - c + d) / 2 of each 2 x 2 square.
    difference = torch.tensor([[1.0, -1], [-1, 1]], dtype=y.dtype, device=y.device) / 2
    batch, channels, height, width = y.shape
    if min(height, width) < 2:
        return y.new_zeros(batch)
    planes = y.reshape(batch * channels, 1, height, width)
    detail = F.conv2d(planes, difference[None, None]).abs().reshape(batch, -1)
    low, high = -F.max_pool2d(-planes, 2, stride=1), F.max_pool2d(planes, 2, stride=1)
    counts = ((low > 0) & (high < 1) & (high > low)).reshape(batch, -1)
    return torch.nanmedian(detail.where(counts, torch.nan), dim=1).values.nan_to_num(0.0) / MAD_OF_NORMAL
