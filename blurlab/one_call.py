"""One call on one image: ``blurlab.deblur(image)`` and ``blurlab.identify(image)``."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from blurlab.api import Deblurrer
from blurlab.core.blend import blended, check_mask, check_strength, unchanged
from blurlab.found import Found, Measured
from blurlab.methods import AUTO, named

if TYPE_CHECKING:
    from blurlab.deconvolver import Deconvolver


@dataclass(frozen=True)
class Result:
    """What was found in an image, and the image restored.

    Attributes:
        image: Of the kind that was given, with its alpha; an array of the file's type where that was a path. None where
            the blur was only to be identified.
        kind: Most probable kind of blur; ``none`` where no blur was found, ``kernel`` where one was given,
            ``cannot tell`` where the image does not show how it is blurred, and ``soft`` where it is a little blurred
            and does not show in which way.
        probability: Of that kind; NaN where the kernel was given, and where the image does not show its kind.
        parameters: Each parameter of the blur, with its 90 % interval; one without an upper end is at least so great.
        kernel: (k, l), of sum 1.
        noise: Standard deviation of the noise, on the [0, 1] scale; NaN where it was not looked for.
        seconds: Which the call took.
        restored: Was the image changed?
        reason: Why not; empty where it was, or where the blur was only to be identified and would be undone.
        found: All of what was found.
    """

    image: Any = field(repr=False)
    kind: str
    probability: float
    parameters: tuple[Measured, ...]
    kernel: np.ndarray = field(repr=False)
    noise: float
    seconds: float
    restored: bool
    reason: str
    found: Found = field(repr=False)

    def explain(self) -> str:
        """What was found and what was done about it, in plain sentences.

        Example:
            >>> found = Found("none", 0.93, 0.0, (math.nan, math.nan), 0.0, np.ones((1, 1)), 0.004, undone=False)
            >>> print(_result(None, found, False, "no blur was found", 0.1).explain())
            No blur was found (probability 0.93). The noise has a standard deviation of 0.0040 where white is 1.
        """
        said = [self._blur()]
        said += [f"Its {_words(one)}." for one in self.parameters]
        if self.found.varies:
            said.append("It differs over the image; these are its measures in the middle.")
        if self.found.network not in ("", "photograph"):
            said.append(f"The network {self.found.network} was asked.")
        if not math.isnan(self.noise):
            said.append(f"The noise has a standard deviation of {self.noise:.4f} where white is 1.")
        size = "{}x{}".format(*self.kernel.shape)
        if self.restored:
            narrow = self.found.softness_px
            what = f"a kernel of {size} px" if math.isnan(narrow) else f"a Gaussian of {narrow:.2f} px"
            said.append(f"The image was restored with {what} in {self.seconds:.1f} s.")
        elif self.image is not None:
            said.append(f"The image was left as it came{f': {self.reason}' if self.found.can_tell else ''}.")
        return " ".join(said)

    def _blur(self) -> str:
        if not self.found.can_tell and not math.isnan(self.found.softness_px):
            return "The image is soft, and does not show in which way."
        if not self.found.can_tell:
            return "The image does not show how it is blurred."
        if self.kind == "kernel":
            return "Its blur is a kernel without a name."
        sure = f"(probability {self.probability:.2f})"
        return f"No blur was found {sure}." if self.kind == "none" else f"The most probable blur is {self.kind} {sure}."


def deblur(
    image: Any,
    kernel: Any = None,
    method: str | Deconvolver = "auto",
    sigma: float | None = None,
    mask: Any = None,
    *,
    strength: float = 1.0,
    linear: bool = False,
    max_length_px: float = math.inf,
    weights: str | None = None,
) -> Result:
    """Identify the blur of an image and undo it, or undo a kernel that is known.

    Args:
        image: A path, a NumPy array (H, W[, C]), a Pillow image or a tensor ([1,] [C,] H, W), grey or RGB, with alpha
            or without, sides of at least 64 px (:func:`~blurlab.core.picture.picture`).
        kernel: (k, l), an array, a tensor or the path of a ``.tif``, ``.png`` or ``.npy`` file; of one with three
            channels their mean; None: it is estimated.
        method: ``auto``, one of :data:`~blurlab.methods.METHODS`, which then works on the light of the image, or a
            deconvolver of one's own.
        sigma: Noise standard deviation on the [0, 1] scale; None: it is measured.
        mask: (H, W) in [0, 1], 1 where to restore: an array, a tensor, a Pillow image or the path of an image, whose
            white is 1; None is everywhere.
        strength: From 0, the image as it came, to 1, restored.
        linear: Does the image hold light? Else its values are those of an sRGB file, which are decoded to light first.
        max_length_px: A longer blur (length of a motion or a shake's path, diameter of a defocus, sigma of a Gaussian)
            is named and left as it is; a kernel that is given is undone all the same.
        weights: The network that names the blur: ``photograph``, ``fundus`` for photographs of the back of the eye, the
            path of another, or its address with its SHA-256; None for the one of these two that suits the image.

    Returns:
        The restored image and what was found. An image is left as it came where no blur was found, or where no gain is
        to be expected.

    Raises:
        FileNotFoundError: If there are no such weights.
        TypeError: If the image is none of these.
        ValueError: If an argument is out of its range.

    Example:
        >>> flat = np.full((64, 70, 3), 90, np.uint8)
        >>> result = deblur(flat)
        >>> result.restored, result.reason, bool((result.image == flat).all())
        (False, 'cannot tell how it is blurred', True)
    """
    from blurlab.core.kernel_file import as_kernel, read_kernel
    from blurlab.core.picture import as_array, picture

    started = time.perf_counter()
    check_strength(strength)
    given, where = picture(image), None if mask is None else as_array(mask)
    if where is not None:
        check_mask(where, given.read.pixels.shape)
    tool, pixels = _tool(method, linear, max_length_px, weights), given.read.pixels
    if kernel is None:
        restored, found = tool.deblur(pixels, sigma)
    else:
        is_file = isinstance(kernel, (str, os.PathLike))
        psf = read_kernel(Path(kernel)) if is_file else as_kernel(as_array(kernel))
        restored, found = tool.undo(pixels, psf, sigma)
    result = blended(pixels, restored, strength, where)
    changed = not np.array_equal(result, pixels)
    reason = "" if changed else found.reason or unchanged(strength, where)
    made = given.like(result) if changed else given.same()
    return _result(made, found, changed, reason, time.perf_counter() - started)


def identify(image: Any, *, linear: bool = False, weights: str | None = None) -> Result:
    """Name and measure the blur of an image, and restore nothing.

    Args:
        image: As in :func:`deblur`.
        linear: As in :func:`deblur`.
        weights: As in :func:`deblur`.

    Returns:
        What was found; its ``image`` is None.

    Raises:
        FileNotFoundError: If there are no such weights.
        TypeError: If the image is none of these.
        ValueError: If its shape or values are not, or the weights are of another network.
    """
    from blurlab.core.picture import picture

    started = time.perf_counter()
    found = _tool(AUTO, linear, weights=weights).identify(picture(image).read.pixels)
    return _result(None, found, False, found.reason, time.perf_counter() - started)


def _tool(
    method: str | Deconvolver, linear: bool = False, max_length_px: float = math.inf, weights: str | None = None
) -> Deblurrer:
    from blurlab.deconvolver import Deconvolver

    if method == AUTO:
        return _auto(linear, max_length_px, weights)
    used = method if isinstance(method, Deconvolver) else named(method)
    return Deblurrer(deconvolver=used, weights=weights, linear=linear, max_length_px=max_length_px)


@lru_cache(maxsize=4)
def _auto(linear: bool, max_length_px: float, weights: str | None) -> Deblurrer:
    """The package's network is read once."""
    return Deblurrer(weights=weights, linear=linear, max_length_px=max_length_px)


def _result(image: Any, found: Found, restored: bool, reason: str, seconds: float) -> Result:
    return Result(
        image=image,
        kind=found.word,
        probability=found.probability if found.can_tell else math.nan,
        parameters=found.parameters,
        kernel=found.psf,
        noise=found.sigma,
        seconds=seconds,
        restored=restored,
        reason=reason,
        found=found,
    )


def _words(one: Measured) -> str:
    """A parameter in words: ``length is 9.1 px (90 % interval 8.6 to 9.5)``.

    Example:
        >>> _words(Measured("gaussian.sigma_px", "px", 7.97, 7.26, math.inf))
        'sigma is at least 7.26 px'
    """
    name = one.name.rpartition(".")[2].removesuffix(f"_{one.unit}").replace("_", " ")
    if one.high == math.inf:
        return f"{name} is at least {one.low:.2f} {one.unit}".rstrip()
    ends = "" if math.isnan(one.low) else f" (90 % interval {one.low:.2f} to {one.high:.2f})"
    return f"{name} is {one.value:.2f} {one.unit}".rstrip() + ends
