"""Noise models one after another."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from blurlab.noise.base import NoiseModel
from blurlab.noise.draw import Generators


class Chain(NoiseModel):
    """Each model acts on what the one before gave; sigma is the root of the sum of their squares.

    A model that measures its input (``Gaussian(bsnr_db=...)``, ``Poisson``) measures what reaches it, so it belongs
    first.

    Args:
        models: At least one noise model.

    Raises:
        ValueError: If there is none, or one that is not the first is a camera: it decodes photographs before the blur.
        TypeError: If one is not a noise model.

    Example:
        >>> import torch
        >>> from blurlab.noise import Gaussian
        >>> twice = Chain([Gaussian(sigma=0.3), Gaussian(sigma=0.4)])
        >>> twice(torch.zeros(1, 1, 2, 2), generator=torch.Generator())[1]
        tensor([0.5000])
    """

    def __init__(self, models: Sequence[NoiseModel]) -> None:
        if not len(models):
            raise ValueError("Chain needs at least one noise model, got none; use NoNoise() for no noise")
        for model in models:
            if not isinstance(model, NoiseModel):
                raise TypeError(f"Chain takes noise models, got {type(model).__name__}; pass objects, not settings")
            if model.blurs_light and model is not models[0]:
                raise ValueError("a camera decodes photographs to light before the blur, so it comes first in a Chain")
        self.models = tuple(models)
        self.blurs_light = self.models[0].blurs_light

    def scene(self, sharp: Tensor) -> Tensor:
        """What the first model says is blurred."""
        return self.models[0].scene(sharp)

    def __call__(self, x: Tensor, *, generator: Generators) -> tuple[Tensor, Tensor]:
        """Images after every model, and the joint level; see :class:`NoiseModel`."""
        variance = x.new_zeros(len(x))
        for model in self.models:
            x, sigma = model(x, generator=generator)
            variance = variance + sigma.square()
        return x, variance.sqrt()

    def photograph(self, blurred: Tensor, sharp: Tensor, *, generator: Generators) -> tuple[Tensor, Tensor, Tensor]:
        """What every model made of what came from the one before, and the joint level; see :class:`NoiseModel`."""
        variance = blurred.new_zeros(len(blurred))
        for model in self.models:
            blurred, sharp, sigma = model.photograph(blurred, sharp, generator=generator)
            variance = variance + sigma.square()
        return blurred, sharp, variance.sqrt()
