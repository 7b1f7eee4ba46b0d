"""Training items that stay the same in every epoch, their classes balanced within each photograph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from blurlab.blur import BlurFamily, strength_of
from blurlab.dataset.datamodule import FixedItems, SharpImages, item_seed

MOST_TRIED = 1000
"""Draws of one photograph before a class that does not come is given up, for each class."""
ClassOf = Callable[[Tensor, Tensor], Tensor]


class BalancedItems(FixedItems):
    """Every photograph ``each`` times in each class of blur, as in [Williams2017], section 3.

    The draws of a photograph are the first ones of its own sequence whose class it still lacks.

    Args:
        images: Photographs.
        each: Items a photograph and class.
        family: Blurs that the items will be degraded with.
        class_of: Class (n,) of blurs of these kinds (n,) and strengths in pixels (n,).
        classes: Number of classes.
        seed: The run's seed.
        split: Whose items these are.
        size: As in :class:`FixedItems`.

    Raises:
        ValueError: If one of the classes never comes.
    """

    def __init__(
        self,
        images: SharpImages,
        each: int,
        family: BlurFamily,
        class_of: ClassOf,
        classes: int,
        *,
        seed: int,
        split: str,
        size: int | None = None,
    ) -> None:
        super().__init__(images, each * classes, seed=seed, split=split, size=size)
        self.seeds: list[list[int]] = []
        for name in images.ids:
            tries = (item_seed(seed, split, name, draw) for draw in range(MOST_TRIED * classes))
            kept = _balanced_seeds(tries, each, family, class_of, classes)
            if len(kept) < self.draws:
                raise ValueError(
                    f"{MOST_TRIED * classes} blurs were drawn for a photograph, and not {each} of each of {classes} "
                    "classes came; give every kind a weight above 0"
                )
            self.seeds.append(kept)

    def seed_of(self, photo: int, draw: int) -> int:
        return self.seeds[photo][draw]


def _balanced_seeds(tries: Iterator[int], each: int, family: BlurFamily, class_of: ClassOf, classes: int) -> list[int]:
    """The seeds of the first ``each`` blurs of each class."""
    met: Counter[int] = Counter()
    kept: list[int] = []
    for seed in tries:
        kind, params = family.draw(1, generator=torch.Generator().manual_seed(seed))  # what Degrade draws first
        name = int(class_of(kind, strength_of(family, params, kind).nan_to_num(0.0)))
        if met[name] < each:
            met[name] += 1
            kept.append(seed)
        if len(kept) == each * classes:
            break
    return kept
