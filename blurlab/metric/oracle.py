"""A limit beside the number: what the best linear filter for an image would reach."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.core.checks import check_images, check_sigma
from blurlab.core.fourier import psf_to_otf, rfft2
from blurlab.metric.inputs import at_least_float32


def isnr_oracle_wiener(x: Tensor, psf: Tensor, sigma: float | Tensor) -> Tensor:
    """ISNR of the Wiener filter that knows the image's own power spectrum, the kernel and the noise.

    With S = |DFT x|^2 / HW and transfer function H, expected over white noise, circular boundary:
    10 log10( mean[|1 - H|^2 S + sigma^2] / mean[S sigma^2 / (|H|^2 S + sigma^2)] ).

    No linear shift-invariant filter has a lower expected error on this image, so it is the upper limit of any tuning of
    a Wiener filter. It is no limit for non-linear methods, which may exceed it.

    Args:
        x: Sharp images (B, C, H, W).
        psf: Kernels (B, 1, k, k), k odd, sum 1; or (1, 1, k, k) for all.
        sigma: Noise standard deviation, one number or (B,).

    Returns:
        dB (B,): the ratio of expected errors. ``inf`` without noise where H has no zero, and for a black image;
        0 where the observation is perfect.

    Raises:
        ValueError: If the kernel does not fit or sigma is negative.

    Example:
        >>> x = torch.tensor([0.0, 1.0]).repeat(8).reshape(1, 1, 1, 16)
        >>> psf = torch.tensor([0.1, 0.8, 0.1]).reshape(1, 1, 1, 3)
        >>> round(float(isnr_oracle_wiener(x, psf, 0.1)), 2)
        13.28
    """
    before, after = _errors(x, psf, sigma)
    return torch.where(before == after, torch.zeros_like(before), 10 * torch.log10(before / after))


def psnr_oracle_wiener(x: Tensor, psf: Tensor, sigma: float | Tensor) -> Tensor:
    """PSNR that this Wiener filter is expected to reach, -10 log10 of the second mean of :func:`isnr_oracle_wiener`.

    Args:
        x: Sharp images (B, C, H, W).
        psf: Kernels (B, 1, k, k), k odd, sum 1; or (1, 1, k, k) for all.
        sigma: Noise standard deviation, one number or (B,).

    Returns:
        dB (B,), peak 1.

    Raises:
        ValueError: If the kernel does not fit or sigma is negative.

    Example:
        >>> x = torch.tensor([0.0, 1.0]).repeat(8).reshape(1, 1, 1, 16)
        >>> psf = torch.tensor([0.1, 0.8, 0.1]).reshape(1, 1, 1, 3)
        >>> round(float(psnr_oracle_wiener(x, psf, 0.1)), 2)
        26.29
    """
    return -10 * torch.log10(_errors(x, psf, sigma)[1])


def _errors(x: Tensor, psf: Tensor, sigma: float | Tensor) -> tuple[Tensor, Tensor]:
    """Expected mean squared errors (B,) of the observation and of the filtered image."""
    check_images(x, "x")
    check_sigma(sigma)
    x = at_least_float32(x)
    height, width = x.shape[-2:]
    power = rfft2(x).abs().square() / (height * width)
    otf = psf_to_otf(psf.to(x), (height, width))
    noise = torch.as_tensor(sigma, dtype=x.dtype, device=x.device).square().reshape(-1, 1, 1, 1)
    observed = (1 - otf).abs().square() * power + noise
    kept = otf.abs().square() * power + noise
    # Where neither signal nor noise comes through, the filter gives 0 and loses the whole of S.
    left = torch.where(kept > 0, power * noise / kept.clamp_min(torch.finfo(x.dtype).tiny), power)
    return _grid_mean(observed, width), _grid_mean(left, width)


def _grid_mean(half: Tensor, width: int) -> Tensor:
    """Mean over the full grid (B,) of a real quantity known on the half spectrum (B, C, H, width // 2 + 1)."""
    twice = torch.full((half.shape[-1],), 2.0, dtype=half.dtype, device=half.device)
    twice[0] = 1
    if width % 2 == 0:
        twice[-1] = 1
    return (half * twice).sum(-1).mean((1, 2)) / width
