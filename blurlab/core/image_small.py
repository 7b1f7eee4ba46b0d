"""BMP and GIF files like others: resolution and colour profile, comments and XMP."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

FILE_HEADER, SHORT, LONG = 14, 40, 124
"""Bytes of the headers of a BMP file: of the file, of version 3, of version 5."""
EMBEDDED = b"DEBM"
"""Colour space of a BMP file with a profile of its own, as stored."""
LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
"""Applications whose blocks in a GIF file say how often frames are shown."""
COMMENT, APPLICATION, FRAME, END = 0xFE, 0xFF, 0x2C, 0x3B


def bmp_alike(samples: NDArray[Any], data: bytes) -> bytes:
    """A BMP file with the resolution and the colour profile of ``data``.

    Args:
        samples: (H, W, 1, 3 or 4), 8 bits.
        data: The file that they came from.
    """
    made = _saved(samples, "BMP")
    if len(data) >= FILE_HEADER + SHORT and struct.unpack("<I", data[14:18])[0] >= SHORT:
        made[38:46] = data[38:46]  # pixels a metre
    profile, intent = _profile(data)
    if not profile or struct.unpack("<I", made[14:18])[0] != SHORT:
        return bytes(made)
    start, pixels = struct.unpack("<I", made[10:14])[0] + LONG - SHORT, made[FILE_HEADER + SHORT :]
    size = len(made) + LONG - SHORT + len(profile)
    longer = bytearray(made[FILE_HEADER : FILE_HEADER + SHORT]) + bytes(LONG - SHORT)
    longer[:4], longer[56:60] = struct.pack("<I", LONG), EMBEDDED
    longer[108:120] = struct.pack("<III", intent, size - len(profile) - FILE_HEADER, len(profile))
    head = made[:2] + struct.pack("<I", size) + made[6:10] + struct.pack("<I", start)
    return bytes(head + longer + pixels + profile)


def _profile(data: bytes) -> tuple[bytes, int]:
    """The colour profile of a BMP file, and its rendering intent; empty where it has none."""
    if len(data) < FILE_HEADER + LONG or struct.unpack("<I", data[14:18])[0] < LONG or data[70:74] != EMBEDDED:
        return b"", 0
    intent, at, length = struct.unpack("<III", data[122:134])
    return data[FILE_HEADER + at : FILE_HEADER + at + length], intent


def gif_alike(samples: NDArray[Any], data: bytes) -> bytes:
    """A GIF file of the 256 colours that fit best, with the comments and the blocks of applications of ``data``.

    Args:
        samples: (H, W, 1, 3 or 4), 8 bits.
        data: The file that they came from.
    """
    made = bytes(_saved(samples, "GIF"))
    kept = b"".join(
        block
        for kind, block in _extensions(data)
        if kind == COMMENT or (kind == APPLICATION and block[3:14] not in LOOPS)
    )
    first = _after_colours(made)
    return b"GIF89a" + made[6:first] + kept + made[first:]


def _extensions(gif: bytes) -> Iterator[tuple[int, bytes]]:
    """Label and whole bytes of each extension of a GIF file with one frame."""
    at = _after_colours(gif)
    while at + 2 < len(gif) and gif[at] != END:
        if gif[at] == FRAME:
            colours = 3 * 2 ** ((gif[at + 9] & 7) + 1) if gif[at + 9] & 0x80 else 0
            at = _after_blocks(gif, at + 11 + colours)
        else:
            end = _after_blocks(gif, at + 2)
            yield gif[at + 1], gif[at:end]
            at = end


def _after_colours(gif: bytes) -> int:
    """Where the blocks of a GIF file begin, behind its header and the colours of all frames."""
    return 13 + (3 * 2 ** ((gif[10] & 7) + 1) if gif[10] & 0x80 else 0)


def _after_blocks(gif: bytes, at: int) -> int:
    while at < len(gif) and gif[at]:
        at += gif[at] + 1
    return at + 1


def _saved(samples: NDArray[Any], form: str) -> bytearray:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples).save(file, form)
    return bytearray(file.getvalue())
