"""Improvement in signal-to-noise ratio: what a restoration gained."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.metric.base import MeanPerImage
from blurlab.metric.inputs import aligned, energy


def isnr(y: Tensor, x_hat: Tensor, x: Tensor, *, border: int = 0) -> Tensor:
    """10 log10(||y - x||^2 / ||x_hat - x||^2) per image, over the same crop for all three.

    Args:
        y: Observed images (B, C, H, W).
        x_hat: Restored images (B, C, H, W).
        x: Sharp images (B, C, H, W).
        border: Pixels cut from each side of all three.

    Returns:
        dB (B,). 0 where the image was left as it was, ``inf`` for a perfect restoration, ``-inf`` where a perfect
        observation was spoilt. Source: [Williams2017], section 3.

    Raises:
        ValueError: If shapes differ, a value is not finite, or the border leaves nothing.

    Example:
        >>> x = torch.zeros(1, 1, 4, 4)
        >>> isnr(x + 0.1, x + 0.01, x), isnr(x + 0.1, x, x), isnr(x, x, x)
        (tensor([20.]), tensor([inf]), tensor([0.]))
    """
    y, x_hat, x = aligned(border, y=y, x_hat=x_hat, x=x)
    before, after = energy(y - x), energy(x_hat - x)
    unchanged = before == after  # also 0 / 0: nothing was wrong and nothing was changed
    return torch.where(unchanged, torch.zeros_like(before), 10 * torch.log10(before / after))


class ISNR(MeanPerImage):
    """Mean of :func:`isnr` over images.

    Example:
        >>> x = torch.zeros(2, 1, 1, 1)
        >>> metric = ISNR()
        >>> metric.update(x + 0.1, x + torch.tensor([0.1, 0.01]).reshape(2, 1, 1, 1), x)
        >>> metric.compute()
        tensor(10.)
    """

    def __init__(self, border: int = 0) -> None:
        super().__init__()
        self.border = border

    def update(self, y: Tensor, x_hat: Tensor, x: Tensor) -> None:
        """Add a batch; arguments as :func:`isnr`."""
        self.keep(isnr(y, x_hat, x, border=self.border))
