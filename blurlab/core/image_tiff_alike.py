"""A TIFF file like another: its type of samples, tags, colour profile and EXIF, other pixels."""

from __future__ import annotations

import io
import struct
import warnings
from typing import Any

from numpy.typing import NDArray

from blurlab.core.image_tiff import WHITE_TAGS, with_photograph_first
from blurlab.core.tiff_strips import NONE, PILLOW_NAMES, strips

STRUCTURE = frozenset({
    *range(254, 260), *range(262, 267), 273, 277, 278, 279, 282, 283, 284, *range(290, 294), 296, 297, 301,
    *range(317, 326), 330, 332, 333, 334, *range(336, 340),
    347, *range(512, 522), *range(529, 533), 32997, 50838, 50839,
})  # fmt: skip
"""Tags that say how samples are stored, or where other pages lie: those of the new file are its own."""
LARGEST = 281  # MaxSampleValue
FOLDERS = (34665, 34853)  # EXIF, GPS: tags that point to tags of their own
ZLIB, ZLIB_TAGS = "adobe_deflate", (8, 32946)
COMPRESSION = 259


def foreign_compression(data: bytes) -> str:
    """The name of the compression of a TIFF file's photograph if :func:`tiff_alike` writes another; else empty."""
    import tifffile

    with tifffile.TiffFile(with_photograph_first(io.BytesIO(data))) as tiff:
        page: Any = tiff.pages[0]
        known = (NONE, *ZLIB_TAGS, *(() if tiff.is_bigtiff else PILLOW_NAMES))
        return "" if page.compression in known else str(getattr(page.compression, "name", page.compression))


def tiff_alike(samples: NDArray[Any], data: bytes, white: float) -> bytes:
    """The bytes of a TIFF file with samples (H, W, 1 to 4) and what else the file ``data`` says of its photograph.

    LZW and PackBits stay so, other compressed files and BigTIFF are compressed by zlib. Integers of more than 8 bits
    say which value is white.
    """
    import tifffile

    source = with_photograph_first(io.BytesIO(data))
    source.seek(0)
    data = source.read()
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        page: Any = tiff.pages[0]
        order, big = tiff.byteorder, tiff.is_bigtiff
        found = {} if big else {tag: _folder(data, tag) for tag in FOLDERS}
        folders = {tag: body for tag, body in found.items() if body is not None}
        tags = _tags(page) + [(tag + 1, "I", 1, 0, True) for tag in folders]  # tifffile writes none
        if samples.dtype.kind == "u" and samples.dtype.itemsize > 1 and not {*WHITE_TAGS} & {tag[0] for tag in tags}:
            tags.append((LARGEST, "H" if white < 65536 else "I", 1, int(white), True))
        compression = None if page.compression == NONE else ZLIB
        packed = None
        if page.compression in PILLOW_NAMES and not big:
            packed = strips(samples, page.compression, order, page.predictor)
        number = int(page.compression)
        resolution = tuple(page.tags[tag].value for tag in (282, 283) if tag in page.tags)
        unit = page.tags[296].value if 296 in page.tags else None
    channels = samples.shape[2]
    colours = 3 if channels > 2 else 1
    out = io.BytesIO()
    stored = samples[..., 0] if channels == 1 else samples
    with tifffile.TiffWriter(out, bigtiff=big, byteorder=order) as writer:
        writer.write(
            stored if packed is None else iter(packed.data),
            shape=None if packed is None else stored.shape,
            dtype=None if packed is None else stored.dtype.newbyteorder(order),
            rowsperstrip=None if packed is None else packed.rows,
            predictor=None if packed is None or packed.predictor == NONE else packed.predictor,
            photometric="rgb" if colours == 3 else "minisblack",
            planarconfig="contig" if channels > 1 else None,
            extrasamples=["unassalpha"] if channels > colours else None,
            compression=compression,
            resolution=resolution if len(resolution) == 2 else None,
            resolutionunit=unit,
            extratags=tags,
            software=False,
            metadata=None,
        )
    made = bytearray(out.getvalue())
    if packed is not None:  # tifffile takes strips that it cannot make, but not their name
        at = _place(made, COMPRESSION)
        assert at is not None
        made[at : at + 2] = number.to_bytes(2, "little" if order == "<" else "big")
    return _with_folders(made, folders)


def _tags(page: Any) -> list[tuple[Any, ...]]:
    """The tags that are kept, as tifffile takes them."""
    kept = []
    for tag in page.tags.values():
        value = tag.value.encode("utf-8") if isinstance(tag.value, str) else tag.value
        if tag.code in STRUCTURE or tag.code in FOLDERS or not isinstance(value, (bytes, int, float, tuple)):
            continue
        kept.append((tag.code, int(tag.dtype), len(value) if isinstance(value, bytes) else tag.count, value, True))
    return kept


def _folder(data: bytes, tag: int) -> Any:
    """The tags that a tag of the first page points to, whole; None where there are none, or they cannot be read."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    at = _place(data, tag)
    if at is None:
        return None
    little = data[:2] == b"II"
    head = b"II*\0\x08\0\0\0" if little else b"MM\0*\0\0\0\x08"
    read, whole = ImageFileDirectory_v2(head), ImageFileDirectory_v2(head)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            file = io.BytesIO(data)
            file.seek(_number(data, at, 4))
            read.load(file)
            for key in read:
                whole.tagtype[key] = read.tagtype[key]
                whole[key] = read[key]
            whole.tobytes(0)
    except Exception:  # broken EXIF comes as many kinds of error, and the pixels are good without it
        return None
    return whole


def _with_folders(data: bytearray, folders: dict[int, Any]) -> bytes:
    """The file with tags of tags put behind its end, and pointers to them, where tags of the next number stand."""
    for tag, body in folders.items():
        at, order = _place(data, tag + 1), "<" if data[:2] == b"II" else ">"
        assert at is not None
        data += bytes(len(data) % 2)
        data[at - 8 : at - 6] = struct.pack(f"{order}H", tag)
        data[at : at + 4] = struct.pack(f"{order}I", len(data))
        data += body.tobytes(len(data))
    return bytes(data)


def _place(data: bytes | bytearray, tag: int) -> int | None:
    """Where the value of a tag of the first page lies in a TIFF file that is no BigTIFF; None where there is none."""
    start = _number(data, 4, 4)
    entries = range(start + 2, start + 2 + 12 * _number(data, start, 2), 12)
    return next((at + 8 for at in entries if _number(data, at, 2) == tag), None)


def _number(data: bytes | bytearray, at: int, length: int) -> int:
    return int.from_bytes(data[at : at + length], "little" if data[:2] == b"II" else "big")
