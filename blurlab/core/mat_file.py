"""Planes out of MATLAB's files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blurlab.core.image_io import ImageReadError


def read_plane(path: Path, variable: str) -> NDArray[np.float64]:
    """A variable of a MATLAB file (before version 7.3), (H, W).

    Raises:
        ImageReadError: If the file is damaged, or holds no finite plane of that name.
    """
    from scipy.io import loadmat

    try:
        plane = np.asarray(loadmat(path, variable_names=[variable])[variable], dtype=np.float64)
    except FileNotFoundError:
        raise
    except Exception as error:  # SciPy's own errors are of many kinds
        raise ImageReadError(f"{path} holds no variable {variable} that can be read; get the file anew") from error
    if plane.ndim != 2 or plane.size == 0 or not np.isfinite(plane).all():
        raise ImageReadError(f"{variable} of {path} must be a finite plane, got shape {plane.shape}; get the file anew")
    return plane
