"""The contract of every noise model."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor

from blurlab.noise.draw import Generators


class NoiseModel(ABC):
    """Adds noise to blurred images and says how strong it is. Holds options only; a call changes nothing in it."""

    @abstractmethod
    def __call__(self, x: Tensor, *, generator: Generators) -> tuple[Tensor, Tensor]:
        """Noisy images and their effective noise level.

        Args:
            x: Blurred images (B, C, H, W) in [0, 1], on any device; left unchanged.
            generator: One generator for the batch, or a list of B generators, one an image: then what an image gets
                depends on its own generator alone, and a batch equals its images one by one. Draws are made on the
                generator's device and moved to that of ``x``.

        Returns:
            y (B, C, H, W) and sigma (B,), the standard deviation on the [0, 1] scale, in the type of ``x``.

        Raises:
            ValueError: If there are not as many generators as images.
        """
