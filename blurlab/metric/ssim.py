"""Structural similarity."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from blurlab.metric.inputs import aligned

WINDOW = 11
SIGMA_PX = 1.5


def ssim(x_hat: Tensor, x: Tensor, *, border: int = 0) -> Tensor:
    """Structural similarity per image: Gaussian window 11x11 of sigma 1.5, data range 1, K1 = .01, K2 = .03.

    The mean is over channels and over the windows that lie wholly inside the image, as in the paper and in
    scikit-image; torchmetrics by itself averages in those that hang over a reflected border too. Local variances are
    small differences of large numbers, so autocast is off, and float64 stands in for TF32 on a CUDA device.

    Args:
        x_hat: Restored images (B, C, H, W) in [0, 1], both sides at least 11 after the crop.
        x: Sharp images (B, C, H, W).
        border: Pixels cut from each side of both.

    Returns:
        Values in [-1, 1] (B,); 1 where the two are equal. Source: [WangBovik2004], eq. 13.

    Raises:
        ValueError: If shapes differ, a value is not finite, or a side is below 11.

    Example:
        >>> x = torch.linspace(0, 1, 144).reshape(1, 1, 12, 12)
        >>> [round(float(ssim(x_hat, x)), 3) for x_hat in (x, 0.5 * x)]
        [1.0, 0.647]
    """
    x_hat, x = aligned(border, x_hat=x_hat, x=x)
    if min(x.shape[-2:]) < WINDOW:
        came = f"{x.shape[-2]}x{x.shape[-1]}"
        raise ValueError(
            f"SSIM needs sides of at least {WINDOW} px after the border, got {came}; use larger images or PSNR"
        )
    dtype = x.dtype
    if x.is_cuda:
        x_hat, x = x_hat.double(), x.double()
    with torch.autocast(x.device.type, enabled=False):
        _, full = structural_similarity_index_measure(
            x_hat, x, sigma=SIGMA_PX, kernel_size=WINDOW, data_range=1.0, reduction="none", return_full_image=True
        )
    edge = WINDOW // 2
    return full[..., edge:-edge, edge:-edge].flatten(1).mean(1).to(dtype)
