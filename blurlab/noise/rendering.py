"""What a camera does to a picture on purpose, sharp or not: exposure, tones, sharpening."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from blurlab.core.checks import check_images
from blurlab.noise.base import NoiseModel
from blurlab.noise.draw import Generators


class Rendering(NoiseModel):
    """A change that belongs to the picture, not to its faults: the sharp image that is looked for has it too.

    It adds no noise, so its sigma is 0.
    """

    @abstractmethod
    def draw(self, x: Tensor, *, generator: Generators) -> Tensor:
        """Settings (B, P), a row an image of ``x`` (B, C, H, W)."""

    @abstractmethod
    def render(self, x: Tensor, settings: Tensor) -> Tensor:
        """Images (B, C, H, W) changed as their settings (B, P) say."""

    def __call__(self, x: Tensor, *, generator: Generators) -> tuple[Tensor, Tensor]:
        """Changed images, and zeros."""
        check_images(x, "x")
        return self.render(x, self.draw(x, generator=generator)), x.new_zeros(len(x))

    def photograph(self, blurred: Tensor, sharp: Tensor, *, generator: Generators) -> tuple[Tensor, Tensor, Tensor]:
        """Both changed by the same settings, and zeros."""
        check_images(blurred, "blurred")
        settings = self.draw(blurred, generator=generator)
        return self.render(blurred, settings), self.render(sharp, settings), blurred.new_zeros(len(blurred))
