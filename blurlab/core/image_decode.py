"""Decoders behind :mod:`blurlab.core.image_io`: each gives the stored samples, whole and unscaled, or raises.

A decoder returns :class:`Samples`, with alpha taken apart and colours as RGB. TIFF files have a module of their
own, :mod:`blurlab.core.image_tiff`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

MAX_PIXELS = 175_000_000  # just under the size at which Pillow refuses by itself
ORIENTATION_TAG = 274
PILLOW_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "PPM", "WEBP", "GIF", "JPEG2000")


class Refused(Exception):
    """A file is sound but cannot be used; the message completes "<file>: it ..." and says what to do."""


@dataclass(frozen=True)
class Samples:
    """The stored samples of a file.

    Attributes:
        values: (H, W) or (H, W, C): unsigned integers, booleans or floats.
        orientation: EXIF orientation (1 to 8) that has still to be applied.
        declared_white: The sample value that the file itself calls white; None where it names none.
        white_is_zero: Are the values those of a negative, 0 for white?
        alpha: (H, W), of the type of the values; None where there is none.
    """

    values: NDArray[Any]
    orientation: int = 1
    declared_white: float | None = None
    white_is_zero: bool = False
    alpha: NDArray[Any] | None = None


def png_depth(head: bytes) -> int:
    """Bits a sample of a PNG file (its byte 24), 0 for any other file."""
    return head[24] if head[:8] == b"\x89PNG\r\n\x1a\n" and len(head) > 24 else 0


def pillow_size(file: BinaryIO) -> tuple[int, int]:
    """(height, width) from the header, as stored, before any turning."""
    from PIL import Image

    try:
        with _pillow_open(file) as image:
            return image.height, image.width
    except Image.DecompressionBombError:
        raise Refused(f"it has more than {MAX_PIXELS:,} pixels; crop or shrink it") from None


def decode_pillow(file: BinaryIO) -> Samples:
    """Decode 8-bit (or 1-bit) files of every format, and 16-bit grey PNG."""
    with _pillow_open(file) as image:
        image.load()
        orientation = _pillow_orientation(image)
        if image.mode == "1":
            return Samples(np.asarray(image, dtype=bool), orientation)
        keyed = "transparency" in image.info  # a colour that is transparent, or one alpha for each of a palette
        if image.mode in ("I;16", "I;16B") or (image.mode == "L" and not keyed):
            return Samples(np.asarray(image), orientation)
        if image.mode in ("L", "LA", "La"):
            grey = np.asarray(image.convert("LA"))
            return Samples(grey[..., 0], orientation, alpha=grey[..., 1])
        if image.mode == "P" and not keyed:
            return Samples(np.asarray(image.convert("RGB")), orientation)
        if image.mode in ("P", "PA", "RGBA", "RGBa") or (image.mode == "RGB" and keyed):
            colours = np.asarray(image.convert("RGBA"))
            return Samples(colours[..., :3], orientation, alpha=colours[..., 3])
        if image.mode in ("RGB", "RGBX", "CMYK", "YCbCr"):
            return Samples(np.asarray(image.convert("RGB")), orientation)
        raise Refused(f"its pixels are of mode {image.mode}, which is not supported; save it as RGB or grey")


def decode_png16(file: BinaryIO) -> Samples:
    """Decode a 16-bit PNG whole; Pillow, which keeps 8 of the bits, only proves that the file is complete."""
    import cv2

    with _pillow_open(file) as image:
        image.load()
        orientation = _pillow_orientation(image)
    file.seek(0)
    data = file.read()
    samples = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None or samples.dtype != np.uint16:
        raise ValueError("its 16-bit samples cannot be decoded")
    if samples.ndim == 2:
        return Samples(samples, orientation)
    grey_with_alpha = data[25] == 4  # to OpenCV these are four channels
    values = samples[..., 0] if grey_with_alpha else samples[..., 2::-1]
    return Samples(values, orientation, alpha=samples[..., 3] if samples.shape[2] == 4 else None)


def pnm_header(head: bytes) -> tuple[str, int, int, int, int] | None:
    r"""(magic, width, height, maximum, offset of the samples) of a grey or colour PNM file, None for any other file.

    Example:
        >>> pnm_header(b"P5 # made by hand\n3 2\n4095\n......")
        ('P5', 3, 2, 4095, 27)
    """
    if head[:2] not in (b"P2", b"P3", b"P5", b"P6"):
        return None
    numbers: list[int] = []
    at = 2
    while len(numbers) < 3:
        while head[at : at + 1].isspace() or head[at : at + 1] == b"#":
            at = head.index(b"\n", at) + 1 if head[at : at + 1] == b"#" else at + 1
        start = at
        while head[at : at + 1].isdigit():
            at += 1
        numbers.append(int(head[start:at]))
    return head[:2].decode(), numbers[0], numbers[1], numbers[2], at + 1


def pnm_end(magic: str, width: int, height: int, maximum: int, offset: int) -> int:
    """Where the samples of a binary PNM file end, from its :func:`pnm_header`."""
    return offset + width * height * (3 if magic == "P6" else 1) * (2 if maximum > 255 else 1)


def decode_pnm16(file: BinaryIO) -> Samples:
    """Decode PGM and PPM files (binary or text) whose maximum is above 255; that is their white."""
    data = file.read()
    header = pnm_header(data)
    if header is None or not 0 < header[3] < 65536:
        raise ValueError("its PNM header is not valid")
    magic, width, height, maximum, offset = header
    channels = 3 if magic in ("P3", "P6") else 1
    count = width * height * channels
    values: NDArray[Any]
    if magic in ("P5", "P6"):
        values = np.frombuffer(data, ">u2", count, offset)
    else:
        values = np.array(data[offset:].split()[:count], dtype=np.int64)
    if len(values) != count or not 0 <= int(values.min()) <= int(values.max()) <= maximum:
        raise ValueError(f"it needs {count} samples of 0 to {maximum}, or is truncated")
    return Samples(values.astype(np.uint16).reshape(height, width, channels), declared_white=float(maximum))


def _pillow_open(file: BinaryIO) -> Any:
    from PIL import Image

    file.seek(0)
    image: Any = Image.open(file, formats=PILLOW_FORMATS)
    # a photograph of a telephone (MPO) carries previews behind its first frame; an animation is no photograph
    if getattr(image, "is_animated", False) and image.format in ("GIF", "PNG", "WEBP"):
        raise Refused(f"it is an animation of {image.n_frames} frames; save one frame as an image")
    return image


def _pillow_orientation(image: Any) -> int:
    try:
        return int(image.getexif().get(ORIENTATION_TAG, 1))
    except Exception:  # broken EXIF comes as many kinds of error, and the pixels are good without it
        return 1
