"""No noise."""

from __future__ import annotations

from torch import Tensor

from blurlab.noise.base import NoiseModel
from blurlab.noise.draw import Generators, check_generators


class NoNoise(NoiseModel):
    """Gives the images back, with sigma 0.

    Example:
        >>> import torch
        >>> NoNoise()(torch.ones(2, 1, 1, 1), generator=torch.Generator())[1]
        tensor([0., 0.])
    """

    def __call__(self, x: Tensor, *, generator: Generators) -> tuple[Tensor, Tensor]:
        """A copy of ``x`` and zeros; see :class:`NoiseModel`."""
        check_generators(generator, len(x))
        return x.clone(), x.new_zeros(len(x))
