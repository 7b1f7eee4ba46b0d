"""The contract of every noise model."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor

from blurlab.noise.draw import Generators


class NoiseModel(ABC):
    """Adds noise to blurred images and says how strong it is. Holds options only; a call changes nothing in it.

    Attributes:
        blurs_light: Is something else blurred than the values of the photograph (:meth:`scene`)?
    """

    blurs_light: bool = False

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

    def scene(self, sharp: Tensor) -> Tensor:
        """What a lens blurs, of sharp photographs (B, C, H, W): the photographs, unless a model says else."""
        return sharp

    def photograph(self, blurred: Tensor, sharp: Tensor, *, generator: Generators) -> tuple[Tensor, Tensor, Tensor]:
        """Observed images, and the sharp ones that belong to them.

        Args:
            blurred: Blurred scenes (B, C, H, W).
            sharp: The scenes (B, C, H, W) that were blurred, cut to ``blurred``.
            generator: As for a call.

        Returns:
            y, x and sigma: observed images; the images that a restoration should give (the sharp scenes, unless the
            model renders its images otherwise); the noise levels (B,).
        """
        y, sigma = self(blurred, generator=generator)
        return y, sharp, sigma

    def seen(self, blurred: Tensor, *, generator: Generators) -> Tensor:
        """The observed images of :meth:`photograph` alone, where nobody asks for sharp ones and noise levels."""
        return self.photograph(blurred, blurred, generator=generator)[0]
