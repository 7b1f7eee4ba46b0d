"""Images of microscopes, of any range of samples."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blurlab.core.file_names import readable
from blurlab.core.image_io import ImageReadError, read_image
from blurlab.dataset.source import DataNotFound, Photo, Source, files_in

TIFF = (".tif", ".tiff")
WHITE = 99.9
"""Percentile of an image's samples that becomes 1: a few hot pixels do not darken the rest."""


class Microscopy(Source):
    """Every TIFF and PNG file of a folder, each scaled so that its own range fills [0, 1].

    A stack becomes the largest value of its planes. The least sample becomes 0, the percentile ``WHITE`` 1.

    Args:
        root: The folder, or the one that holds it as ``microscopy``.
        least_side: Images with a shorter side are passed over, px.
    """

    name = "microscopy"
    site = "your own images: dataset.test_source.root names their folder"

    def __init__(self, root: str | os.PathLike[str], least_side: int = 32) -> None:
        self.root = Path(root)
        self.least_side = least_side

    def photos(self) -> list[Photo]:
        """The images, each a group of its own.

        Raises:
            DataNotFound: If there is none.
            ImageReadError: If a file cannot be read.
        """
        folder = self.root / "microscopy" if (self.root / "microscopy").is_dir() else self.root
        found = [Photo(id=readable(path.name), path=path) for path in files_in(folder) if _is_image(path)]
        found = [photo for photo in found if min(self.load(photo).shape[:2]) >= self.least_side]
        if not found:
            raise DataNotFound(
                f"no microscope's image of {self.least_side} px a side or more in {readable(folder.absolute())}; "
                "name a folder of TIFF or PNG files with dataset.test_source.root"
            )
        return found

    def load(self, photo: Photo) -> NDArray[np.float32]:
        """The image's samples (H, W, 1 or 3), float32 in [0, 1].

        Raises:
            ImageReadError: If its file is no such image, or constant.
        """
        assert photo.path is not None
        samples = _tiff(photo.path) if photo.path.suffix.lower() in TIFF else read_image(photo.path, min_side=1)
        low, high = float(samples.min()), float(np.percentile(samples, WHITE))
        if not (np.isfinite(samples).all() and low < high):
            raise ImageReadError(f"{readable(photo.path)} is constant or not finite; leave it out")
        return ((samples - low) / (high - low)).clip(0, 1).astype(np.float32)

    def check(self, photo: Photo) -> None:
        """Read the whole file: a header says nothing of a stack's range."""
        self.load(photo)


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in (*TIFF, ".png")


def _tiff(path: Path) -> NDArray[np.float32]:
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            series = file.series[0]
            axes, samples = series.axes, np.asarray(series.asarray(), dtype=np.float32)
    except (ValueError, OSError, IndexError, tifffile.TiffFileError) as error:
        raise ImageReadError(f"{readable(path)} cannot be read: {' '.join(str(error).split())[:120]}") from error
    if axes.endswith("S"):  # colours, the last axis of one image
        colours = samples.shape[-1] in (1, 3)
    else:
        samples, colours = samples[..., None], True
    if not colours or samples.ndim not in (3, 4):
        raise ImageReadError(
            f"{readable(path)} has the axes {axes} of {samples.shape}; an image has rows and columns, a stack planes "
            "too, and either may have three colours; save one channel"
        )
    return samples if samples.ndim == 3 else samples.max(0)
