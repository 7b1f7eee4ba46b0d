"""Pages of text drawn by the program: dark letters on light paper, as many as needed, free to share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from blurlab.dataset.drawn import Drawn, check_size

VERSION = 1
"""Part of every id: raise it when a change of the drawing changes its pages."""
FINE = 2
"""Pages are drawn at this many times their size and averaged, so that letters lie anywhere between pixels."""
LETTERS = "etaoinshrdlucmfwypvbgkqjxz"
"""English letters by how often they come, the first most often."""


def text_page(seed: int, size: int = 512) -> NDArray[np.float32]:
    """A page of words that mean nothing, in one to three columns with headings; the same seed gives the same page.

    Args:
        seed: A non-negative integer.
        size: Side of the page [px], at least 64.

    Returns:
        (size, size, 3) float32 in [0, 1], red, green and blue.

    Raises:
        ValueError: If the size is below 64.

    Example:
        >>> page = text_page(0, 128)
        >>> page.shape, bool(np.median(page) > page.min() + 0.3)  # more paper than letters
        ((128, 128, 3), True)
    """
    check_size(size)
    from PIL import Image, ImageDraw

    rng, side = np.random.default_rng(seed), FINE * size
    canvas = Image.new("L", (side, side))
    pen = ImageDraw.Draw(canvas)
    margin, columns = side * rng.uniform(0.0, 0.08), int(rng.integers(1, 4))
    width = (side - 2 * margin) / columns
    height = FINE * float(np.exp(rng.uniform(np.log(8), np.log(28 / columns + 8))))
    for column in range(columns):
        _column(pen, rng, margin + column * width, margin, 0.94 * width, side - 2 * margin, height)
    turned = canvas.rotate(rng.normal(0, 1.5), resample=Image.Resampling.BICUBIC)
    ink = np.asarray(turned, dtype=np.float32).reshape(size, FINE, size, FINE).mean((1, 3)) / np.float32(255)
    return _printed(rng, ink)


def _column(
    pen: Any, rng: np.random.Generator, left: float, top: float, width: float, length: float, height: float
) -> None:
    """Lines of words from the top to the end of a column, some of them headings, some left empty."""
    from PIL import ImageFont

    down = top
    while down < top + length:
        chance = rng.random()
        line = height * (rng.uniform(1.5, 2.5) if chance < 0.06 else 1.0)
        if chance < 0.9:
            font, across = ImageFont.load_default(line), left
            while across < left + width:
                word = _word(rng)
                end = across + pen.textlength(word, font=font)
                if end > left + width and across > left:
                    break
                pen.text((across, down), word, fill=255, font=font)
                across = end + 0.3 * line
                if rng.random() < 0.02:
                    break
        down += line * rng.uniform(1.15, 1.4)


def _word(rng: np.random.Generator) -> str:
    """Letters as often as English has them, now and then a number or a capital."""
    if rng.random() < 0.08:
        return str(rng.integers(1, 10 ** int(rng.integers(1, 6))))
    share = 1 / (np.arange(len(LETTERS)) + 3.0)
    word = "".join(rng.choice(list(LETTERS), size=int(rng.integers(2, 11)), p=share / share.sum()))
    return (word.capitalize() if rng.random() < 0.15 else word) + (
        rng.choice([",", "."]) if rng.random() < 0.15 else ""
    )


def _printed(rng: np.random.Generator, ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """Paper and ink (H, W, 3) of their own colours under light that falls off to one side; one in eight is inverted."""
    paper = rng.uniform(0.7, 1.0) * rng.uniform(0.92, 1.0, 3)
    black = rng.uniform(0.0, 0.3) * rng.uniform(0.7, 1.0, 3)
    if rng.random() < 0.125:
        paper, black = black, paper
    down, across = np.meshgrid(*[np.linspace(-1, 1, side) for side in ink.shape], indexing="ij")
    light = 1 - rng.uniform(0, 0.15) * (1 + np.cos(rng.uniform(0, 6.3)) * down + np.sin(rng.uniform(0, 6.3)) * across)
    image = (paper + (black - paper) * ink[..., None]) * light[..., None]
    return image.clip(0, 1).astype(np.float32)


class TextPages(Drawn):
    """Pages of text that never were; number i depends on the seed, the size and i alone, not on n.

    Args:
        n: Number of pages.
        seed: Another seed makes other pages.
        size: Side of the square pages [px].

    Raises:
        ValueError: If ``n`` is below 1 or ``size`` below 64.
    """

    name = "text_pages"

    def __init__(self, n: int = 100, seed: int = 0, size: int = 512) -> None:
        super().__init__(n, seed, size, draw=text_page, version=VERSION)
