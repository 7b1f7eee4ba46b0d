"""Photographs before and after, with the kernel found and the reasons: one HTML page that needs no other file."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blurlab.core.atomic import write_text

WIDE_PX, DETAIL_PX, KERNEL_PX = 720, 240, 132
"""Longest side of a whole picture, side of a detail, and side at which a kernel is drawn."""
QUALITY = 90
"""Of the JPEG pictures within the page."""


@dataclass(frozen=True)
class Shown:
    """What a page shows of one photograph: small pictures only, so that a page of many is soon made.

    Attributes:
        name: Of its file.
        verdict: What was found, in one line.
        restored: Was it changed?
        whole: Words and picture of each whole photograph, the one that came first.
        detail: The same of a detail at the size of the file.
        kernel: Its picture; empty where nothing was restored.
        kernel_px: Its sides.
    """

    name: str
    verdict: str
    restored: bool
    whole: tuple[tuple[str, str], ...]
    detail: tuple[tuple[str, str], ...]
    kernel: str
    kernel_px: str


def shown(name: str, verdict: str, before: NDArray[Any], after: NDArray[Any], kernel: NDArray[Any]) -> Shown:
    """What a page shows, from images in [0, 1]; a detail is cut where there is most to see."""
    changed = not np.array_equal(before, after)
    came = to_bytes(before)
    pairs = [("As it came", came)] + ([("Restored", to_bytes(after))] if changed else [])
    place = most_detail(came, DETAIL_PX)
    return Shown(
        name=name,
        verdict=verdict,
        restored=changed,
        whole=tuple((words, _uri(fitted(image, WIDE_PX))) for words, image in pairs),
        detail=tuple((words, _uri(image[place])) for words, image in pairs),
        kernel=_uri(drawn_kernel(kernel)) if changed else "",
        kernel_px=f"{kernel.shape[0]} x {kernel.shape[1]} px",
    )


def write_photographs(entries: Sequence[Shown], path: Path) -> Path:
    """Write the page, under a temporary name first.

    Args:
        entries: A photograph each, in this order.
        path: The page.

    Returns:
        The path.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(Path(__file__).parent)
    templates = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return write_text(path, templates.get_template("photographs.html.jinja").render(entries=entries))


def most_detail(image: NDArray[Any], side: int) -> tuple[slice, slice]:
    """Rows and columns of the square with the greatest variance, among squares half a side apart.

    Example:
        >>> image = np.zeros((60, 80, 1), np.uint8)
        >>> image[40:60:2, 40:60] = 255
        >>> most_detail(image, 20)
        (slice(40, 60, None), slice(40, 60, None))
    """
    light = image.mean(2)
    tops, lefts = ([*range(0, max(length - side, 0) + 1, max(side // 2, 1))] for length in light.shape)
    places = [(slice(top, top + side), slice(left, left + side)) for top in tops for left in lefts]
    return max(places, key=lambda place: float(light[place].var()))


def fitted(image: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """Shrunk by means over areas until no side is longer; a small image as it is."""
    import cv2

    share = longest / max(image.shape[:2])
    if share >= 1:
        return image
    rows, cols = (max(round(side * share), 1) for side in image.shape[:2])
    resized = cv2.resize(image, (cols, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, dtype=np.uint8).reshape(rows, cols, -1)


def drawn_kernel(kernel: NDArray[Any]) -> NDArray[np.uint8]:
    """A kernel in grey, its largest value white, each pixel a square."""
    scaled = np.clip(kernel / max(float(kernel.max()), 1e-12), 0, 1)
    times = max(KERNEL_PX // max(kernel.shape), 1)
    return to_bytes(np.kron(scaled, np.ones((times, times)))[..., None])


def to_bytes(image: NDArray[Any]) -> NDArray[np.uint8]:
    """An image in [0, 1] as samples of 8 bits."""
    return (np.clip(image, 0, 1) * 255).round().astype(np.uint8)


def _uri(image: NDArray[np.uint8]) -> str:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(file, format="JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
