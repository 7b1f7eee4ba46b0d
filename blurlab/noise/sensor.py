"""A camera's output: Gaussian noise, then the rounding and saturation of an image file."""

from __future__ import annotations

from torch import Tensor

from blurlab.noise.base import NoiseModel
from blurlab.noise.chain import Chain
from blurlab.noise.draw import Generators, Level
from blurlab.noise.gaussian import Gaussian
from blurlab.noise.quantise import Quantise


class Sensor(NoiseModel):
    """Gaussian noise of ``sigma``, then rounding to ``bits`` within [0, 1].

    The level given back is sqrt(sigma^2 + step^2 / 12). Where an image lies at 0 or 1, saturation leaves less noise.

    Args:
        sigma: Standard deviation on the [0, 1] scale, or [low, high], drawn log-uniformly per image.
        bits: 1 to 16.

    Raises:
        ValueError: If sigma is negative or bits out of its range.

    Example:
        >>> import torch
        >>> y, sigma = Sensor(sigma=0.004)(torch.full((1, 1, 2, 2), 0.5), generator=torch.Generator().manual_seed(0))
        >>> bool((255 * y == (255 * y).round()).all()), round(float(sigma), 6)
        (True, 0.004157)
    """

    def __init__(self, sigma: Level, bits: int = 8) -> None:
        self.chain = Chain([Gaussian(sigma=sigma), Quantise(bits=bits)])

    def __call__(self, x: Tensor, *, generator: Generators) -> tuple[Tensor, Tensor]:
        """Observed images and their level; see :class:`NoiseModel`."""
        return self.chain(x, generator=generator)
