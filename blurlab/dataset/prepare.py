"""From photographs of any size to squares of one size, kept on disk between runs."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blurlab.core.atomic import replace_whole
from blurlab.core.image_io import ImageReadError
from blurlab.dataset.source import Photo, Source

CHANNELS = ("green", "grey", "rgb")
GREY_WEIGHTS = (0.299, 0.587, 0.114)  # luma of ITU-R BT.601, as MATLAB's rgb2gray
LARGEST_ENLARGEMENT = 2
CACHE_VERSION = 2  # raise it when the same file is read or prepared differently


@dataclass(frozen=True)
class Prepared:
    """Photographs made ready, and those that were not.

    Attributes:
        photos: The photographs, in the order asked for.
        arrays: Their pixels, (size, size, 1 or 3) uint8 each; smaller where ``size`` was a ceiling.
        skipped: (id, reason) of photographs that could not be decoded or are too small.
    """

    photos: list[Photo]
    arrays: list[NDArray[np.uint8]]
    skipped: list[tuple[str, str]]

    @property
    def ids(self) -> list[str]:
        """Names of the photographs."""
        return [photo.id for photo in self.photos]


def to_square(image: NDArray[np.float32], size: int, channel: str) -> NDArray[np.uint8]:
    """Cut out the central square of the short side and resize it by averaging over areas.

    Every output pixel is the mean of the input over the area it covers, parts of pixels counted by their share, so
    nothing aliases at any factor. A square smaller than ``size`` is enlarged by linear interpolation, at most twice: an
    enlarged photograph is not sharp, and counts as such only for want of better.

    Args:
        image: (H, W, 1 or 3) float in [0, 1].
        size: Side of the result, pixels.
        channel: ``green`` (the only channel of a grey image), ``grey`` (luma) or ``rgb`` (grey three times).

    Returns:
        (size, size, 1), or (size, size, 3) for ``rgb``, uint8.

    Raises:
        ValueError: If the channel is unknown, or the image would have to be enlarged more than twice.

    Example:
        >>> ramp = np.linspace(0, 1, 12, dtype=np.float32).reshape(1, 12, 1).repeat(8, 0)
        >>> to_square(ramp, 4, "green")[0, :, 0].tolist()
        [58, 104, 151, 197]
    """
    check_preparation(size, channel)
    side = min(image.shape[:2])
    if size > LARGEST_ENLARGEMENT * side:
        raise ValueError(
            f"a photograph of {image.shape[0]}x{image.shape[1]} would be enlarged more than "
            f"{LARGEST_ENLARGEMENT} times to {size}x{size}; use larger photographs or a smaller dataset.size"
        )
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    square = pick_channel(image[top : top + side, left : left + side], channel)
    weights = area_weights(side, size) if size <= side else linear_weights(side, size)
    resized = np.stack([weights @ plane @ weights.T for plane in np.moveaxis(square, -1, 0)], axis=-1)
    return (resized.clip(0, 1) * 255 + 0.5).astype(np.uint8)


def check_preparation(size: int, channel: str) -> None:
    """Raise ValueError unless the size is positive and the channel known."""
    if channel not in CHANNELS:
        raise ValueError(f"channel must be one of {', '.join(CHANNELS)}, got {channel!r}")
    if size < 1:
        raise ValueError(f"size must be at least 1 pixel, got {size}")


def pick_channel(image: NDArray[np.float32], channel: str) -> NDArray[np.float32]:
    """(H, W, 1) or, for ``rgb``, (H, W, 3) of a grey or RGB image."""
    if image.shape[-1] == 1:
        return np.repeat(image, 3, axis=-1) if channel == "rgb" else image
    if channel == "green":
        return image[..., 1:2]
    if channel == "grey":
        return image @ np.array(GREY_WEIGHTS, dtype=np.float32)[:, None]
    return image


def cut_centre(image: NDArray[np.float32], size: int, channel: str) -> NDArray[np.uint8]:
    """Cut out the central square of ``size`` pixels as it is, without resizing.

    Args:
        image: (H, W, 1 or 3) float in [0, 1].
        size: Side of the result, pixels.
        channel: As in :func:`to_square`.

    Returns:
        (size, size, 1), or (size, size, 3) for ``rgb``, uint8.

    Raises:
        ValueError: If the channel is unknown, or the image is smaller than ``size``.
    """
    check_preparation(size, channel)
    rows, cols = image.shape[:2]
    if size > min(rows, cols):
        raise ValueError(f"no {size}x{size} pixels can be cut out of a photograph of {rows}x{cols}; use a smaller size")
    top, left = (rows - size) // 2, (cols - size) // 2
    patch = pick_channel(image[top : top + size, left : left + size], channel)
    return np.round(patch * 255).astype(np.uint8)


def area_weights(side: int, size: int, step_px: float | None = None) -> NDArray[np.float32]:
    """(size, side) matrix of the shares in which ``size`` equal intervals cover ``side`` pixels; its rows sum to 1.

    The intervals are ``step_px`` long and begin at the first pixel; if None they cover all of the pixels.

    Example:
        >>> area_weights(3, 2).round(3).tolist()
        [[0.6669999957084656, 0.3330000042915344, 0.0], [0.0, 0.3330000042915344, 0.6669999957084656]]
    """
    step = side / size if step_px is None else step_px
    edges = np.arange(size + 1) * step
    pixels = np.arange(side)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return (overlap.clip(0) / step).astype(np.float32)


def linear_weights(side: int, size: int) -> NDArray[np.float32]:
    """(size, side) matrix of linear interpolation between pixel centres, constant beyond the outermost ones."""
    centres = ((np.arange(size) + 0.5) * (side / size) - 0.5).clip(0, side - 1)
    return (1 - np.abs(centres[:, None] - np.arange(side))).clip(0).astype(np.float32)


def prepare_all(
    source: Source,
    photos: Sequence[Photo],
    size: int,
    channel: str,
    cache_dir: Path | str | None = None,
    *,
    ceiling: bool = False,
    resize: bool = True,
    least: int = 0,
    digests: Mapping[str, str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Prepared:
    """Load photographs and make them square, or take them from the cache.

    The cache holds one ``.npz`` a photograph, named by its content, size and channel: a changed file is prepared
    anew, a renamed one is not, and a damaged entry is made again.

    Args:
        source: The set.
        photos: Which of its photographs.
        size: Side, pixels.
        channel: ``green``, ``grey`` or ``rgb``.
        cache_dir: Folder of the cache, made if missing; None for none.
        resize: Shrink the whole photograph to ``size``; otherwise cut its centre out as it is.
        least: Photographs whose short side is below this are skipped.
        ceiling: Is ``size`` only the largest side? Smaller photographs then keep their own.
        digests: SHA-256 by id, as in ``Split.digests``; computed where missing.
        progress: Called with (done, total) after each photograph.

    Returns:
        The prepared photographs; those that cannot be decoded or are too small are in ``skipped``.

    Raises:
        ValueError: If the size or channel is not valid, or every photograph was skipped.
        PermissionError: If the cache cannot be written.
    """
    check_preparation(size, channel)
    done = Prepared([], [], [])
    form = f"{'max' if ceiling else ''}{'' if resize else 'cut'}{size}_{channel}_v{CACHE_VERSION}"
    shape = to_square if resize else cut_centre
    for number, photo in enumerate(photos, 1):
        entry = None
        try:
            if cache_dir is not None:
                digest = (digests or {}).get(photo.id) or source.digest(photo)
                entry = Path(cache_dir) / "prepared" / digest[:2] / f"{digest}_{form}.npz"
            array = _stored(entry)
            if array is None or min(array.shape[:2]) < least:
                image = source.load(photo)
                if min(image.shape[:2]) < least:
                    rows, cols = image.shape[:2]
                    raise ValueError(
                        f"a photograph of {rows}x{cols} is smaller than the {least} pixels that are cut out"
                    )
                array = shape(image, min(size, *image.shape[:2]) if ceiling else size, channel)
                _store(entry, array)
            done.photos.append(photo)
            done.arrays.append(array)
        except (ImageReadError, ValueError) as error:
            done.skipped.append((photo.id, str(error)))
        if progress is not None:
            progress(number, len(photos))
    if photos and not done.photos:
        raise ValueError(f"none of {len(photos)} photographs can be used; the first: {done.skipped[0][1]}")
    return done


def _stored(entry: Path | None) -> NDArray[np.uint8] | None:
    if entry is None:
        return None
    try:
        with open(entry, "rb") as file, np.load(file, allow_pickle=False) as stored:
            array = stored["image"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # there is none, or it is damaged
    return array if array.dtype == np.uint8 and array.ndim == 3 else None


def _store(entry: Path | None, array: NDArray[np.uint8]) -> None:
    if entry is None:
        return
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        with replace_whole(entry) as file:
            np.savez(file, image=array)
    except OSError as error:
        why = error.strerror or error
        message = f"cannot write the cache {entry.parent}: {why}; set paths.cache_dir to another folder"
        raise PermissionError(message) from error
