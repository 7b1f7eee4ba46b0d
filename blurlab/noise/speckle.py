"""Noise that is proportional to the light, and read-out noise besides."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.core.checks import check_images
from blurlab.noise.base import NoiseModel
from blurlab.noise.draw import Generators, Level, check_level, draw_level, draw_like, per_image
from blurlab.noise.gaussian import Gaussian


class Speckle(NoiseModel):
    """``y = x + share x w + sigma w'``, w and w' white Gaussian noise; sigma = sqrt(share^2 mean(x^2) + sigma^2).

    One of the ways to read the two noise levels (alpha, beta) of [DebarnotWeiss2024], which does not say what alpha is:
    ``share=alpha, sigma=beta``. Another is ``PoissonGaussian(photons=1 / alpha, sigma=beta)``; beta alone is
    ``Gaussian(sigma=beta)``.

    Args:
        share: Deviation of a pixel as a share of its value, or [low, high], drawn log-uniformly per image.
        sigma: Standard deviation of the read-out on the [0, 1] scale, or [low, high], drawn log-uniformly.

    Raises:
        ValueError: If one of them is negative.

    Example:
        >>> Speckle(0.5, 0.12)(torch.full((1, 1, 3, 3), 0.1), generator=torch.Generator())[1]
        tensor([0.1300])
    """

    def __init__(self, share: Level, sigma: Level) -> None:
        self.share = check_level("share", share)
        self.gaussian = Gaussian(sigma=sigma)

    def __call__(self, x: Tensor, *, generator: Generators) -> tuple[Tensor, Tensor]:
        """Noisy images and their mean level; see :class:`NoiseModel`."""
        check_images(x, "x")
        share = draw_level(x, *self.share, generator)
        unit = draw_like(x, lambda like, one: torch.empty_like(like).normal_(generator=one), generator)
        y, read_sigma = self.gaussian(x + per_image(share) * x * unit, generator=generator)
        return y, torch.hypot(share * x.square().flatten(1).mean(1).sqrt(), read_sigma)
