"""The date that a camera writes into a corner of its pictures."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from blurlab.noise.draw import Generators
from blurlab.noise.frame import uniform
from blurlab.noise.rendering import Rendering

SEEDS = 2**24
"""Stamps are named by whole numbers below it, which float32 holds exactly."""
HEIGHT = 0.03, 0.09
"""Height of the digits as a share of the image's height."""
LEAST_PX = 8
"""Height of the smallest digits."""
COLOURS = ((1.0, 0.55, 0.1), (1.0, 0.85, 0.2), (1.0, 1.0, 1.0), (0.9, 0.1, 0.1), (0.0, 0.0, 0.0))
"""Orange and yellow as film backs wrote; white, red and black as programs write."""


class Stamp(Rendering):
    """A date in one corner of some images, drawn after the blur: sharp digits on a picture that may be blurred.

    Args:
        share: Of the images that get one, from 0 to 1.

    Raises:
        ValueError: If the share is out of its range.

    Example:
        >>> y, _ = Stamp(1.0)(torch.zeros(1, 1, 64, 96), generator=torch.Generator().manual_seed(1))
        >>> bool(y.max() > 0.3), float(y[0, 0, 24:40].max())  # in a corner, not in the middle
        (True, 0.0)
    """

    def __init__(self, share: float) -> None:
        if not 0 <= share <= 1:
            raise ValueError(f"share must be from 0 to 1, got {share:g}; it says how many images get a date")
        self.share = float(share)

    def draw(self, x: Tensor, *, generator: Generators) -> Tensor:
        """Settings (B, 2): is there one (0 or 1), and the number that names it."""
        has_one = (uniform(x, (0, 1), generator) < self.share).to(x)
        return torch.stack([has_one, (SEEDS * uniform(x, (0, 1), generator)).floor().clamp_max(SEEDS - 1)], 1)

    def render(self, x: Tensor, settings: Tensor) -> Tensor:
        y = x.clone()
        for row in settings[:, 0].nonzero().flatten().tolist():
            cover, colour = stamp(int(settings[row, 1]), (x.shape[-2], x.shape[-1]))
            paint = torch.tensor(colour).to(x)
            paint = paint if x.shape[1] == 3 else paint.mean().expand(x.shape[1])
            y[row] = torch.lerp(x[row], paint[:, None, None].expand_as(x[row]), torch.from_numpy(cover).to(x))
        return y


def stamp(seed: int, shape: tuple[int, int]) -> tuple[NDArray[np.float32], tuple[float, ...]]:
    """The stamp of this number on an image of this shape (H, W).

    Returns:
        How much of each pixel it covers (H, W), from 0 to 1, and its colour, red, green and blue.
    """
    from PIL import Image, ImageDraw, ImageFont

    rng, (height, width) = np.random.default_rng(seed), shape
    day, month, year = rng.integers(1, 29), rng.integers(1, 13), rng.integers(1985, 2026)
    hour, minute = rng.integers(24), rng.integers(60)
    text = (
        f"{year}/{month:02}/{day:02} {hour:02}:{minute:02}",
        f"'{year % 100:02} {month} {day}",
        f"{day:02}.{month:02}.{year}",
    )[rng.integers(3)]
    font = ImageFont.load_default(max(LEAST_PX, height * rng.uniform(*HEIGHT)))
    canvas = Image.new("L", (width, height))
    pen = ImageDraw.Draw(canvas)
    left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
    margin = 0.02 * min(shape) + 1
    across = margin - left if rng.random() < 0.3 else width - margin - right
    down = margin - top if rng.random() < 0.2 else height - margin - bottom
    pen.text((across, down), text, fill=255, font=font)
    cover = np.asarray(canvas, dtype=np.float32) / np.float32(255) * np.float32(rng.uniform(0.8, 1.0))
    return cover, COLOURS[rng.integers(len(COLOURS))]
