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
        ValueError: If there is none.
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
        self.models = tuple(models)

    def __call__(self, x: Tensor, *, generator: Generators) -> tuple[Tensor, Tensor]:
        """Images after every model, and the joint level; see :class:`NoiseModel`."""
        variance = x.new_zeros(len(x))
        for model in self.models:
            x, sigma = model(x, generator=generator)
            variance = variance + sigma.square()
        return x, variance.sqrt()
