"""Improvement in signal-to-noise ratio: what a restoration gained."""

from __future__ import annotations

import torch
from torch import Tensor

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
    return _decibel(energy(y - x), energy(x_hat - x))


def isnr_border(y: Tensor, x_hat: Tensor, x: Tensor, *, border: int) -> Tensor:
    """:func:`isnr` over the outermost ``border`` pixels alone, those that ``isnr(..., border=border)`` leaves out.

    Args:
        y: Observed images (B, C, H, W).
        x_hat: Restored images (B, C, H, W).
        x: Sharp images (B, C, H, W).
        border: Width of the frame in pixels, at least 1.

    Returns:
        dB (B,).

    Raises:
        ValueError: As :func:`isnr`, or if there is no frame.

    Example:
        >>> x = torch.zeros(1, 1, 5, 5)
        >>> x_hat = torch.full_like(x, 0.01)
        >>> x_hat[..., 1:-1, 1:-1] = 0.1
        >>> isnr_border(x + 0.1, x_hat, x, border=1), isnr(x + 0.1, x_hat, x, border=1)
        (tensor([20.]), tensor([0.]))
    """
    if border < 1:
        raise ValueError(f"border must be at least 1 pixel wide, got {border}")
    aligned(border, y=y, x_hat=x_hat, x=x)
    y, x_hat, x = aligned(0, y=y, x_hat=x_hat, x=x)
    frame = torch.ones_like(x[:1, :1])
    frame[..., border:-border, border:-border] = 0
    return _decibel(energy(frame * (y - x)), energy(frame * (x_hat - x)))


def _decibel(before: Tensor, after: Tensor) -> Tensor:
    unchanged = before == after  # also 0 / 0: nothing was wrong and nothing was changed
    return torch.where(unchanged, torch.zeros_like(before), 10 * torch.log10(before / after))
