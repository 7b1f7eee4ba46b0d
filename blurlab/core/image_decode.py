"""Decoders behind :mod:`blurlab.core.image_io`: each gives the stored samples, whole and unscaled, or raises.

A decoder returns ``(samples, orientation)``: samples (H, W) or (H, W, C) of unsigned integers, booleans or floats,
with alpha already dropped and colours as RGB, and the EXIF orientation (1 to 8) that has still to be applied.
"""

from __future__ import annotations

import logging
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

Samples = tuple[NDArray[Any], int]
MAX_PIXELS = 175_000_000  # just under the size at which Pillow refuses by itself
ORIENTATION_TAG = 274
SIGNED = 2  # of the TIFF tag SampleFormat
PILLOW_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "PPM", "WEBP", "GIF", "JPEG2000")
# what tifffile would print on standard error of a damaged file is said by the error
logging.getLogger("tifffile").addHandler(logging.NullHandler())
_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class Refused(Exception):
    """A file is sound but cannot be used; the message completes "<file>: it ..." and says what to do."""


def is_tiff(head: bytes) -> bool:
    """Do these first bytes open a TIFF or BigTIFF file?"""
    return head[:4] in _TIFF_MAGIC


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
            return np.asarray(image, dtype=bool), orientation
        if image.mode in ("L", "I;16", "I;16B"):
            return np.asarray(image), orientation
        if image.mode in ("LA", "La"):
            return np.asarray(image.convert("LA"))[..., 0], orientation
        if image.mode in ("P", "PA", "RGBA", "RGBa"):
            return np.asarray(image.convert("RGBA"))[..., :3], orientation
        if image.mode in ("RGB", "RGBX", "CMYK", "YCbCr"):
            return np.asarray(image.convert("RGB")), orientation
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
        return samples, orientation
    grey_with_alpha = data[25] == 4  # to OpenCV these are four channels
    return (samples[..., 0] if grey_with_alpha else samples[..., 2::-1]), orientation


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


def decode_pnm16(file: BinaryIO) -> Samples:
    """Decode PGM and PPM files (binary or text) whose maximum is above 255, scaled by that maximum to [0, 1]."""
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
    if len(values) != count or int(values.max()) > maximum:
        raise ValueError(f"it needs {count} samples of at most {maximum}, or is truncated")
    return (values.astype(np.float32) / np.float32(maximum)).reshape(height, width, channels), 1


def tiff_size(file: BinaryIO) -> tuple[int, int]:
    """(height, width) of the first image of a TIFF file, as stored.

    Raises:
        Refused: If the file is a stack of planes.
    """
    import tifffile

    with tifffile.TiffFile(file) as tiff:
        series = tiff.series[0]
        planes = int(np.prod([n for n, axis in zip(series.shape, series.axes, strict=True) if axis not in "YXS"]))
        if planes > 1:
            raise Refused(f"it is a stack of {planes} planes; save one plane as an image")
        return tiff.pages[0].imagelength, tiff.pages[0].imagewidth  # type: ignore[union-attr]


def decode_tiff(file: BinaryIO) -> Samples:
    """Decode the first image of a TIFF file: 1- and 8-bit by Pillow, 16-bit, 32-bit and floats by tifffile.

    Compressions that tifffile lacks without its optional codecs (LZW, PackBits) are left to OpenCV.
    """
    import tifffile

    with tifffile.TiffFile(file) as tiff:
        page: Any = tiff.pages[0]
        if page.sampleformat == SIGNED and page.bitspersample <= 8:
            raise Refused("its samples are signed, so what is black and what white is not known; save it unsigned")
        if page.bitspersample > 8:
            return _deep_page(page, file)
    return decode_pillow(file)


def _deep_page(page: Any, file: BinaryIO) -> Samples:
    photometric = page.photometric.name
    if photometric not in ("RGB", "MINISBLACK", "MINISWHITE"):
        raise Refused(f"its {page.bitspersample}-bit {photometric} samples are not supported; save it as RGB or grey")
    tag = page.tags.get(ORIENTATION_TAG)
    orientation = int(tag.value) if tag is not None else 1
    try:
        samples = page.asarray()
        if page.planarconfig == 2 and samples.ndim == 3:  # a plane a colour
            samples = np.moveaxis(samples, 0, -1)
    except (KeyError, ValueError) as error:
        if "imagecodecs" not in str(error):
            raise
        samples = _tiff_by_opencv(file, tag)
    samples = _drop_alpha(samples, 3 if photometric == "RGB" else 1)
    return (_full_scale(samples) - samples if photometric == "MINISWHITE" else samples), orientation


def _tiff_by_opencv(file: BinaryIO, orientation_tag: Any) -> NDArray[Any]:
    import cv2

    file.seek(0)
    data = bytearray(file.read())
    if orientation_tag is not None:  # OpenCV would turn the image by itself
        order: Any = "little" if data[:2] == b"II" else "big"
        data[orientation_tag.valueoffset : orientation_tag.valueoffset + 2] = (1).to_bytes(2, order)
    samples = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None:
        raise Refused("its compression cannot be decoded; save it without compression")
    return samples if samples.ndim == 2 else samples[..., [2, 1, 0, *range(3, samples.shape[2])]]


def _drop_alpha(samples: NDArray[Any], colours: int) -> NDArray[Any]:
    if samples.ndim == 2:
        return samples
    if samples.ndim != 3 or samples.shape[2] < colours:
        raise Refused(f"its samples are {samples.shape}, not grey or RGB; save it as RGB or grey")
    return samples[..., :colours]


def _full_scale(samples: NDArray[Any]) -> Any:
    return np.iinfo(samples.dtype).max if samples.dtype.kind == "u" else samples.dtype.type(1)


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
