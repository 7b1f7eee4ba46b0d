"""Photographs made to look like a microscope's images: soft, dark, and noisy before any blur of this library."""

from __future__ import annotations

import math

import torch
from torch import Tensor

SOFT_PX, DARK = 2.5, 3.0
"""Largest deviation of the Gaussian that softens, and what is added at most to the exponent that darkens."""
OWN_NOISE = (0.001, 0.04)
"""Smallest and largest deviation of the image's own noise."""
LEAST = 1e-3


def like_a_microscope(x: Tensor, *, generator: torch.Generator) -> Tensor:
    """A softened, darkened image with noise of its own, from its least value to its 99.9th percentile.

    Half of the images have noise that grows with the root of the light. Microscopes' images keep white noise where
    their objective lets nothing more through, which photographs made smaller for the screen do not.

    Args:
        x: An image (1, 1, H, W) in [0, 1].
        generator: Source of randomness.

    Returns:
        (1, 1, H, W) in [0, 1].

    Example:
        >>> image = torch.rand(1, 1, 32, 48, generator=torch.Generator().manual_seed(0))
        >>> found = like_a_microscope(image, generator=torch.Generator().manual_seed(1))
        >>> found.shape, bool(found.mean() < image.mean())
        (torch.Size([1, 1, 32, 48]), True)
    """
    soft, dark, loud, shot = torch.rand(4, generator=generator).tolist()
    down, across = torch.fft.fftfreq(x.shape[-2])[:, None], torch.fft.rfftfreq(x.shape[-1])[None]
    low = torch.exp(-2 * (math.pi * SOFT_PX * soft) ** 2 * (down**2 + across**2))
    x = torch.fft.irfft2(torch.fft.rfft2(x) * low, s=x.shape[-2:]).clamp_min(0) ** (1 + DARK * dark)
    x = x / torch.quantile(x.flatten(), 0.999).clamp_min(LEAST)
    ratio = OWN_NOISE[1] / OWN_NOISE[0]
    own = OWN_NOISE[0] * ratio**loud * torch.randn(x.shape, generator=generator)
    x = x + own * (x.clamp_min(0).sqrt() if shot < 0.5 else 1)
    least = x.min()
    return ((x - least) / (torch.quantile(x.flatten(), 0.999) - least).clamp_min(LEAST)).clamp(0, 1)
