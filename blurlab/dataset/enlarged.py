"""Photographs that were enlarged before they were blurred: soft, without being blurred by a lens or a hand."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.core.rng import generator as make_generator
from blurlab.dataset.corruption import LARGEST_FACTOR, Corruption, resize
from blurlab.dataset.degrade import Degrade
from blurlab.noise.draw import Generators, Level, check_level, draw_level
from blurlab.physics import Degraded


def enlarge(images: Tensor, factor: float) -> Tensor:
    """The middle of images (B, C, H, W), enlarged by cubic interpolation to the size of the whole.

    Args:
        images: (B, C, H, W).
        factor: New side over old side, 1 or more.

    Returns:
        (B, C, H, W).

    Example:
        >>> enlarge(torch.arange(8.0).expand(1, 1, 8, 8), 2.0)[0, 0, 0, 3:5]
        tensor([3.2969, 3.7031])
    """
    large = resize(images, factor)
    top, left = ((new - old) // 2 for new, old in zip(large.shape[-2:], images.shape[-2:], strict=True))
    return large[..., top : top + images.shape[-2], left : left + images.shape[-1]]


class Enlarged(Corruption):
    """The middle of each photograph, enlarged, then degraded; ``x`` is the enlarged one, and the truth is as it was.

    Its factor has a generator of its own, made from the seed of the item's, so the item's blur and noise are the run's.

    Args:
        name: What tables call it.
        factor: New side over old side, 1 or more, or [low, high], drawn log-uniformly per image.

    Raises:
        ValueError: If a factor is below 1, or greater than ``LARGEST_FACTOR``.
    """

    def __init__(self, name: str, factor: Level) -> None:
        super().__init__(name)
        self.factor = check_level("factor", factor, positive=True)
        if not 1 <= self.factor[0] <= self.factor[1] <= LARGEST_FACTOR:
            raise ValueError(f"factor must be from 1 to {LARGEST_FACTOR:g}, got {factor}; use Resized to make smaller")

    def __call__(
        self, degrade: Degrade, sharp: Tensor, *, generator: Generators, item: Tensor | None = None
    ) -> Degraded:
        own: Generators = _own(generator) if isinstance(generator, torch.Generator) else [*map(_own, generator)]
        factors = draw_level(sharp, *self.factor, own).tolist()
        soft = [enlarge(image[None], factor) for image, factor in zip(sharp, factors, strict=True)]
        return degrade(torch.cat(soft), generator=generator, item=item)


def _own(generator: torch.Generator) -> torch.Generator:
    return make_generator(generator.initial_seed(), "enlarged")
