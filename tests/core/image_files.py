"""Image files made byte by byte, so that what a reader must find in them is known without a reader."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

PNG_COLOUR_TYPE = {1: 0, 2: 4, 3: 2, 4: 6}


def png16(samples: NDArray[np.uint16], extra: bytes = b"") -> bytes:
    """A 16-bit PNG of (H, W, C) samples: grey, grey with alpha, RGB or RGBA."""
    height, width, channels = samples.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    header = png_header(height, width, 16, PNG_COLOUR_TYPE[channels])
    return header + extra + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")


def png_header(height: int, width: int, depth: int = 8, colour_type: int = 2) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + png_chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    )


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def exif_of_orientation(orientation: int) -> bytes:
    """The bare EXIF block (big-endian TIFF) with one entry."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)


def huge_tiff(path: Path, side: int) -> Path:
    """A TIFF file of a few bytes that claims to be of ``side`` x ``side`` 16-bit pixels."""
    entries = [
        (256, 4, side),
        (257, 4, side),
        (258, 3, 16),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (279, 4, 2),
    ]
    table = b"".join(
        struct.pack("<HHI", tag, kind, 1) + (struct.pack("<HH", value, 0) if kind == 3 else struct.pack("<I", value))
        for tag, kind, value in entries
    )
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + struct.pack("<I", 0))
    return path


def turned_lzw_tiff(rgb: NDArray[np.uint16], orientation: int) -> bytes:
    """A 16-bit LZW TIFF of OpenCV's with an orientation written over the tag RowsPerStrip (not needed)."""
    _, encoded = cv2.imencode(
        ".tiff", rgb[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 5, cv2.IMWRITE_TIFF_ROWSPERSTRIP, 9999]
    )
    data = encoded.tobytes()
    start = struct.unpack("<I", data[4:8])[0]
    count = struct.unpack("<H", data[start : start + 2])[0]
    end = start + 2 + 12 * count
    entries = [data[at : at + 12] for at in range(start + 2, end, 12)]
    samples_per_pixel = next(i for i, entry in enumerate(entries) if entry[:2] == struct.pack("<H", 277))
    entries[samples_per_pixel + 1] = entries[samples_per_pixel]
    entries[samples_per_pixel] = struct.pack("<HHIHH", 274, 3, 1, orientation, 0)
    return data[: start + 2] + b"".join(entries) + data[end:]


def packed_tiff(samples: NDArray[np.integer], bits: int) -> bytes:
    """A grey TIFF whose samples of ``bits`` bits (H, W) follow each other without gaps; rows fill whole bytes."""
    height, width = samples.shape
    digits = "".join(format(int(value), f"0{bits}b") for value in samples.ravel())
    data = int(digits, 2).to_bytes(len(digits) // 8, "big")
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: len(data)}
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + _tiff_page(tags, 0)


def behind_thumbnail(tiff: bytes) -> bytes:
    """The little-endian TIFF file with a page of one pixel, marked as a reduced copy, before its own."""
    padded = tiff + bytes(len(tiff) % 2)
    tags = {254: 1, 256: 1, 257: 1, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1, 279: 1}
    first = struct.unpack("<I", tiff[4:8])[0]
    return padded[:4] + struct.pack("<I", len(padded)) + padded[8:] + _tiff_page(tags, first)


def _tiff_page(tags: dict[int, int], following: int) -> bytes:
    table = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return struct.pack("<H", len(tags)) + table + struct.pack("<I", following)
