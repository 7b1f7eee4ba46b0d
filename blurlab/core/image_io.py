"""Image files: read with every bit and the right side up, or refused with a remedy; written whole."""

from __future__ import annotations

import io
import os
import stat
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from blurlab.core.atomic import replace_whole
from blurlab.core.file_names import readable
from blurlab.core.image_decode import (
    MAX_PIXELS,
    Refused,
    Samples,
    decode_pillow,
    decode_png16,
    decode_pnm16,
    pillow_size,
    png_depth,
    pnm_end,
    pnm_header,
)
from blurlab.core.image_jp2 import decode_jp2_deep, jp2_depth
from blurlab.core.image_tiff import decode_tiff, is_tiff, tiff_size, with_photograph_first
from blurlab.core.orientation import upright
from blurlab.core.sample_scale import EIGHT_BITS, SIXTEEN_BITS, SampleScale, to_unit_range

_SUFFIXES = ".png .jpg .jpeg .jpe .tif .tiff .bmp .ppm .pgm .pbm .pnm .webp .gif .jp2 .j2k"
IMAGE_SUFFIXES = frozenset(_SUFFIXES.split())
_HEAD = 4096
COMPRESSION = 4
"""Of PNG files: photographs are as small as at the usual 6, in less than half of the time."""
_T = TypeVar("_T")


class ImageReadError(ValueError):
    """A file is not a whole image that can be used; the message names the file and what to do."""


class ImageWriteError(PermissionError):
    """An image could not be written; the message names the file, the reason and what to do."""


@dataclass(frozen=True)
class ScaledImage:
    """A photograph as read from a file.

    Attributes:
        pixels: (H, W, 3) RGB or (H, W, 1) grey, float32 in [0, 1].
        scale: Which sample value of the file is 1.
        alpha: (H, W), the file's own sample values; None where it has none.
        dtype: Of the file's samples.
        orientation: EXIF orientation of the file, 1 to 8; pixels and alpha are the right side up.
    """

    pixels: NDArray[np.float32]
    scale: SampleScale
    alpha: NDArray[Any] | None = None
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.uint8))
    orientation: int = 1


def read_image(path: str | os.PathLike[str], *, min_side: int = 1) -> NDArray[np.float32]:
    """Read a photograph, right side up, with all the bits it has.

    PNG, JPEG, TIFF, BMP, PNM, WebP, GIF, JPEG 2000; the format is taken from the content, never from the name. Colours
    (palettes and CMYK too) become RGB as stored, without colour management; a grey image keeps one channel. Alpha is
    dropped: what remains is the colour under it. Of a TIFF file with several pages those marked as reduced copies
    (thumbnails) are passed over. 8 bits are divided by 255, deeper samples by the white that :func:`read_scaled` finds.

    Args:
        path: The file.
        min_side: Smallest height and width accepted, pixels.

    Returns:
        (H, W, 3) RGB or (H, W, 1) grey, float32 in [0, 1], C-contiguous.

    Raises:
        ImageReadError: If the file is missing, empty, truncated or no image; has more than ``MAX_PIXELS`` pixels
            (seen in the header, before decoding) or a side under ``min_side``; is an animation, a stack of
            planes, or holds several images; or holds signed, NaN, infinite or out-of-range values.
    """
    return read_scaled(path, min_side=min_side).pixels


def read_scaled(path: str | os.PathLike[str], *, min_side: int = 1) -> ScaledImage:
    """Read a photograph as :func:`read_image` does, with the scale of its samples, to write others like it.

    White, the sample value that becomes 1, is for 8 bits 255. For deeper integers it is what the file declares (the
    maximum of PNM, MaxSampleValue or SMaxSampleValue of TIFF), or else the largest value of the bits that they use,
    at least 8: 12-bit data in a 16- or 32-bit file are divided by 4095. Floats must lie between 0 and 1, or between 0
    and the white that the file declares.

    Args:
        path: The file.
        min_side: Smallest height and width accepted, pixels.

    Returns:
        The pixels and their scale.

    Raises:
        ImageReadError: As :func:`read_image`.
    """
    return _guarded(path, lambda file: _read(file, min_side))


def read_size(path: str | os.PathLike[str], *, min_side: int = 1) -> tuple[int, int]:
    """(height, width) as stored, from the header alone; checks what can be checked without decoding.

    Args:
        path: The file.
        min_side: Smallest height and width accepted, pixels.

    Returns:
        Height and width in pixels, before the EXIF orientation is applied.

    Raises:
        ImageReadError: As :func:`read_image`, but a file that breaks off after its header passes.
    """
    return _guarded(path, lambda file: _check_size(_photograph_of(file), min_side))


def write_image(path: str | os.PathLike[str], array: NDArray[Any], white: int = EIGHT_BITS) -> Path:
    """Write an 8- or 16-bit PNG file, whole or not at all: first under a temporary name beside it, then renamed.

    Args:
        path: Name ending in ``.png``; a file of this name is replaced.
        array: (H, W), (H, W, 1) or (H, W, 3); uint8 as it is, or float on the [0, 1] scale, clipped and rounded.
        white: The sample value that 1 becomes, up to 65535; above 255 the file has 16 bits a sample.

    Returns:
        The path.

    Raises:
        ValueError: If the name, shape or values cannot be written as such a file.
        ImageWriteError: If the file cannot be made there.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     read_image(write_image(f"{folder}/a.png", np.array([[0.0, 0.2, 1.5]]))).ravel().round(3).tolist()
        [0.0, 0.20000000298023224, 1.0]
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ValueError(f"{readable(path)}: images are written as PNG; give a name ending in .png")
    put_image(path, _png(_to_integers(array, path, white)))
    return path


def put_image(path: Path, data: bytes) -> None:
    """Write an image file whole, or leave what was there.

    Raises:
        ImageWriteError: If that cannot be done, with the reason.
    """
    try:
        with replace_whole(path) as file:
            file.write(data)
    except OSError as error:
        why = error.strerror or error
        raise ImageWriteError(
            f"cannot write {readable(path)}: {why}; choose a folder that exists and that you may write to"
        ) from error


def _read(file: BinaryIO, min_side: int) -> ScaledImage:
    file = _photograph_of(file)
    _check_size(file, min_side)
    file.seek(0)
    samples = _decoder(file)(file)
    pixels, scale = to_unit_range(samples)
    turned = samples.orientation
    right = np.ascontiguousarray(upright(np.atleast_3d(pixels), turned), dtype=np.float32)
    alpha = None if samples.alpha is None else np.ascontiguousarray(upright(samples.alpha, turned))
    return ScaledImage(right, scale, alpha, samples.values.dtype, turned)


def _decoder(file: BinaryIO) -> Callable[[BinaryIO], Samples]:
    head = file.read(_HEAD)
    file.seek(0)
    if is_tiff(head):
        return decode_tiff
    if png_depth(head) == 16:
        return decode_png16
    bits, channels = jp2_depth(head)
    if bits > 8 and channels > 2:
        return decode_jp2_deep
    pnm = pnm_header(head)
    return decode_pnm16 if pnm is not None and pnm[3] > 255 else decode_pillow


def _photograph_of(file: BinaryIO) -> BinaryIO:
    """The file, or where the photograph is not the first image in it a copy that begins with the photograph."""
    head = file.read(_HEAD)
    if not head:
        raise Refused("it is empty; fetch it again")
    if is_tiff(head):
        return with_photograph_first(file)
    pnm = pnm_header(head)
    if pnm is not None and pnm[0] in ("P5", "P6"):
        file.seek(pnm_end(*pnm))
        if file.read(3)[:2] in (b"P5", b"P6"):
            raise Refused("it holds several images; save the one that is meant by itself")
    return file


def _check_size(file: BinaryIO, min_side: int) -> tuple[int, int]:
    file.seek(0)
    head = file.read(4)
    height, width = tiff_size(file) if is_tiff(head) else pillow_size(file)
    if height * width > MAX_PIXELS:
        raise Refused(f"it has {height}x{width} pixels, more than {MAX_PIXELS:,}; crop or shrink it")
    if min(height, width) < min_side:
        raise Refused(f"it has {height}x{width} pixels, sides of at least {min_side} are needed; use a larger image")
    return height, width


def _to_integers(array: NDArray[Any], path: Path, white: int) -> NDArray[Any]:
    array = np.asarray(array)
    if not 0 < white <= SIXTEEN_BITS:
        raise ValueError(f"{readable(path)}: white must be a sample value from 1 to {SIXTEEN_BITS}, got {white}")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3) or 0 in array.shape:
        raise ValueError(f"{readable(path)}: an image must be (H, W), (H, W, 1) or (H, W, 3), got {array.shape}")
    if array.dtype == np.uint8 and white == EIGHT_BITS:
        return np.ascontiguousarray(array)
    if array.dtype.kind != "f":
        raise ValueError(f"{readable(path)}: an image must be uint8 or float in [0, 1], got {array.dtype}; convert it")
    if not np.isfinite(array).all():
        raise ValueError(f"{readable(path)}: the image has NaN or infinite values; replace them before writing")
    return np.ascontiguousarray(
        (array.clip(0, 1) * white).round().astype(np.uint8 if white <= EIGHT_BITS else np.uint16)
    )


def _png(samples: NDArray[Any]) -> bytes:
    if samples.dtype == np.uint8:
        from PIL import Image

        file = io.BytesIO()
        Image.fromarray(samples).save(file, format="PNG", compress_level=COMPRESSION)
        return file.getvalue()
    import cv2  # Pillow writes no 16-bit colours

    done, encoded = cv2.imencode(".png", samples if samples.ndim == 2 else samples[..., ::-1])
    assert done  # PNG holds every array of 16 bits
    return encoded.tobytes()


def _guarded(path: str | os.PathLike[str], work: Callable[[BinaryIO], _T]) -> _T:
    """Run ``work`` on the open file; whatever goes wrong becomes one ImageReadError that names the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # decoders warn of odd metadata, which is no matter of the pixels
            if not stat.S_ISREG(os.stat(path).st_mode):
                raise Refused("it is not a file; name an image file")
            with open(path, "rb") as file:
                return work(file)
    except OSError as error:
        raise ImageReadError(_reason(path, error)) from error
    except Refused as error:
        raise ImageReadError(f"{readable(path)}: {error}") from error
    except Exception as error:  # decoders answer bad bytes with errors of every kind
        raise ImageReadError(
            f"{readable(path)} is damaged or cut short ({_one_line(error)}); fetch it again"
        ) from error


def _reason(path: str | os.PathLike[str], error: OSError) -> str:
    from PIL import UnidentifiedImageError

    name = readable(path)
    if isinstance(error, UnidentifiedImageError):
        return f"{name} is not an image of a known format; give PNG, JPEG, TIFF, BMP, PNM, WebP, GIF or JPEG 2000"
    if isinstance(error, FileNotFoundError):
        return f"{name} does not exist; check the path"
    if error.strerror:
        return f"{name} cannot be read: {error.strerror}; check its permissions"
    return f"{name} is damaged or cut short ({_one_line(error)}); fetch it again"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
