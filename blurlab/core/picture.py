"""Images of every kind that a user may have, as pixels, and pixels as an image of that kind again."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blurlab.core.image_alike import samples_alike
from blurlab.core.image_decode import Refused, Samples
from blurlab.core.image_io import ScaledImage, read_scaled
from blurlab.core.sample_scale import to_unit_range

PIL_MODES = {"P": "RGB", "PA": "RGBA", "CMYK": "RGB", "YCbCr": "RGB", "RGBX": "RGB", "La": "LA", "RGBa": "RGBA"}
"""Modes of Pillow that are converted."""
LEAST_PX = 64
CHANNELS = (1, 2, 3, 4)
CHANNELS_ARE = "1 (grey), 3 (RGB), or with alpha 2 or 4 channels"


@dataclass(frozen=True)
class Picture:
    """An image that was given.

    Attributes:
        read: Its pixels (H, W, 1 or 3) in [0, 1], and its alpha apart.
        like: Pixels of that shape as an image of the kind that was given, with its alpha.
        same: A copy of what was given.
    """

    read: ScaledImage
    like: Callable[[NDArray[Any]], Any]
    same: Callable[[], Any]


def picture(image: Any) -> Picture:
    """Take an image apart.

    Args:
        image: The path of a file; a NumPy array (H, W) or (H, W, C); a Pillow image; a tensor (H, W), (C, H, W) or
            (1, C, H, W). One channel is grey, three are RGB, and one more is alpha. Integers are unsigned, and white is
            255, or the largest value of the bits that deeper ones use; floats lie in [0, 1].

    Returns:
        It, whose ``like`` makes an array of the file's type from the path of a file.

    Raises:
        TypeError: If it is none of these.
        ValueError: If its shape or values are none of these, a side is under ``LEAST_PX``, or the file cannot be read.

    Example:
        >>> one = picture(np.full((64, 70, 4), 51, np.uint8))
        >>> one.read.pixels.shape, float(one.read.pixels[0, 0, 0]), one.like(one.read.pixels)[0, 0].tolist()
        ((64, 70, 3), 0.20000000298023224, [51, 51, 51, 51])
    """
    import torch
    from PIL import Image

    if isinstance(image, (str, os.PathLike)):
        read = read_scaled(image, min_side=LEAST_PX)

        def samples(pixels: NDArray[Any]) -> NDArray[Any]:
            made = samples_alike(pixels, read)
            return made[..., 0] if made.shape[2] == 1 else made

        return Picture(read, samples, lambda: samples(read.pixels))
    if isinstance(image, np.ndarray):
        return _array(image)
    if isinstance(image, torch.Tensor):
        return _tensor(image)
    if isinstance(image, Image.Image):
        return _pillow(image)
    raise TypeError(
        f"image must be a path, a NumPy array, a Pillow image or a tensor, got {type(image).__name__}; convert it"
    )


def as_array(values: Any) -> NDArray[Any]:
    """An array, a tensor on any device, a Pillow image or the path of an image file as an array of the same numbers.

    Files and Pillow images come as floats (H, W) in [0, 1], of colours the mean; Pillow's modes F and I as they are.
    """
    import torch
    from PIL import Image

    if isinstance(values, Image.Image) and values.mode not in ("F", "I"):
        return _scaled(_pillow_samples(values), least_px=1).pixels.mean(axis=2)
    if isinstance(values, torch.Tensor):
        return np.asarray(values.detach().cpu().numpy())
    if isinstance(values, (str, os.PathLike)):
        return read_scaled(Path(values)).pixels.mean(axis=2)
    return np.asarray(values)


def _array(image: NDArray[Any]) -> Picture:
    read = _scaled(image)
    return Picture(read, lambda pixels: samples_alike(pixels, read).reshape(image.shape), image.copy)


def _tensor(image: Any) -> Picture:
    import torch

    if (image.ndim == 4 and len(image) != 1) or image.ndim not in (2, 3, 4):
        raise ValueError(f"image must be one (H, W), (C, H, W) or (1, C, H, W), got {tuple(image.shape)}; take one")
    if image.ndim > 2 and image.shape[-3] not in CHANNELS:
        came = tuple(image.shape)
        raise ValueError(f"image must be (C, H, W) with {CHANNELS_ARE}, got {came}; move its channels first")
    planes = image.detach().cpu()
    planes = planes.float() if planes.dtype == torch.bfloat16 else planes
    planes = planes if planes.ndim == 2 else planes.reshape(planes.shape[-3:]).permute(1, 2, 0)
    read = _scaled(planes.numpy())

    def like(pixels: NDArray[Any]) -> Any:
        made = torch.from_numpy(samples_alike(pixels, read)).permute(2, 0, 1)
        return made.reshape(image.shape).to(dtype=image.dtype, device=image.device)

    return Picture(read, like, image.clone)


def _pillow_samples(image: Any) -> NDArray[Any]:
    """Samples (H, W[, C]) of a Pillow image, its palette and transparency as colours and alpha."""
    keyed = "transparency" in image.info and image.mode in ("P", "L", "RGB")
    mode = {"L": "LA"}.get(image.mode, "RGBA") if keyed else PIL_MODES.get(image.mode, image.mode)
    if mode not in ("1", "L", "LA", "RGB", "RGBA", "I;16"):
        raise ValueError(f"image is of mode {image.mode}, which is not supported; convert it to RGB or L")
    return np.asarray(image if mode == image.mode else image.convert(mode))


def _pillow(image: Any) -> Picture:
    from PIL import Image

    read = _scaled(_pillow_samples(image))

    def like(pixels: NDArray[Any]) -> Any:
        made = samples_alike(pixels, read)
        new = Image.fromarray(made[..., 0] if made.shape[2] == 1 else made)
        new.info = {name: value for name, value in image.info.items() if name != "transparency"}
        return new

    return Picture(read, like, image.copy)


def _scaled(image: NDArray[Any], least_px: int = LEAST_PX) -> ScaledImage:
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in CHANNELS):
        last = "; move its channels to the end" if image.ndim == 3 and image.shape[0] in CHANNELS else ""
        raise ValueError(f"image must be (H, W) or (H, W, C) with {CHANNELS_ARE}, got {image.shape}{last}")
    if min(image.shape[:2]) < least_px:
        raise ValueError(f"image is {image.shape}, sides of at least {least_px} are needed; use a larger image")
    values = image[..., None] if image.ndim == 2 else image
    alpha = values[..., -1] if values.shape[2] in (2, 4) else None
    colours = values if alpha is None else values[..., :-1]
    try:
        pixels, scale = to_unit_range(Samples(np.ascontiguousarray(colours)))
    except Refused as error:
        raise ValueError(f"image: {error}") from error
    return ScaledImage(np.ascontiguousarray(pixels, dtype=np.float32), scale, alpha, image.dtype)
