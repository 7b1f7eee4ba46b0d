"""Kernels in files: TIFF, PNG or NumPy."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blurlab.core.atomic import replace_whole
from blurlab.core.file_names import readable
from blurlab.core.image_io import read_image, write_image

SUFFIXES = (".tif", ".tiff", ".png", ".npy")


def read_kernel(path: Path) -> NDArray[np.float32]:
    """The kernel (k, l) of a file: odd sides, of sum 1, its centre in the middle.

    Of colours the mean is taken; a side that is even gets an empty row or column at its end, so that the pixel
    ``(k // 2, l // 2)`` of the file is the centre.

    Raises:
        ValueError: If the file is none of ``SUFFIXES``, cannot be read, or holds no kernel.
    """
    check_suffix(path)
    if path.suffix.lower() == ".png":
        values: NDArray[Any] = read_image(path)
    else:
        try:
            values = np.load(path, allow_pickle=False) if path.suffix.lower() == ".npy" else _tiff(path)
        except FileNotFoundError:
            raise ValueError(f"{readable(path)} does not exist; check the path") from None
        except Exception as error:  # damaged files are answered with errors of every kind
            raise ValueError(f"{readable(path)} cannot be read as a kernel: {' '.join(str(error).split())}") from error
    return as_kernel(values, readable(path))


def write_kernel(path: Path, psf: NDArray[Any]) -> Path:
    """Write a kernel (k, l): ``.tif`` and ``.npy`` in single precision, ``.png`` as 16-bit shares of its largest value.

    Raises:
        ValueError: If the name has none of these endings.
        OSError: If the file cannot be made.
    """
    import tifffile

    check_suffix(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    plane = np.asarray(psf, dtype=np.float32)
    if path.suffix.lower() == ".png":
        return write_image(path, plane / plane.max(), 65535)
    made = io.BytesIO()
    if path.suffix.lower() == ".npy":
        np.save(made, plane, allow_pickle=False)
    else:
        tifffile.imwrite(made, plane, photometric="minisblack")
    with replace_whole(path) as file:
        file.write(made.getvalue())
    return path


def as_kernel(values: NDArray[Any], name: str = "kernel") -> NDArray[np.float32]:
    """Values (k, l), or (k, l, C) as a picture, as a kernel with odd sides and sum 1.

    Raises:
        ValueError: If they are no such plane, negative, not finite, or all 0.

    Example:
        >>> as_kernel(np.array([[1.0, 3.0]])).tolist()
        [[0.25, 0.75, 0.0]]
    """
    plane = np.asarray(values)
    plane = plane.mean(axis=2) if plane.ndim == 3 and plane.shape[2] in (1, 3) else plane
    if plane.ndim != 2 or plane.size == 0 or plane.dtype.kind not in "fuib":
        raise ValueError(f"{name}: a kernel must be numbers (k, l), got {np.asarray(values).dtype} {np.shape(values)}")
    if not np.isfinite(plane).all() or plane.min() < 0 or plane.sum() <= 0:
        came = f"values from {plane.min():.3g} to {plane.max():.3g}"
        raise ValueError(f"{name}: a kernel must be finite, >= 0 and not all 0, got {came}; cut off what is below 0")
    whole = np.pad(plane.astype(np.float64), [(0, 1 - side % 2) for side in plane.shape])
    return (whole / whole.sum()).astype(np.float32)


def check_suffix(path: Path) -> None:
    """Raise unless a file's name says one of the formats of kernels.

    Raises:
        ValueError: Naming it.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{readable(path)}: a kernel's file must end in one of {', '.join(SUFFIXES)}")


def _tiff(path: Path) -> NDArray[Any]:
    import tifffile

    return np.asarray(tifffile.imread(path))
