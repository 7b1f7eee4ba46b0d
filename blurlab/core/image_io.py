"""Image files: read with every bit and the right side up, or refused with a remedy; written whole."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from blurlab.core.atomic import replace_whole
from blurlab.core.image_decode import (
    MAX_PIXELS,
    Refused,
    Samples,
    decode_pillow,
    decode_png16,
    decode_pnm16,
    decode_tiff,
    is_tiff,
    pillow_size,
    png_depth,
    pnm_header,
    tiff_size,
)

_SUFFIXES = ".png .jpg .jpeg .jpe .tif .tiff .bmp .ppm .pgm .pbm .pnm .webp .gif .jp2 .j2k"
IMAGE_SUFFIXES = frozenset(_SUFFIXES.split())
ROUNDING = 1e-5  # how far floats may leave [0, 1]; they are clipped
_HEAD = 4096
_T = TypeVar("_T")


class ImageReadError(ValueError):
    """A file is not a whole image that can be used; the message names the file and what to do."""


class ImageWriteError(PermissionError):
    """An image could not be written; the message names the file, the reason and what to do."""


def read_image(path: str | os.PathLike[str], *, min_side: int = 1) -> NDArray[np.float32]:
    """Read a photograph, right side up, with all the bits it has.

    PNG, JPEG, TIFF, BMP, PNM, WebP, GIF, JPEG 2000; the format is taken from the content, never from the name. Colours
    (palettes and CMYK too) become RGB as stored, without colour management; a grey image keeps one channel. Alpha is
    dropped: what remains is the colour under it. Integers are divided by the largest of their type, whatever range they
    use, PNM by its own maximum; floats must lie in [0, 1] as they are.

    Args:
        path: The file.
        min_side: Smallest height and width accepted, pixels.

    Returns:
        (H, W, 3) RGB or (H, W, 1) grey, float32 in [0, 1], C-contiguous.

    Raises:
        ImageReadError: If the file is missing, empty, truncated or no image; has more than ``MAX_PIXELS`` pixels
            (seen in the header, before decoding) or a side under ``min_side``; is an animation or a stack of
            planes; or holds signed, NaN, infinite or out-of-range values.
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
    return _guarded(path, lambda file: _checked_size(file, min_side))


def write_image(path: str | os.PathLike[str], array: NDArray[Any]) -> Path:
    """Write an 8-bit PNG file, whole or not at all: first under a temporary name beside it, then renamed.

    Args:
        path: Name ending in ``.png``; a file of this name is replaced.
        array: (H, W), (H, W, 1) or (H, W, 3); uint8 as it is, or float on the [0, 1] scale, clipped and rounded.

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
    from PIL import Image

    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ValueError(f"{path}: images are written as PNG; give a name ending in .png")
    image = Image.fromarray(_to_uint8(array, path))
    try:
        with replace_whole(path) as file:
            image.save(file, format="PNG")
    except OSError as error:
        why = error.strerror or error
        raise ImageWriteError(
            f"cannot write {path}: {why}; choose a folder that exists and that you may write to"
        ) from error
    return path


def _read(file: BinaryIO, min_side: int) -> NDArray[np.float32]:
    _checked_size(file, min_side)
    file.seek(0)
    samples, orientation = _decoder(file)(file)
    image = np.atleast_3d(_unit_range(samples))
    return np.ascontiguousarray(_upright(image, orientation), dtype=np.float32)


def _decoder(file: BinaryIO) -> Callable[[BinaryIO], Samples]:
    head = file.read(_HEAD)
    file.seek(0)
    if is_tiff(head):
        return decode_tiff
    if png_depth(head) == 16:
        return decode_png16
    pnm = pnm_header(head)
    return decode_pnm16 if pnm is not None and pnm[3] > 255 else decode_pillow


def _checked_size(file: BinaryIO, min_side: int) -> tuple[int, int]:
    head = file.read(4)
    if not head:
        raise Refused("it is empty; fetch it again")
    file.seek(0)
    height, width = tiff_size(file) if is_tiff(head) else pillow_size(file)
    if height * width > MAX_PIXELS:
        raise Refused(f"it has {height}x{width} pixels, more than {MAX_PIXELS:,}; crop or shrink it")
    if min(height, width) < min_side:
        raise Refused(f"it has {height}x{width} pixels, sides of at least {min_side} are needed; use a larger image")
    return height, width


def _unit_range(samples: NDArray[Any]) -> NDArray[np.float32]:
    kind = samples.dtype.kind
    if kind == "b":
        return samples.astype(np.float32)
    if kind == "u":
        return np.divide(samples, np.iinfo(samples.dtype).max, dtype=np.float32, casting="same_kind")
    if kind != "f":
        raise Refused(f"its samples are {samples.dtype}; save it as 8- or 16-bit unsigned integers")
    if not np.isfinite(samples).all():
        raise Refused("it holds NaN or infinite values; replace them")
    low, high = float(samples.min()), float(samples.max())
    if low < -ROUNDING or high > 1 + ROUNDING:
        raise Refused(f"its floating-point values run from {low:.4g} to {high:.4g}; scale them to [0, 1]")
    return samples.astype(np.float32).clip(0, 1)


def _upright(image: NDArray[np.float32], orientation: int) -> NDArray[np.float32]:
    """Undo the EXIF orientation: 2, 4, 5, 7 are mirrored, 5 to 8 lie on their side."""
    if orientation in (5, 6, 7, 8):
        image = image.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return image


def _to_uint8(array: NDArray[Any], path: Path) -> NDArray[np.uint8]:
    array = np.asarray(array)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3) or 0 in array.shape:
        raise ValueError(f"{path}: an image must be (H, W), (H, W, 1) or (H, W, 3), got {array.shape}")
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype.kind != "f":
        raise ValueError(f"{path}: an image must be uint8 or float in [0, 1], got {array.dtype}; convert it")
    if not np.isfinite(array).all():
        raise ValueError(f"{path}: the image has NaN or infinite values; replace them before writing")
    return np.ascontiguousarray((array.clip(0, 1) * 255).round().astype(np.uint8))


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
        raise ImageReadError(f"{os.fspath(path)}: {error}") from error
    except Exception as error:  # decoders answer bad bytes with errors of every kind
        raise ImageReadError(
            f"{os.fspath(path)} is damaged or cut short ({_one_line(error)}); fetch it again"
        ) from error


def _reason(path: str | os.PathLike[str], error: OSError) -> str:
    from PIL import UnidentifiedImageError

    name = os.fspath(path)
    if isinstance(error, UnidentifiedImageError):
        return f"{name} is not an image of a known format; give PNG, JPEG, TIFF, BMP, PNM, WebP, GIF or JPEG 2000"
    if isinstance(error, FileNotFoundError):
        return f"{name} does not exist; check the path"
    if error.strerror:
        return f"{name} cannot be read: {error.strerror}; check its permissions"
    return f"{name} is damaged or cut short ({_one_line(error)}); fetch it again"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
