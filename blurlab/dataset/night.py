"""Scenes by night: dim, with lamps far brighter than white, so that a shake draws its path with each of them."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.core.rng import generator as make_generator
from blurlab.core.rng import uniform
from blurlab.dataset.corruption import Corruption
from blurlab.dataset.degrade import Degrade
from blurlab.noise import Srgb
from blurlab.noise.draw import Generators, Level, check_level
from blurlab.physics import Degraded


class Night(Corruption):
    """Photographs made dim, with lamps of full brightness, then degraded by a camera whose exposure is long.

    What is 1 here is the lamps' light; an exposure (:class:`~blurlab.noise.Exposure`) of about the inverse of ``light``
    brings the scene back, and what the lamps give is cut off at white.

    Args:
        name: What tables call it.
        light: What is left of the scene's light, above 0 and at most 1, or [low, high], drawn log-uniformly per image.
        lamps: Greatest number of lamps of an image, 0 or more.
        radius_px: Their radius, or [low, high].

    Raises:
        ValueError: If a number is out of its range.
    """

    def __init__(self, name: str, light: Level, lamps: int = 12, radius_px: Level = (0.7, 3.0)) -> None:
        super().__init__(name)
        self.light = check_level("light", light, positive=True, most=1.0)
        self.radius_px = check_level("radius_px", radius_px, positive=True)
        if lamps < 0:
            raise ValueError(f"lamps must be 0 or more, got {lamps}")
        self.lamps = lamps

    def __call__(
        self, degrade: Degrade, sharp: Tensor, *, generator: Generators, item: Tensor | None = None
    ) -> Degraded:
        if isinstance(generator, torch.Generator):
            own = [make_generator(generator.initial_seed(), "night", place) for place in range(len(sharp))]
        else:
            own = [make_generator(one.initial_seed(), "night") for one in generator]
        dim = torch.stack([self._lit(image, one) for image, one in zip(sharp, own, strict=True)])
        return degrade(dim, generator=generator, item=item)

    def _lit(self, image: Tensor, own: torch.Generator) -> Tensor:
        """One photograph (C, H, W) by night."""
        response, (low, high) = Srgb(), torch.tensor(self.light).log().tolist()
        scene = response.decode(image) * uniform(1, low, high, generator=own).exp().to(image)
        height, width = image.shape[-2:]
        down, across = (torch.arange(side, device=image.device) for side in (height, width))
        for _ in range(int(torch.randint(self.lamps + 1, (1,), generator=own))):
            row, column, hue, size = uniform(4, 0.0, 1.0, generator=own).tolist()
            radius = self.radius_px[0] + size * (self.radius_px[1] - self.radius_px[0])
            away = torch.hypot(down[:, None] - row * height, across[None, :] - column * width)
            lamp = (radius - away + 0.5).clamp(0, 1).to(image)
            colour = image.new_tensor([1.0, 1.0 - 0.3 * hue, 1.0 - 0.7 * hue])
            colour = colour[: len(scene), None, None] if len(scene) == 3 else colour.mean().reshape(1, 1, 1)
            scene = torch.maximum(scene, lamp * colour)
        return response.encode(scene.clamp(0, 1))
