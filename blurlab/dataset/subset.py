"""Some photographs of a set: a fixed number, chosen without a random generator."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from blurlab.dataset.source import DataNotFound, Photo, Source


class Subset(Source):
    """The ``count`` photographs of a set whose ids have the smallest SHA-256, named ``caltech101_5000``.

    So the choice depends on neither order, seed nor machine, a smaller one lies within a larger one, and a photograph
    added to the set moves at most one. Ids are hashed rather than files, which need not be read to choose; a set that
    is renamed is chosen from anew. Give each member of a Concat its own choice.

    Args:
        source: The set; not a Concat of several.
        count: How many photographs, at least 1; None takes all and leaves the name as it is.

    Raises:
        ValueError: If the count is below 1, or the set joins several.

    Example:
        >>> from blurlab.dataset import Bundled
        >>> some = Subset(Bundled(), 2)
        >>> some.name, [photo.id for photo in some.photos()]
        ('bundled_2', ['motorcycle_left.png', 'retina.jpg'])
    """

    def __init__(self, source: Source, count: int | None = None) -> None:
        if count is not None and count < 1:
            raise ValueError(f"count must be at least 1, or None for all photographs, got {count}")
        if len(source.members()) > 1:
            raise ValueError(f"source must be one set, got {source.name}; give each set of a Concat its own Subset")
        self.source = source
        self.count = count
        self.name = source.name if count is None else f"{source.name}_{count}"
        self.site = source.site

    def photos(self) -> list[Photo]:
        """The chosen photographs; groups are as in the set, though some of a group may not be chosen.

        Raises:
            DataNotFound: If the set has fewer than ``count``.
        """
        every = self.source.photos()
        if self.count is None:
            return every
        if len(every) < self.count:
            raise DataNotFound(
                f"{self.source.name} holds {len(every)} photographs and {self.count} are asked for; ask for fewer, "
                f"or get the whole set from {self.site}"
            )
        chosen = sorted(every, key=lambda photo: hashlib.sha256(photo.id.encode()).digest())[: self.count]
        return sorted(chosen, key=lambda photo: photo.id)

    def load(self, photo: Photo) -> NDArray[np.float32]:
        """As the set loads it."""
        return self.source.load(photo)

    def check(self, photo: Photo) -> None:
        """As the set checks it."""
        self.source.check(photo)

    def digest(self, photo: Photo) -> str:
        """As the set computes it."""
        return self.source.digest(photo)
