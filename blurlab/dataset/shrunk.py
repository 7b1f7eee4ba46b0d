"""Photographs made smaller: sharper, and with less noise and fewer blocks of JPEG, than they come."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from blurlab.dataset.prepare import area_weights
from blurlab.dataset.source import Photo, Source


class Shrunk(Source):
    """Every photograph of a set at ``factor`` of its sides, each pixel the mean over the area that it covers.

    Args:
        source: The set; not a Concat of several.
        factor: New side over old side, above 0 and below 1.

    Raises:
        ValueError: If the factor is out of its range, or the set joins several.

    Example:
        >>> from blurlab.dataset import FundusSynthetic
        >>> small = Shrunk(FundusSynthetic(n=1, size=96), 0.5)
        >>> small.name, small.load(small.photos()[0]).shape
        ('fundus_synthetic_x0.5', (48, 48, 3))
    """

    def __init__(self, source: Source, factor: float) -> None:
        if not 0 < factor < 1:
            raise ValueError(f"factor must be above 0 and below 1, got {factor:g}")
        if len(source.members()) > 1:
            raise ValueError(f"source must be one set, got {source.name}; shrink each set of a Concat by itself")
        self.source = source
        self.factor = factor
        self.name = f"{source.name}_x{factor:g}"
        self.site = source.site

    def photos(self) -> list[Photo]:
        """Those of the set."""
        return self.source.photos()

    def load(self, photo: Photo) -> NDArray[np.float32]:
        """The photograph, made smaller."""
        image = self.source.load(photo)
        down, across = (area_weights(side, round(side * self.factor)) for side in image.shape[:2])
        return np.stack([down @ plane @ across.T for plane in np.moveaxis(image, -1, 0)], axis=-1)

    def check(self, photo: Photo) -> None:
        """As the set checks it."""
        self.source.check(photo)

    def digest(self, photo: Photo) -> str:
        """Of the photograph's digest and the factor."""
        whole = self.source.digest(photo)
        return super().digest(replace(photo, id=whole, path=None))
