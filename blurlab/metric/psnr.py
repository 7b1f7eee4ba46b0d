"""Peak signal-to-noise ratio."""

from __future__ import annotations

from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio

from blurlab.metric.inputs import aligned


def psnr(x_hat: Tensor, x: Tensor, *, border: int = 0) -> Tensor:
    """10 log10(1 / mean (x_hat - x)^2) per image: peak 1, the mean over channels and pixels.

    Args:
        x_hat: Restored images (B, C, H, W) in [0, 1]; values outside are not clipped.
        x: Sharp images (B, C, H, W).
        border: Pixels cut from each side of both.

    Returns:
        dB (B,); ``inf`` where the two are equal.

    Raises:
        ValueError: If shapes differ, a value is not finite, or the border leaves nothing.

    Example:
        >>> import torch
        >>> psnr(torch.full((1, 1, 4, 4), 0.1), torch.zeros(1, 1, 4, 4))
        tensor([20.])
    """
    x_hat, x = aligned(border, x_hat=x_hat, x=x)
    return peak_signal_noise_ratio(x_hat, x, data_range=1.0, reduction="none", dim=(1, 2, 3))
