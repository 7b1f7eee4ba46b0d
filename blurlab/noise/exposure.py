"""How long a camera looked: light times a gain, which may lie above what a file can hold."""

from __future__ import annotations

from torch import Tensor

from blurlab.noise.draw import Generators, Level, check_level, draw_level, per_image
from blurlab.noise.rendering import Rendering


class Exposure(Rendering):
    """Light times a gain. Nothing is clipped here: the sensor and the file do that, after the noise.

    Args:
        gain: Above 0, or [low, high], drawn log-uniformly per image; 1 changes nothing, above 1 bright parts saturate.

    Raises:
        ValueError: If the gain is not above 0.

    Example:
        >>> import torch
        >>> Exposure(1.5)(torch.full((1, 1, 1, 1), 0.8), generator=torch.Generator())[0]
        tensor([[[[1.2000]]]])
    """

    def __init__(self, gain: Level) -> None:
        self.gain = check_level("gain", gain, positive=True)

    def draw(self, x: Tensor, *, generator: Generators) -> Tensor:
        return draw_level(x, *self.gain, generator)[:, None]

    def render(self, x: Tensor, settings: Tensor) -> Tensor:
        return x * per_image(settings[:, 0])
