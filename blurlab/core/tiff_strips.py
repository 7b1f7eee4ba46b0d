"""Strips of a TIFF file compressed by LZW or PackBits, which tifffile writes with optional codecs alone."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

NONE, LZW, PACKBITS = 1, 5, 32773
"""Values of the tag Compression."""
PILLOW_NAMES = {LZW: "tiff_lzw", PACKBITS: "packbits"}
DIFFERENCES = 2
"""Value of the tag Predictor: each sample is stored as its difference to the one on its left."""


@dataclass(frozen=True)
class Strips:
    """The compressed rows of an image.

    Attributes:
        data: Bytes of each strip.
        rows: Rows of each, save the last.
        predictor: Value of the tag Predictor.
    """

    data: list[bytes]
    rows: int
    predictor: int


def strips(samples: NDArray[Any], compression: int, order: Literal["<", ">"], predictor: int = NONE) -> Strips:
    """Compress samples; Pillow takes their bytes for a grey image.

    Args:
        samples: (H, W, C).
        compression: ``LZW`` or ``PACKBITS``.
        order: ``<`` or ``>``, of the bytes of a sample in the file.
        predictor: ``DIFFERENCES`` where that is wanted; only LZW of integers has it.

    Example:
        >>> flat = np.full((300, 40, 3), 700, np.uint16)
        >>> made = strips(flat, LZW, "<", DIFFERENCES)
        >>> made.predictor, sum(map(len, made.data)) < flat.nbytes / 20
        (2, True)
    """
    import tifffile
    from PIL import Image

    differs = predictor == DIFFERENCES and compression == LZW and samples.dtype in (np.uint8, np.uint16)
    stored = samples.copy()
    if differs:
        stored[:, 1:] -= samples[:, :-1]
    rows = np.ascontiguousarray(stored.astype(stored.dtype.newbyteorder(order))).view(np.uint8)
    file = io.BytesIO()
    Image.fromarray(rows.reshape(len(samples), -1)).save(file, "TIFF", compression=PILLOW_NAMES[compression])
    data = file.getvalue()
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page: Any = tiff.pages[0]
        places = zip(page.dataoffsets, page.databytecounts, strict=True)
        return Strips([data[at : at + n] for at, n in places], page.rowsperstrip, DIFFERENCES if differs else NONE)
