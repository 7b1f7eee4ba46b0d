"""White Gaussian noise, set by its standard deviation or by the blurred signal-to-noise ratio."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.core.checks import MOST_SIGMA, check_images, check_sigma
from blurlab.noise.base import NoiseModel
from blurlab.noise.draw import Generators, Level, check_level, draw_level, draw_like, per_image


def add_gaussian(x: Tensor, sigma: float | Tensor, *, generator: Generators) -> Tensor:
    """Add sigma n, n standard normal and independent in every pixel and channel.

    Args:
        x: Images (B, C, H, W).
        sigma: Standard deviation, one number or (B,).
        generator: One, or one an image.

    Returns:
        (B, C, H, W), not clipped.

    Raises:
        ValueError: If sigma is negative or not finite.

    Example:
        >>> x = torch.zeros(1, 1, 100, 100)
        >>> round(float(add_gaussian(x, 0.1, generator=torch.Generator().manual_seed(0)).std()), 2)
        0.1
    """
    check_images(x, "x")
    check_sigma(sigma)
    normal = draw_like(
        x,
        lambda part, one: torch.randn(part.shape, generator=one, device=one.device, dtype=part.dtype),
        generator,
    )
    return normal.mul_(per_image(torch.as_tensor(sigma).to(x))).add_(x)


def sigma_from_bsnr(x: Tensor, bsnr_db: float | Tensor) -> Tensor:
    """Noise level sqrt(var(x) / 10^(BSNR / 10)) of images whose blurred signal-to-noise ratio is to be ``bsnr_db``.

    Args:
        x: Blurred images without noise (B, C, H, W); the variance is over channels and pixels.
        bsnr_db: dB, one number or (B,).

    Returns:
        sigma (B,); 0 for a flat image, which has no signal to set it by.

    Example:
        >>> sigma_from_bsnr(torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2), 20.0)
        tensor([0.0500])
    """
    check_images(x, "x")
    ratio = torch.pow(10.0, torch.as_tensor(bsnr_db).to(x) / 20)
    return x.flatten(1).std(1, correction=0) / ratio


def bsnr_from_sigma(x: Tensor, sigma: float | Tensor) -> Tensor:
    """Inverse of :func:`sigma_from_bsnr`: 10 log10(var(x) / sigma^2) per image, dB (B,); ``inf`` where sigma is 0.

    Example:
        >>> bsnr_from_sigma(torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2), 0.05)
        tensor([20.])
    """
    check_images(x, "x")
    check_sigma(sigma)
    return 20 * torch.log10(x.flatten(1).std(1, correction=0) / torch.as_tensor(sigma).to(x))


class Gaussian(NoiseModel):
    """White Gaussian noise; the level is one number, or a range from which each image draws its own.

    Args:
        sigma: Standard deviation on the [0, 1] scale, or [low, high], drawn log-uniformly.
        bsnr_db: Blurred signal-to-noise ratio in dB, or [low, high], drawn uniformly (so sigma is log-uniform); sigma
            then follows from the variance of each noiseless image.

    Raises:
        ValueError: If both or neither is given, or one is out of its range.

    Example:
        >>> _, sigma = Gaussian(sigma=0.01)(torch.zeros(2, 1, 3, 3), generator=torch.Generator())
        >>> sigma
        tensor([0.0100, 0.0100])
    """

    def __init__(self, sigma: Level | None = None, bsnr_db: Level | None = None) -> None:
        if (sigma is None) == (bsnr_db is None):
            raise ValueError(
                f"Gaussian needs one of sigma and bsnr_db, got sigma={sigma}, bsnr_db={bsnr_db}; set the other to null"
            )
        self.sigma = None if sigma is None else check_level("sigma", sigma, most=MOST_SIGMA)
        self.bsnr_db = None if bsnr_db is None else check_level("bsnr_db", bsnr_db, log=False)

    def __call__(self, x: Tensor, *, generator: Generators) -> tuple[Tensor, Tensor]:
        """Noisy images and the level each one drew; see :class:`NoiseModel`."""
        level = self._level(x, generator)
        return add_gaussian(x, level, generator=generator), level

    def _level(self, x: Tensor, generator: Generators) -> Tensor:
        if self.sigma is not None:
            return draw_level(x, *self.sigma, generator)
        assert self.bsnr_db is not None
        return sigma_from_bsnr(x, draw_level(x, *self.bsnr_db, generator, log=False))
