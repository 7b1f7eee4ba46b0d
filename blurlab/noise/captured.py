"""Noise that a camera left in images that were not made here."""

from __future__ import annotations

from torch import Tensor

from blurlab.noise.base import NoiseModel
from blurlab.noise.draw import Generators, check_generators
from blurlab.noise.level import estimate_sigma


class Captured(NoiseModel):
    """Gives the images back; sigma is what is measured in each (:func:`~blurlab.noise.level.estimate_sigma`).

    Example:
        >>> import torch
        >>> y = 0.5 + 0.02 * torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
        >>> Captured()(y, generator=torch.Generator())[1].round(decimals=2)
        tensor([0.0200])
    """

    def __call__(self, x: Tensor, *, generator: Generators) -> tuple[Tensor, Tensor]:
        """A copy of ``x`` and its measured sigma; see :class:`NoiseModel`."""
        check_generators(generator, len(x))
        return x.clone(), estimate_sigma(x)
