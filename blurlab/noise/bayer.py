"""A sensor with a Bayer pattern: white balance, noise of its pixels, saturation, demosaicing."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from blurlab.core.checks import check_images
from blurlab.noise.base import NoiseModel
from blurlab.noise.demosaic import Demosaic, mosaic
from blurlab.noise.draw import Generators, Level, check_level, draw_level
from blurlab.noise.none import NoNoise

LUMA = (0.299, 0.587, 0.114)
"""Weights of a grey image, ITU-R BT.601."""
LEAST_PX = 3


class Bayer(NoiseModel):
    """Light as a sensor records it: one colour a pixel, with its noise, clipped at 1; then balanced and demosaiced.

    Red and blue pixels see less light than green ones; what they see is divided by their gain before the noise, and
    multiplied by it after, so their noise is stronger. Three channels are RGB. With any other number each is a grey
    image of its own: seen by all three colours, and the luma of what comes back. sigma is the root mean square of the
    whole change, demosaicing included.

    Args:
        demosaic: The way back to colour, or several, of which each image draws one.
        noise: Of the sensor's pixels, such as :class:`~blurlab.noise.PoissonGaussian`; none if None.
        red: Gain of red, 1 or more, or [low, high], drawn log-uniformly per image.
        blue: Gain of blue, likewise.

    Raises:
        ValueError: If a gain is below 1, or there is no demosaicing.
        TypeError: If a part is of another class.

    Example:
        >>> from blurlab.noise import Malvar
        >>> y, sigma = Bayer(Malvar())(torch.full((1, 1, 4, 4), 0.5), generator=torch.Generator())
        >>> float(y.min()), float(y.max()), float(sigma)
        (0.5, 0.5, 0.0)
    """

    def __init__(
        self,
        demosaic: Demosaic | Sequence[Demosaic],
        noise: NoiseModel | None = None,
        red: Level = 1.0,
        blue: Level = 1.0,
    ) -> None:
        self.ways = tuple(demosaic) if isinstance(demosaic, Sequence) else (demosaic,)
        if not self.ways or not all(isinstance(way, Demosaic) for way in self.ways):
            raise TypeError(f"demosaic must be one Demosaic or more, got {demosaic}; use Bilinear() or Malvar()")
        self.noise = NoNoise() if noise is None else noise
        if not isinstance(self.noise, NoiseModel):
            raise TypeError(f"noise must be a noise model, got {type(noise).__name__}")
        self.red, self.blue = check_level("red", red, positive=True), check_level("blue", blue, positive=True)
        if min(self.red[0], self.blue[0]) < 1:
            raise ValueError(f"gains must be 1 or more, got red={red}, blue={blue}; green sees the most light")

    def __call__(self, x: Tensor, *, generator: Generators) -> tuple[Tensor, Tensor]:
        """Balanced colour images in [0, 1], and how much changed; see :class:`NoiseModel`.

        Raises:
            ValueError: Besides, if an image has a side of fewer than 3 px.
        """
        check_images(x, "x")
        if min(x.shape[-2:]) < LEAST_PX:
            raise ValueError(f"a Bayer sensor needs {LEAST_PX} px or more a side, got {tuple(x.shape[-2:])}")
        red, blue = (draw_level(x, *ends, generator) for ends in (self.red, self.blue))
        gain, way = torch.stack([red, torch.ones_like(red), blue], 1)[..., None, None], self._drawn_way(x, generator)
        light = x if x.shape[1] == 3 else x.reshape(-1, 1, *x.shape[-2:]).repeat(1, 3, 1, 1)
        planes = len(light) // len(x)
        balance = mosaic(gain.repeat_interleave(planes, 0).expand_as(light))
        seen = (mosaic(light) / balance).reshape(len(x), planes, *x.shape[-2:])
        noisy = self.noise(seen, generator=generator)[0].clamp_max(1).reshape_as(balance)
        image = self._demosaiced(balance * noisy, way.repeat_interleave(planes))
        y = (image if light is x else _luma(image).reshape_as(x)).clamp(0, 1)
        return y, (y - x).flatten(1).square().mean(1).sqrt()

    def _drawn_way(self, x: Tensor, generator: Generators) -> Tensor:
        """Number of each image's way of demosaicing (B,)."""
        count = len(self.ways)
        if count == 1:
            return torch.zeros(len(x), dtype=torch.long, device=x.device)
        return draw_level(x, 0.0, float(count), generator, log=False).long().clamp_max(count - 1)

    def _demosaiced(self, seen: Tensor, way: Tensor) -> Tensor:
        """Each mosaic (n, 1, H, W) by the way that its number (n,) names."""
        if len(self.ways) == 1:
            return self.ways[0](seen)
        image = seen.new_empty(len(seen), 3, *seen.shape[-2:])
        for number, one in enumerate(self.ways):
            rows = (way == number).nonzero().squeeze(1)
            image[rows] = one(seen[rows])
        return image


def _luma(image: Tensor) -> Tensor:
    return (image * image.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)
