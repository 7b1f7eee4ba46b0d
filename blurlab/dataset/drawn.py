"""Photographs that a function draws: as many as needed, each by a number."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from blurlab.core.rng import seed_from
from blurlab.dataset.source import Photo, Source

SMALLEST_SIZE = 64
"""Side of the smallest square that is drawn [px]."""


class Drawn(Source):
    """Square photographs that never were; number i depends on the seed, the size and i alone, not on n.

    Args:
        n: Number of photographs.
        seed: Another seed makes others.
        size: Side of the photographs [px].
        draw: Gives the photograph (size, size, 3) of a seed and a size.
        version: Of the drawing: part of every id.

    Raises:
        ValueError: If ``n`` is below 1 or ``size`` below 64.
    """

    def __init__(
        self, n: int, seed: int, size: int, *, draw: Callable[[int, int], NDArray[np.float32]], version: int
    ) -> None:
        if n < 1:
            raise ValueError(f"n must be at least 1 photograph, got {n}")
        check_size(size)
        self.n, self.seed, self.size = n, seed, size
        self.draw, self.version = draw, version

    def photos(self) -> list[Photo]:
        """All n, each drawn when it is loaded."""
        return [
            Photo(
                id=f"v{self.version}-seed{self.seed}-size{self.size}-{i:06d}",
                draw=partial(self.draw, seed_from(self.seed, self.name, i), self.size),
            )
            for i in range(self.n)
        ]


def check_size(size: int) -> None:
    """Raise unless photographs of this side can be drawn [px]."""
    if size < SMALLEST_SIZE:
        raise ValueError(f"size must be at least {SMALLEST_SIZE} pixels, got {size}; draw larger and shrink")
