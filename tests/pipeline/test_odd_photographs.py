"""What may come instead of a photograph, asked of the network of `blurlab deblur`: no sharp image is undone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from fast_set import slow_where
from numpy.typing import NDArray

from blurlab.api import Deblurrer
from blurlab.dataset import Bundled, graphic, text_page
from blurlab.noise import jpeg, stamp

SIDE = 300
ROWS, COLS = np.mgrid[:SIDE, :SIDE]
Image = NDArray[np.floating]


@pytest.fixture(scope="module")
def tool() -> Deblurrer:
    return Deblurrer()


def photo() -> Image:
    source = Bundled()
    return source.load(next(one for one in source.photos() if one.id == "motorcycle_left.png"))[:SIDE, :SIDE]


def grey(values: Image) -> Image:
    return np.repeat(values[..., None], 3, -1)


def noise(spread: float, channels: int = 3) -> Image:
    return spread * np.random.default_rng(0).standard_normal((SIDE, SIDE, channels))


def framed(level: float) -> Image:
    image = np.full((SIDE + 200, SIDE + 200, 3), level)
    image[100:-100, 100:-100] = photo()
    return image


def dated() -> Image:
    cover, colour = stamp(3, (SIDE, SIDE))
    return photo() * (1 - cover[..., None]) + cover[..., None] * np.array(colour)


def screen() -> Image:
    """Grey boxes with edges on whole pixels, a bar, and rows of letters."""
    image = np.full((SIDE, SIDE, 3), 0.94)
    image[20:200, 30:270] = 0.8
    image[20:40, 30:270] = (0.1, 0.2, 0.5)
    image[60:180, 50:250] = 1.0
    image[70:170, 60:240] *= text_page(5, 180)[:100]
    image[220:260, 40:140] = (0.2, 0.6, 0.3)
    return image


SHARP: dict[str, Callable[[], Image]] = {
    "all black": lambda: np.zeros((SIDE, SIDE, 3)),
    "all saturated": lambda: np.ones((SIDE, SIDE, 3)),
    "one colour": lambda: np.tile([0.3, 0.5, 0.2], (SIDE, SIDE, 1)),
    "stripes": lambda: grey(0.1 + 0.8 * (COLS // 5 % 2)),
    "slanted stripes": lambda: grey(0.5 + 0.4 * np.sin((COLS + 0.7 * ROWS) / 4)),
    "checks": lambda: grey(0.1 + 0.8 * ((COLS // 9 + ROWS // 9) % 2)),
    "noisy step": lambda: grey(0.3 + 0.4 * (COLS > SIDE / 2)) + noise(0.02),
    "noisy slanted step": lambda: grey(0.3 + 0.4 * (COLS + 0.5 * ROWS > 0.8 * SIDE)) + noise(0.02),
    "noise": lambda: np.random.default_rng(0).random((SIDE, SIDE, 3)),
    "faint noise": lambda: 0.5 + noise(0.01),
    "grey noise": lambda: 0.5 + np.repeat(noise(0.2, 1), 3, -1),
    "photograph": photo,
    "black border": lambda: framed(0.0),
    "white border": lambda: framed(1.0),
    "round mask": lambda: photo() * (np.hypot(ROWS - SIDE / 2, COLS - SIDE / 2) < 140)[..., None],
    "date stamp": dated,
    "screen": screen,
    "line art": lambda: graphic(1000, SIDE),
    "leaves": lambda: graphic(1001, SIDE),
    "screen of letters": lambda: graphic(1008, SIDE),
    "page": lambda: text_page(1000, SIDE),
}
CANNOT_TELL = ("all black", "all saturated", "one colour", "stripes", "slanted stripes", "checks", "faint noise")


CASES = [(name, quality) for name in SHARP for quality in (None, 92)]
SLOW = ("screen of letters",)
"""Where a free kernel is tried."""


@pytest.mark.parametrize(
    ("name", "quality"),
    slow_where(CASES, lambda one: one[0] in SLOW or (one[0] != "photograph" and one[1] is not None)),
)
def test_what_nobody_blurred_is_left_as_it_is(tool: Deblurrer, name: str, quality: int | None) -> None:
    image = np.round(SHARP[name]().clip(0, 1) * 255).astype(np.float32) / 255
    if quality is not None:
        image = jpeg(torch.from_numpy(image).permute(2, 0, 1)[None], quality)[0].permute(1, 2, 0).numpy()
    found = tool.identify(image)
    assert not found.undone
    assert not found.can_tell or name not in CANNOT_TELL


def test_a_thumbnail_is_refused_in_one_line(tool: Deblurrer) -> None:
    with pytest.raises(ValueError, match=r"at least .*64, got \(1, 1, 16, 16\)"):
        tool.identify(photo()[:16, :16])
