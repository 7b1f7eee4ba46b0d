"""EXIF orientation: from the pixels as a file stores them to the right side up, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDEWAYS, MIRRORED, UPSIDE_DOWN = (5, 6, 7, 8), (2, 3, 6, 7), (3, 4, 7, 8)


def upright(image: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Undo an EXIF orientation: 2, 4, 5, 7 are mirrored, 5 to 8 lie on their side.

    Example:
        >>> upright(np.array([[1, 2, 3]]), 6).tolist()
        [[1], [2], [3]]
    """
    if orientation in SIDEWAYS:
        image = image.swapaxes(0, 1)
    if orientation in MIRRORED:
        image = image[:, ::-1]
    if orientation in UPSIDE_DOWN:
        image = image[::-1]
    return image


def turned_back(image: NDArray[Any], orientation: int) -> NDArray[Any]:
    """The inverse of :func:`upright`.

    Example:
        >>> image = np.arange(6).reshape(2, 3)
        >>> all(np.array_equal(turned_back(upright(image, one), one), image) for one in range(1, 9))
        True
    """
    if orientation in UPSIDE_DOWN:
        image = image[::-1]
    if orientation in MIRRORED:
        image = image[:, ::-1]
    if orientation in SIDEWAYS:
        image = image.swapaxes(0, 1)
    return np.ascontiguousarray(image)
