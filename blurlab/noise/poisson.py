"""Photon noise, alone and with the read-out noise of a camera."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.core.checks import check_images
from blurlab.noise.base import NoiseModel
from blurlab.noise.draw import Generators, Level, check_level, draw_level, draw_like, per_image
from blurlab.noise.gaussian import Gaussian


def add_poisson(x: Tensor, photons: float | Tensor, *, generator: Generators) -> Tensor:
    """Poisson(photons x) / photons: the variance of a pixel is x / photons.

    Args:
        x: Images (B, C, H, W); negative values, which a blur may leave by rounding, count as 0.
        photons: Mean count at x = 1, above 0; one number or (B,).
        generator: One, or one an image.

    Returns:
        (B, C, H, W), >= 0, not clipped at 1.

    Raises:
        ValueError: If photons is not above 0 and finite.

    Example:
        >>> y = add_poisson(torch.full((1, 1, 2, 2), 0.5), 4.0, generator=torch.Generator().manual_seed(0))
        >>> bool((4 * y == (4 * y).round()).all())
        True
    """
    check_images(x, "x")
    count = torch.as_tensor(photons).to(x)
    if not bool(((count > 0) & torch.isfinite(count)).all()):
        raise ValueError(
            f"photons must be finite and above 0, got {count.flatten().tolist()[:4]}; it is the count at x = 1"
        )
    scale = per_image(count)
    return draw_like(x.clamp_min(0) * scale, lambda rate, one: torch.poisson(rate, generator=one), generator) / scale


class Poisson(NoiseModel):
    """Photon noise; sigma = sqrt(mean(x) / photons), the root mean square over the image.

    Args:
        photons: Mean count at x = 1, or [low, high], drawn log-uniformly per image.

    Raises:
        ValueError: If photons is not above 0.

    Example:
        >>> Poisson(photons=100)(torch.full((1, 1, 3, 3), 0.25), generator=torch.Generator())[1]
        tensor([0.0500])
    """

    def __init__(self, photons: Level) -> None:
        self.photons = check_level("photons", photons, positive=True)

    def __call__(self, x: Tensor, *, generator: Generators) -> tuple[Tensor, Tensor]:
        """Noisy images and their mean level; see :class:`NoiseModel`."""
        check_images(x, "x")
        photons = draw_level(x, *self.photons, generator)
        sigma = (x.clamp_min(0).flatten(1).mean(1) / photons).sqrt()
        return add_poisson(x, photons, generator=generator), sigma


class PoissonGaussian(NoiseModel):
    """Photon noise, then Gaussian read-out noise; sigma = sqrt(mean(x) / photons + sigma^2).

    Args:
        photons: Mean count at x = 1, or [low, high], drawn log-uniformly per image.
        sigma: Standard deviation of the read-out on the [0, 1] scale, or [low, high], drawn log-uniformly.

    Raises:
        ValueError: If photons is not above 0 or sigma is negative.

    Example:
        >>> PoissonGaussian(100, 0.12)(torch.full((1, 1, 3, 3), 0.25), generator=torch.Generator())[1]
        tensor([0.1300])
    """

    def __init__(self, photons: Level, sigma: Level) -> None:
        self.poisson = Poisson(photons)
        self.gaussian = Gaussian(sigma=sigma)

    def __call__(self, x: Tensor, *, generator: Generators) -> tuple[Tensor, Tensor]:
        """Noisy images and their mean level; see :class:`NoiseModel`."""
        counted, photon_sigma = self.poisson(x, generator=generator)
        y, read_sigma = self.gaussian(counted, generator=generator)
        return y, torch.hypot(photon_sigma, read_sigma)
