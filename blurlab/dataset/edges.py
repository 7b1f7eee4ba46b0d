"""Does a patch have edges enough that its blur can be seen [Schuler2016]?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STEP = 0.05
"""Difference of neighbouring pixels, on the [0, 1] scale, from which on there is an edge."""


def has_edges(patch: NDArray[np.uint8], share: float) -> bool:
    """Have this share of the pixels or more a difference of ``STEP`` along the rows, and as many along the columns?

    Args:
        patch: (H, W) or (H, W, C).
        share: Least share, from 0 to 1.

    Example:
        >>> ramp = np.add.outer(np.arange(8), np.arange(8)).astype(np.uint8) * 13
        >>> has_edges(ramp, 0.06), has_edges(ramp // 2, 0.06)
        (True, False)
    """
    grey = patch.reshape(*patch.shape[:2], -1).mean(-1) / 255
    return all(float((np.abs(np.diff(grey, axis=axis)) >= STEP).mean()) >= share for axis in (0, 1))
