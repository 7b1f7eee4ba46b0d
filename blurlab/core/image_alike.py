"""A restored photograph in a file like the one that it came from: format, depth, alpha, colour profile and EXIF.

Pixels are turned back as the file stores them, so that its metadata can be kept byte by byte.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blurlab.core.image_decode import PILLOW_FORMATS, pnm_header
from blurlab.core.image_io import ScaledImage, put_image
from blurlab.core.image_jp2 import jp2_alike
from blurlab.core.image_small import bmp_alike, gif_alike
from blurlab.core.image_tiff import is_tiff
from blurlab.core.image_tiff_alike import foreign_compression, tiff_alike
from blurlab.core.orientation import turned_back
from blurlab.core.sample_scale import EIGHT_BITS, ONE_BIT, SIXTEEN_BITS

PNG_KEPT = frozenset(b"cHRM cICP eXIf gAMA iCCP iTXt pHYs sRGB tEXt tIME zTXt".split())
"""Chunks of a PNG file that say something of the picture, not of how its samples are stored."""
JPEG_KEPT = (*range(0xE0, 0xEE), 0xEF, 0xFE)
"""Markers of segments with metadata; not Adobe's (0xEE), which says how the samples are stored."""
PREVIEWS = b"MPF\0"
"""How the segment begins that says where a file's other pictures lie, which are not written."""
WEBP_QUALITY = 95
BAND = 256
"""Rows that are turned into samples together: what is in between of a large photograph is never whole in memory."""


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file bit by bit, whole or not at all.

    Raises:
        OSError: If the source cannot be read.
        ImageWriteError: If the copy cannot be made.
    """
    put_image(target, Path(source).read_bytes())


def write_alike(target: Path, pixels: NDArray[Any], source: Path, read: ScaledImage) -> str:
    """Write a photograph in the format of the file that it came from, with that file's alpha and metadata.

    Args:
        target: The file to make or replace; its name changes nothing of the format.
        pixels: (H, W, 1 or 3) on the [0, 1] scale, the right side up.
        source: The file that the photograph was read from.
        read: What was read from it (:func:`~blurlab.core.image_io.read_scaled`).

    Returns:
        What could not stay as it was, to be said to the user; empty where all did.

    Raises:
        ImageWriteError: If the file cannot be made there; nothing is left behind.
        ValueError: If the pixels have another shape than those that were read.
    """
    if pixels.shape != read.pixels.shape:
        raise ValueError(f"pixels must be {read.pixels.shape} as those that were read, got {pixels.shape}")
    data = Path(source).read_bytes()
    samples = samples_alike(pixels, read)
    put_image(target, _encoder(data, read.scale.white)(turned_back(samples, read.orientation), data))
    return changed_kind(data, read)


def changed_kind(data: bytes, read: ScaledImage) -> str:
    """What a file like the one with these bytes cannot keep, in a few words; empty where it keeps all.

    Example:
        >>> from blurlab.core.image_io import SampleScale
        >>> changed_kind(b"P4 ...", ScaledImage(np.zeros((1, 1, 1), np.float32), SampleScale(255, ONE_BIT)))
        'with 8 bits a sample in place of 1'
    """
    from PIL import Image

    if read.scale.why == ONE_BIT:
        return "with 8 bits a sample in place of 1"
    if is_tiff(data[:4]):
        name = foreign_compression(data)
        return f"compressed by zlib, not by {name}" if name else ""
    if pnm_header(data[:4096]) is not None:
        return ""
    with Image.open(io.BytesIO(data), formats=PILLOW_FORMATS) as image:
        if image.format == "GIF":
            return "in 256 colours"
        foreign = image.format in ("JPEG", "MPO") and image.mode == "CMYK"
        return "in RGB in place of CMYK, without its profile" if foreign else ""


def samples_alike(pixels: NDArray[Any], read: ScaledImage) -> NDArray[Any]:
    """Pixels (H, W, C) in [0, 1] as samples of the type and white that were read, with alpha behind: (H, W, 1 to 4).

    Samples of one bit become eight.
    """
    bits = read.scale.why == ONE_BIT
    dtype = np.dtype(np.uint8) if bits else read.dtype
    white = EIGHT_BITS if bits else read.scale.white
    exact = np.float32 if white <= SIXTEEN_BITS and dtype != np.float64 else np.float64
    samples = np.empty(pixels.shape, dtype)
    for top in range(0, len(pixels), BAND):
        values = pixels[top : top + BAND].astype(exact).clip(0, 1) * exact(white)
        samples[top : top + BAND] = values if dtype.kind == "f" else values.round()
    if read.alpha is None:
        return samples
    return np.concatenate([samples, read.alpha[..., None].astype(dtype)], axis=2)


def _encoder(data: bytes, white: float) -> Callable[[NDArray[Any], bytes], bytes]:
    from PIL import Image

    if is_tiff(data[:4]):
        return partial(tiff_alike, white=white)
    if pnm_header(data[:4096]) is not None:
        return _pnm
    with Image.open(io.BytesIO(data), formats=PILLOW_FORMATS) as image:
        ways = {
            "PNG": _png, "JPEG": _jpeg, "MPO": _jpeg, "WEBP": _webp, "JPEG2000": jp2_alike, "BMP": bmp_alike,
            "GIF": gif_alike,
        }  # fmt: skip
        return ways.get(str(image.format), _plain)


def _pillow(samples: NDArray[Any]) -> Any:
    from PIL import Image

    return Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples)


def _saved(samples: NDArray[Any], form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    _pillow(samples).save(file, format=form, **options)
    return file.getvalue()


def _plain(samples: NDArray[Any], data: bytes) -> bytes:
    """PBM, without alpha."""
    return _saved(samples[..., : 1 if samples.shape[2] < 3 else 3], "PPM")


def _pnm(samples: NDArray[Any], data: bytes) -> bytes:
    header = pnm_header(data[:4096])
    assert header is not None
    maximum = header[3]
    magic = "P6" if samples.shape[2] == 3 else "P5"
    body = samples.astype(">u2") if maximum > EIGHT_BITS else samples
    return f"{magic}\n{samples.shape[1]} {samples.shape[0]}\n{max(maximum, EIGHT_BITS)}\n".encode() + body.tobytes()


def _png(samples: NDArray[Any], data: bytes) -> bytes:
    made = _png16(samples) if samples.dtype == np.uint16 else _saved(samples, "PNG")
    kept = b"".join(chunk for name, chunk in _chunks(data) if name in PNG_KEPT)
    first = next(len(chunk) for _, chunk in _chunks(made)) + 8  # the signature and the header
    return made[:first] + kept + made[first:]


def _png16(samples: NDArray[np.uint16]) -> bytes:
    """A 16-bit PNG of (H, W, 1 to 4) samples; each row is stored as its difference to the one above."""
    height, width, channels = samples.shape
    rows = samples.astype(">u2").view(np.uint8).reshape(height, -1)
    stored = np.full((height, 1 + rows.shape[1]), 2, np.uint8)  # each row begins with the number of its filter
    stored[0, 1:], stored[1:, 1:] = rows[0], rows[1:] - rows[:-1]
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(stored.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and whole bytes of each chunk of a PNG file."""
    at = 8
    while at + 12 <= len(png):
        end = at + 12 + struct.unpack(">I", png[at : at + 4])[0]
        yield png[at + 4 : at + 8], png[at:end]
        at = end


def _jpeg(samples: NDArray[Any], data: bytes) -> bytes:
    """With the tables and the subsampling of the source: as much is lost as was lost before."""
    from PIL import Image
    from PIL.JpegImagePlugin import get_sampling

    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        tables, sampling = image.quantization, get_sampling(image)  # type: ignore[attr-defined]
        foreign = image.mode == "CMYK"  # its profile is not that of the RGB colours that are written
    made = _saved(samples, "JPEG", qtables=tables, subsampling=sampling)
    kept = [
        part
        for marker, part in _segments(data)
        if marker in JPEG_KEPT and not part[4:].startswith(PREVIEWS) and not (foreign and marker == 0xE2)
    ]
    own = next((len(part) for marker, part in _segments(made) if marker == 0xE0), 0)
    return made[:2] + b"".join(kept) + made[2 + own :]


def _segments(jpeg: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and whole bytes of each segment of a JPEG file before its samples."""
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        marker = jpeg[at + 1]
        if marker == 0xFF:  # a byte that fills
            at += 1
            continue
        if marker == 0xDA:
            return
        end = at + 2 + struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
        yield marker, jpeg[at:end]
        at = end


def _webp(samples: NDArray[Any], data: bytes) -> bytes:
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=("WEBP",)) as image:
        kept = {name: image.info[key] for name, key in WEBP_METADATA.items() if image.info.get(key)}
    colours = samples if samples.shape[2] > 2 else samples[..., [0, 0, 0, *range(1, samples.shape[2])]]
    return _saved(colours, "WEBP", lossless=b"VP8L" in data, quality=WEBP_QUALITY, exact=True, **kept)


WEBP_METADATA = {"exif": "exif", "icc_profile": "icc_profile", "xmp": "xmp"}
"""Pillow's option -> where it keeps what it read."""
