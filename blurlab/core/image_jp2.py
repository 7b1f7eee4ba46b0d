"""JPEG 2000 files: depths that Pillow does not read, and files like others."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from blurlab.core.image_decode import Samples

CODESTREAM = b"\xff\x4f\xff\x51"
"""How the samples begin, and a file that holds nothing besides."""
SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
KEPT = (b"uuid", b"xml ", b"uinf")
"""Boxes with EXIF, XMP and the like."""
PROFILED = 2
"""Method of a box ``colr`` that holds an ICC profile."""


def jp2_depth(head: bytes) -> tuple[int, int]:
    r"""(bits a sample, channels) of a JPEG 2000 file from its first bytes, (0, 0) for any other file.

    Example:
        >>> jp2_depth(CODESTREAM + bytes(36) + b"\0\3\x0f")
        (16, 3)
    """
    if head.startswith(CODESTREAM) and len(head) > 42:
        return (head[42] & 0x7F) + 1, int.from_bytes(head[40:42], "big")
    at = head.find(b"ihdr") + 4 if head.startswith(SIGNATURE) else 0
    if at < 12 or len(head) < at + 11:
        return 0, 0
    return (head[at + 10] & 0x7F) + 1, int.from_bytes(head[at + 8 : at + 10], "big")


def decode_jp2_deep(file: BinaryIO) -> Samples:
    """Decode colours of more than 8 bits; Pillow keeps 8 of them, and makes the brightest black."""
    import cv2

    file.seek(0)
    data = file.read()
    channels = jp2_depth(data[:4096])[1]
    samples = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None or samples.dtype != np.uint16 or samples.ndim != 3 or samples.shape[2] != channels:
        raise ValueError("its samples of more than 8 bits cannot be decoded; save it as PNG or TIFF")
    return Samples(samples[..., 2::-1], alpha=samples[..., 3] if channels == 4 else None)


def jp2_alike(samples: NDArray[Any], data: bytes) -> bytes:
    """Without loss, with the EXIF, XMP and colour profile of ``data``; a bare codestream stays one.

    Args:
        samples: (H, W, 1 to 4), 8 or 16 bits.
        data: The file that they came from.
    """
    made = _sixteen(samples) if samples.dtype == np.uint16 and samples.shape[2] > 2 else _eight(samples)
    parts = dict(_boxes(made))
    if data.startswith(CODESTREAM):
        return _content(parts[b"jp2c"])
    kept = [box for name, box in _boxes(data) if name in KEPT]
    header = dict(_boxes(data)).get(b"jp2h", b"")
    profiles = [
        box
        for name, box in _boxes(_content(header))
        if (name == b"colr" and box[8] == PROFILED) or name == b"res "
    ]  # fmt: skip
    own = [
        box
        for name, box in _boxes(_content(parts[b"jp2h"]))
        if not (name == b"colr" and any(one[4:8] == b"colr" for one in profiles))
    ]
    body = b"".join([*own, *profiles])
    parts[b"jp2h"] = struct.pack(">I", len(body) + 8) + b"jp2h" + body
    last = parts.pop(b"jp2c")
    return b"".join([*parts.values(), *kept, last])


def _eight(samples: NDArray[Any]) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    image = Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples)
    image.save(file, "JPEG2000", irreversible=False)
    return file.getvalue()


def _sixteen(samples: NDArray[Any]) -> bytes:
    import cv2

    turned = samples[..., [2, 1, 0, *range(3, samples.shape[2])]]
    done, encoded = cv2.imencode(".jp2", turned, [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000])
    assert done  # JPEG 2000 holds every array of 16 bits
    return encoded.tobytes()


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and whole bytes of each box; the last may leave its length open."""
    at = 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if length == 1:
            length = int.from_bytes(data[at + 8 : at + 16], "big")
        end = len(data) if length == 0 else at + max(length, 8)
        yield data[at + 4 : at + 8], data[at:end]
        at = end


def _content(box: bytes) -> bytes:
    return box[16:] if box[:4] == b"\0\0\0\1" else box[8:]
