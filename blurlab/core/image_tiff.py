"""TIFF files for :mod:`blurlab.core.image_io`: which of a file's pages is the photograph, and its samples."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from blurlab.core.image_decode import ORIENTATION_TAG, Refused, Samples, decode_pillow
from blurlab.core.orientation import turned_back, upright

SIGNED = 2  # of the tag SampleFormat
REDUCED, MASK = 1, 4  # bits of the tag NewSubfileType
WHITE_TAGS = (341, 281)  # SMaxSampleValue, MaxSampleValue
# what tifffile would print on standard error of a damaged file is said by the error
logging.getLogger("tifffile").addHandler(logging.NullHandler())
_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def is_tiff(head: bytes) -> bool:
    """Do these first bytes open a TIFF or BigTIFF file?"""
    return head[:4] in _MAGIC


def with_photograph_first(file: BinaryIO) -> BinaryIO:
    """The file, or a copy whose first page is the photograph where the file begins with another.

    Pages that are marked as reduced copies or masks (NewSubfileType) are passed over, and those that a page keeps
    below itself (SubIFDs) are looked at like the rest.

    Raises:
        Refused: If more than one page is left, or none of several, or the page is a stack of planes.
    """
    import tifffile

    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        every = list(_pages(tiff.pages))
        full = [page for page in every if not page.subfiletype & (REDUCED | MASK)] if len(every) > 1 else every
        if len(full) != 1:
            raise Refused(_which_page(every, full))
        planes = max(_planes(series) for series in tiff.series if series.keyframe.offset == full[0].offset)
        if planes > 1:
            raise Refused(f"it is a stack of {planes} planes; save one plane as an image")
        moved = full[0].offset != every[0].offset
        big, order = tiff.is_bigtiff, "little" if tiff.byteorder == "<" else "big"
    file.seek(0)
    if not moved:
        return file
    data = bytearray(file.read())
    pointer = slice(8, 16) if big else slice(4, 8)
    data[pointer] = full[0].offset.to_bytes(pointer.stop - pointer.start, order)
    return io.BytesIO(data)


def tiff_size(file: BinaryIO) -> tuple[int, int]:
    """(height, width) of the first page, as stored."""
    import tifffile

    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        page: Any = tiff.pages[0]
        return page.imagelength, page.imagewidth


def decode_tiff(file: BinaryIO) -> Samples:
    """Decode the first page: up to 8 bits by Pillow, deeper integers and floats by tifffile.

    Compressions that tifffile lacks without its optional codecs (LZW, PackBits), and samples of 9 to 15 bits that are
    stored without gaps, are left to OpenCV.
    """
    import tifffile

    with tifffile.TiffFile(file) as tiff:
        page: Any = tiff.pages[0]
        if page.sampleformat == SIGNED:
            raise Refused(
                f"its samples are signed ({page.dtype}), so what is black and what white is not known; save it unsigned"
            )
        if page.bitspersample > 8:
            return _deep_page(page, file)
        tag = page.tags.get(ORIENTATION_TAG)
        turned = 1 if tag is None else int(tag.value)
    read = decode_pillow(file)
    if read.orientation == turned:
        return read
    stored = replace(read, values=upright(read.values, read.orientation), orientation=turned)  # Pillow has turned it
    alpha = None if read.alpha is None else turned_back(upright(read.alpha, read.orientation), turned)
    return replace(stored, values=turned_back(stored.values, turned), alpha=alpha)


def _pages(pages: Iterable[Any]) -> Iterator[Any]:
    for page in pages:
        yield page
        if page.pages is not None:
            yield from _pages(page.pages)


def _planes(series: Any) -> int:
    """Images in a series of pages, which ImageJ writes behind one page."""
    return int(np.prod([n for n, axis in zip(series.shape, series.axes, strict=True) if axis not in "YXS"]))


def _which_page(every: list[Any], full: list[Any]) -> str:
    if not full:
        return f"it has {len(every)} pages, all marked as reduced copies or masks; save the photograph by itself"
    sizes = ", ".join(f"{page.imagelength}x{page.imagewidth}" for page in full[:3])
    more = ", ..." if len(full) > 3 else ""
    return f"it holds {len(full)} pages ({sizes}{more}); save the one that is meant as an image"


def _deep_page(page: Any, file: BinaryIO) -> Samples:
    photometric, bits = page.photometric.name, page.bitspersample
    if photometric not in ("RGB", "MINISBLACK", "MINISWHITE"):
        raise Refused(f"its {bits}-bit {photometric} samples are not supported; save it as RGB or grey")
    tag = page.tags.get(ORIENTATION_TAG)
    packed = bits < 16
    try:
        values = _by_opencv(file, tag) >> (16 - bits) if packed else page.asarray()
        if page.planarconfig == 2 and values.ndim == 3 and not packed:  # a plane a colour
            values = np.moveaxis(values, 0, -1)
    except (KeyError, ValueError) as error:
        if "imagecodecs" not in str(error):
            raise
        values = _by_opencv(file, tag)
    colours = 3 if photometric == "RGB" else 1
    alpha = values[..., colours] if values.ndim == 3 and page.extrasamples and values.shape[2] > colours else None
    values = _drop_alpha(values, colours)
    white = float(2**bits - 1) if packed else _declared_white(page)
    return Samples(values, 1 if tag is None else int(tag.value), white, photometric == "MINISWHITE", alpha)


def _declared_white(page: Any) -> float | None:
    """The sample value that the file itself calls its largest; of integers, the largest of as many bits."""
    for code in WHITE_TAGS:
        tag = page.tags.get(code)
        if tag is not None:
            value = float(np.max(tag.value))
            return value if page.dtype.kind == "f" else float(2 ** int(value).bit_length() - 1)
    return None


def _by_opencv(file: BinaryIO, orientation_tag: Any) -> NDArray[Any]:
    import cv2

    file.seek(0)
    data = bytearray(file.read())
    if orientation_tag is not None:  # OpenCV would turn the image by itself
        order: Any = "little" if data[:2] == b"II" else "big"
        data[orientation_tag.valueoffset : orientation_tag.valueoffset + 2] = (1).to_bytes(2, order)
    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None:
        raise Refused("its compression cannot be decoded; save it without compression")
    return values if values.ndim == 2 else values[..., [2, 1, 0, *range(3, values.shape[2])]]


def _drop_alpha(values: NDArray[Any], colours: int) -> NDArray[Any]:
    if values.ndim == 2:
        return values
    if values.ndim != 3 or values.shape[2] < colours:
        raise Refused(f"its samples are {values.shape}, not grey or RGB; save it as RGB or grey")
    return values[..., :colours]
