"""What the page does with a photograph: open it within limits, blur it where the truth is to be known, restore it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from blurlab.blur import BlurFamily
    from blurlab.core.image_io import ScaledImage
    from blurlab.one_call import Result

MAX_BYTES = 64_000_000
"""Of a file that the page takes."""
MAX_PIXELS = 16_000_000
"""Of a photograph that the page takes: a larger one keeps a browser waiting, and the command takes it."""
LEAST_PX = 64
PHOTOGRAPHS = ("astronaut", "camera", "chelsea", "coffee", "motorcycle_left", "retina")
"""Photographs of scikit-image's that the page offers."""
FOUND_OUT = "find out"
SHOWS: dict[str, str | None] = {FOUND_OUT: None, "any scene": "photograph", "the back of an eye": "fundus"}
"""What a photograph may show, and the weights that are asked about it."""
BORDER_PX = 32
"""Left out on each side where a restoration is compared with the truth."""
LONGEST_SHAKE_PX = 72
COMPARED_PX = 512
"""Side of the square in the middle in which they are compared."""


@dataclass(frozen=True)
class Truth:
    """What a photograph was before it was blurred here.

    Attributes:
        sharp: (H, W, 1 or 3) in [0, 1].
        kind: Of the blur.
        values: Its parameters and the noise, as the page says them, by name.
    """

    sharp: NDArray[np.float32]
    kind: str
    values: dict[str, float]


@dataclass(frozen=True)
class Opened:
    """A photograph on the page.

    Attributes:
        path: Its file.
        read: What was read from it.
        truth: What it was before; None where it was not blurred here.
    """

    path: Path
    read: ScaledImage
    truth: Truth | None = None


@dataclass(frozen=True)
class Restored:
    """A photograph and what was made of it.

    Attributes:
        opened: The photograph.
        result: What was found, with an image (H, W, 1 or 3) in [0, 1].
    """

    opened: Opened
    result: Result

    def image(self, strength: float) -> NDArray[np.float32]:
        """The result (H, W, 1 or 3) with this share of the restoration, from 0 to 1."""
        from blurlab.core.blend import blended

        made: NDArray[np.float32] = blended(self.opened.read.pixels, self.result.image, strength)
        return made


def open_file(path: Path) -> Opened:
    """Read a photograph, if it is within the page's limits.

    Raises:
        ValueError: If the file is too large, has too many pixels or too few, or is no whole image; the message names
            the file without its folder.
    """
    from blurlab.core.image_io import read_scaled, read_size

    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ValueError(f"{path.name} has {size:,} bytes, more than {MAX_BYTES:,}; use blurlab deblur")
        height, width = read_size(path, min_side=LEAST_PX)
        if height * width > MAX_PIXELS:
            raise ValueError(
                f"{path.name} has {height}x{width} pixels, more than {MAX_PIXELS:,}; shrink it or use blurlab deblur"
            )
        return Opened(path, read_scaled(path, min_side=LEAST_PX))
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(str(error).replace(str(path), path.name)) from error


def bundled(name: str) -> Path:
    """The file of one of ``PHOTOGRAPHS``."""
    from blurlab.dataset import Bundled

    (photo,) = Bundled([name]).photos()
    assert photo.path is not None
    return photo.path


def blurred(opened: Opened, kind: str, strength_px: float, angle_deg: float, sigma: float, folder: Path) -> Opened:
    """Blur a photograph's light, add noise to the values of the file, and save it as PNG with 8 bits.

    A photograph that was blurred here before is blurred anew from its sharp image.

    Args:
        opened: The photograph.
        kind: One of ``KINDS``.
        strength_px: Length of the motion or the shake's path, radius of the defocus, sigma of the Gaussian.
        angle_deg: Direction of the motion, counter-clockwise.
        sigma: Noise standard deviation on the [0, 1] scale.
        folder: Where the file is made.

    Raises:
        ValueError: If the kind is unknown or a number is out of its range.
    """
    import torch

    from blurlab.core.image_io import write_image
    from blurlab.core.rng import generator
    from blurlab.dataset import Degrade
    from blurlab.noise import Camera, Gaussian, NoNoise, Srgb

    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    sharp = opened.read.pixels if opened.truth is None else opened.truth.sharp
    name, made = KINDS[kind]
    camera = Camera(Srgb(), file=[Gaussian(sigma=sigma) if sigma else NoNoise()])
    degrade = Degrade(made(strength_px, angle_deg), camera, "reflect", observed_only=True)
    x = torch.from_numpy(sharp).permute(2, 0, 1).unsqueeze(0)
    with torch.inference_mode():
        y = degrade(x, generator=[generator("demo", kind)]).y[0].permute(1, 2, 0).numpy()
    path = write_image(folder / f"{opened.path.stem.removesuffix('_blurred')}_blurred.png", y)
    angle = {"angle_deg": angle_deg % 180} if kind == "motion" else {}
    return Opened(path, open_file(path).read, Truth(sharp, kind, {name: strength_px, **angle, "noise": sigma}))


def restored(opened: Opened, shows: str = FOUND_OUT) -> Restored:
    """Identify the blur of a photograph and undo it.

    Args:
        opened: The photograph.
        shows: What it shows, one of ``SHOWS``.

    Raises:
        ValueError: If it is none of these.
    """
    from blurlab.one_call import deblur

    if shows not in SHOWS:
        raise ValueError(f"what it shows must be one of {', '.join(SHOWS)}, got {shows!r}")
    return Restored(opened, deblur(opened.read.pixels, weights=SHOWS[shows]))


def save(done: Restored, strength: float, folder: Path) -> Path:
    """Write the result in the format of the photograph's file, its metadata kept.

    Returns:
        The file, ``<name>_deblurred`` with the ending that it came with.
    """
    from blurlab.core.image_alike import copy_whole, write_alike

    opened = done.opened
    target = folder / f"{opened.path.stem}_deblurred{opened.path.suffix}"
    if done.result.restored and strength > 0:
        write_alike(target, done.image(strength), opened.path, opened.read)
    else:
        copy_whole(opened.path, target)
    return target


def found_rows(done: Restored) -> list[tuple[str, str, str]]:
    """What was found, a row each: name, value with its interval, and the truth, empty where it is not known."""
    result, truth = done.result, done.opened.truth
    values = {} if truth is None else truth.values
    soft = not math.isnan(result.found.softness_px)
    rows = [("kind of blur", result.kind, "" if truth is None else truth.kind)]
    if result.found.can_tell:
        rows.append(("probability", f"{result.probability:.3f}", ""))
    for one in result.parameters:
        name = one.name.rpartition(".")[2]
        known = f"{values[name]:.2f}" if name in values and truth is not None and truth.kind == result.kind else ""
        rows.append((_title(name), _with_interval(one.value, one.low, one.high), known))
    if soft:
        rows.append(("undone: a Gaussian of", f"{result.found.softness_px:.2f} px", ""))
    rows.append(("noise", f"{result.noise:.4f}", f"{values['noise']:.4f}" if truth is not None else ""))
    return rows


def gain_db(done: Restored, strength: float) -> tuple[float, float] | None:
    """PSNR [dB] of the photograph and of its result where the truth is known, each shifted to where it fits best.

    Returns:
        Both; None where the truth is not known, or the photograph is too small to leave out a border.
    """
    import torch

    from blurlab.metric import align, psnr

    truth = done.opened.truth
    if truth is None or min(truth.sharp.shape[:2]) < 3 * BORDER_PX:
        return None
    spans = [(max(side - COMPARED_PX, 0) // 2, COMPARED_PX) for side in truth.sharp.shape[:2]]
    middle = tuple(slice(start, start + length) for start, length in spans)
    x, before, after = (
        torch.from_numpy(np.ascontiguousarray(one[middle])).permute(2, 0, 1).unsqueeze(0)
        for one in (truth.sharp, done.opened.read.pixels, done.image(strength))
    )
    pairs = [align(one, x, reach_px=4, border=BORDER_PX) for one in (before, after)]
    first, second = (float(psnr(pair.x_hat, pair.x)) for pair in pairs)
    return first, second


def _title(name: str) -> str:
    """A parameter's name in words.

    Example:
        >>> _title("length_px")
        'length [px]'
    """
    words, _, unit = name.rpartition("_")
    return f"{words.replace('_', ' ')} [{unit}]" if unit in ("px", "deg") else name.replace("_", " ")


def _with_interval(value: float, low: float, high: float) -> str:
    """A number with its 90 % interval.

    Example:
        >>> _with_interval(9.1, 8.6, 9.5), _with_interval(8.0, 7.2, math.inf)
        ('9.10 (8.60 to 9.50)', 'at least 7.20')
    """
    if high == math.inf:
        return f"at least {low:.2f}"
    return f"{value:.2f}" + ("" if math.isnan(low) else f" ({low:.2f} to {high:.2f})")


def _motion(length_px: float, angle_deg: float) -> BlurFamily:
    from blurlab.blur import Motion

    return Motion(length_px=length_px, angle_deg=angle_deg % 180)


def _defocus(radius_px: float, _: float) -> BlurFamily:
    from blurlab.blur import Defocus

    return Defocus(radius_px)


def _gaussian(sigma_px: float, _: float) -> BlurFamily:
    from blurlab.blur import Gaussian

    return Gaussian(sigma_px)


def _shake(length_px: float, _: float) -> BlurFamily:
    from blurlab.blur import Trajectory

    return Trajectory(exposure=1, length_px=min(length_px, LONGEST_SHAKE_PX), size=31)


KINDS: dict[str, tuple[str, Callable[[float, float], Any]]] = {
    "motion": ("length_px", _motion),
    "defocus": ("radius_px", _defocus),
    "gaussian": ("sigma_px", _gaussian),
    "shake": ("length_px", _shake),
}
"""Blurs that the page makes: the parameter that is their strength, and the family from strength and angle."""
