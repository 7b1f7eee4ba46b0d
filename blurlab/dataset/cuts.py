"""Squares cut out of the photographs of a set, as they are: detail at the size at which it was photographed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from blurlab.core.rng import seed_from
from blurlab.dataset.source import Photo, Source


class Cuts(Source):
    """``count`` squares of each photograph of a set, at places that their names choose.

    Training shows nearly the whole of each photograph, made smaller; large photographs are soft at their own size,
    and only squares of them show that. The squares of a photograph are one group and stay in one split.

    Args:
        source: The set; not a Concat of several.
        side_px: Side of the squares [px].
        count: Squares a photograph.
        middle: Share of the photograph's sides, about its middle, that they are cut out of: less than 1 leaves out the
            surroundings of a round field.

    Raises:
        ValueError: If a number is out of its range, or the set joins several.

    Example:
        >>> from blurlab.dataset import FundusSynthetic
        >>> cuts = Cuts(FundusSynthetic(n=1, size=96), side_px=48, count=2, middle=0.7)
        >>> [cuts.load(photo).shape for photo in cuts.photos()]
        [(48, 48, 3), (48, 48, 3)]
    """

    def __init__(self, source: Source, side_px: int, count: int = 1, middle: float = 1.0) -> None:
        if side_px < 1 or count < 1 or not 0 < middle <= 1:
            raise ValueError(
                f"side_px and count must be 1 or more and middle in (0, 1], got {side_px}, {count}, {middle:g}"
            )
        if len(source.members()) > 1:
            raise ValueError(f"source must be one set, got {source.name}; cut each set of a Concat by itself")
        self.source = source
        self.side_px, self.count, self.middle = side_px, count, middle
        self.name = f"{source.name}_cut{side_px}"
        self.site = source.site

    def photos(self) -> list[Photo]:
        """``count`` of each photograph of the set, in its order."""
        return [
            Photo(
                id=f"{photo.id}/{self.middle:g}/{number:03d}",
                group=photo.group or photo.id,
                draw=partial(self._cut, photo, number),
            )
            for photo in self.source.photos()
            for number in range(self.count)
        ]

    def check(self, photo: Photo) -> None:
        """As the set checks the photograph that it is cut out of."""
        self.source.check(self._whole(photo))

    def digest(self, photo: Photo) -> str:
        """Of the photograph's digest and the square's name."""
        whole = self.source.digest(self._whole(photo))
        return super().digest(replace(photo, id=f"{whole}/{photo.id}"))

    def _whole(self, photo: Photo) -> Photo:
        """The photograph that a square is cut out of."""
        return photo.draw.args[0]  # type: ignore[union-attr]  # photos() made it

    def _cut(self, photo: Photo, number: int) -> NDArray[np.float32]:
        image = self.source.load(photo)
        rng = np.random.default_rng(seed_from(self.name, photo.id, number))
        starts = []
        for side in image.shape[:2]:
            margin = int(side * (1 - self.middle) / 2)
            room = side - 2 * margin - self.side_px
            if room < 0:
                raise ValueError(
                    f"no {self.side_px} px fit into {self.middle:g} of {photo.id}, which is {image.shape[0]}x"
                    f"{image.shape[1]}; use a smaller side_px"
                )
            starts.append(margin + int(rng.integers(room + 1)))
        top, left = starts
        return np.ascontiguousarray(image[top : top + self.side_px, left : left + self.side_px])
