"""Blurred signal-to-noise ratio: how noisy an observation is."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.core.checks import check_sigma
from blurlab.metric.inputs import aligned


def bsnr(blurred: Tensor, sigma: float | Tensor, *, border: int = 0) -> Tensor:
    """10 log10(var(h * u) / sigma^2) per image, the variance over channels and pixels.

    Args:
        blurred: Blurred images without noise (B, C, H, W).
        sigma: Noise standard deviation on the [0, 1] scale, one number or (B,).
        border: Pixels cut from each side.

    Returns:
        dB (B,); ``inf`` where sigma is 0, ``-inf`` for a flat image, NaN where both hold.

    Raises:
        ValueError: If sigma is negative or not finite, or the border leaves nothing.

    Example:
        >>> bsnr(torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2), 0.05)
        tensor([20.])
    """
    check_sigma(sigma)
    (blurred,) = aligned(border, blurred=blurred)
    noise = torch.as_tensor(sigma, dtype=blurred.dtype, device=blurred.device).square()
    return 10 * torch.log10(blurred.flatten(1).var(1, correction=0) / noise)
