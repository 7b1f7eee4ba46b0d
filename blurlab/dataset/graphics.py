"""Drawings by the program: screens of boxes and letters, line art, and overlapping leaves of one colour each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blurlab.dataset.drawn import Drawn, check_size

VERSION = 1
"""Part of every id: raise it when a change of the drawing changes its pictures."""
FINE = 2
"""Pictures are drawn at this many times their size and averaged."""
Pen = Any
Rng = np.random.Generator


def graphic(seed: int, size: int = 512) -> NDArray[np.float32]:
    """One drawing: a screen, line art or leaves, equally often; the same seed gives the same drawing.

    Args:
        seed: A non-negative integer.
        size: Side of the drawing [px], at least 64.

    Returns:
        (size, size, 3) float32 in [0, 1], red, green and blue.

    Raises:
        ValueError: If the size is below 64.

    Example:
        >>> graphic(0, 96).shape
        (96, 96, 3)
    """
    check_size(size)
    from PIL import Image, ImageDraw

    rng, side = np.random.default_rng(seed), FINE * size
    paper = _colour(rng) if rng.random() < 0.4 else (255, 255, 255)
    canvas = Image.new("RGB", (side, side), paper)
    ways: list[Callable[[Pen, Rng, int], None]] = [_screen, _line_art, _leaves]
    ways[rng.integers(len(ways))](ImageDraw.Draw(canvas), rng, side)
    fine = np.asarray(canvas, dtype=np.float32).reshape(size, FINE, size, FINE, 3)
    return fine.mean((1, 3)) / np.float32(255)


def _screen(pen: Pen, rng: Rng, side: int) -> None:
    """Windows with a title, boxes and lines of letters, their edges on whole pixels."""
    from PIL import ImageFont

    for _ in range(rng.integers(3, 9)):
        left, top = (FINE * int(at) for at in rng.integers(0, side // FINE, 2))
        right, bottom = (min(side, at + FINE * int(rng.integers(30, side // FINE))) for at in (left, top))
        pen.rectangle((left, top, right, bottom), fill=_colour(rng), outline=_colour(rng), width=FINE)
        pen.rectangle((left, top, right, min(bottom, top + FINE * 18)), fill=_colour(rng))
        height = FINE * float(rng.integers(9, 20))
        font, colour = ImageFont.load_default(height), _colour(rng)
        for down in np.arange(top + FINE * 22, bottom - height, 1.6 * height):
            letters = "".join(rng.choice(list("abcdefghiklmnoprstuvw 0123456789"), int(rng.integers(2, 30))))
            pen.text((left + FINE * 6, down), letters, fill=colour, font=font)


def _line_art(pen: Pen, rng: Rng, side: int) -> None:
    """Thin lines, arcs and polygons in one ink, nothing filled."""
    ink = tuple(int(value) for value in rng.integers(0, 90, 3))
    for _ in range(rng.integers(20, 120)):
        width, points = int(FINE * rng.uniform(1, 4)), rng.uniform(0, side, (int(rng.integers(2, 6)), 2))
        if rng.random() < 0.4:
            radius = side * rng.uniform(0.02, 0.4)
            (x, y), (start, end) = points[0], rng.uniform(0, 360, 2)
            pen.arc((x - radius, y - radius, x + radius, y + radius), start, end, fill=ink, width=width)
        else:
            near = points[0] + (points - points[0]) * rng.uniform(0.1, 1)
            pen.line([tuple(point) for point in near], fill=ink, width=width)


def _leaves(pen: Pen, rng: Rng, side: int) -> None:
    """Discs, boxes and triangles over one another, the number of those above a size falling with its square."""
    for _ in range(rng.integers(300, 1500)):
        radius = min(0.25 * side, FINE * 2 / np.sqrt(rng.random()))
        x, y = rng.uniform(0, side, 2)
        shape, colour = rng.integers(3), _colour(rng)
        if shape == 0:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
        else:
            corners = np.sort(rng.uniform(0, 2 * np.pi, 4 if shape == 1 else 3))
            pen.polygon([(x + radius * np.cos(at), y + radius * np.sin(at)) for at in corners], fill=colour)


def _colour(rng: Rng) -> tuple[int, ...]:
    return tuple(int(value) for value in rng.integers(0, 256, 3))


class Graphics(Drawn):
    """Drawings that never were; number i depends on the seed, the size and i alone, not on n.

    Args:
        n: Number of drawings.
        seed: Another seed makes other drawings.
        size: Side of the square drawings [px].

    Raises:
        ValueError: If ``n`` is below 1 or ``size`` below 64.
    """

    name = "graphics"

    def __init__(self, n: int = 100, seed: int = 0, size: int = 512) -> None:
        super().__init__(n, seed, size, draw=graphic, version=VERSION)
