"""The picture within a frame, and patterns that repeat themselves."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from blurlab.pipeline.content import picture, repeats

ROWS, COLS = torch.meshgrid(torch.arange(200.0), torch.arange(240.0), indexing="ij")
PHOTO = (
    torch.rand(3, 25, 30, generator=torch.Generator().manual_seed(0)).repeat_interleave(8, -1).repeat_interleave(8, -2)
)


def framed(level: float, shown: Tensor) -> Tensor:
    return PHOTO.where(shown, level)


@pytest.mark.parametrize("level", [0.0, 1.0, 0.02])
def test_bars_and_borders_are_cut_away_and_little_of_the_picture(level: float) -> None:
    bars = framed(level, (ROWS >= 40) & (ROWS < 160))
    top, bottom, left, right = picture(bars)
    assert 40 <= top <= 48 and 152 <= bottom <= 160 and (left, right) == (0, 240)
    border = framed(level, (ROWS >= 20) & (ROWS < 150) & (COLS >= 60))
    top, bottom, left, right = picture(border)
    assert 20 <= top <= 32 and 136 <= bottom <= 150 and 60 <= left <= 72 and right == 240


def test_of_a_round_field_nothing_is_cut_away() -> None:
    away = torch.hypot(ROWS - 100, COLS - 120)
    top, bottom, left, right = picture(framed(0.0, away < 75))
    shown = (away < 75).nonzero()
    assert int(shown[:, 0].min()) - top + 8 >= 0 and (bottom - top) * (right - left) > 0.7 * (2 * 75) ** 2


def test_what_has_no_frame_is_whole() -> None:
    whole = (0, 200, 0, 240)
    assert picture(PHOTO) == whole
    assert picture(framed(0.5, ROWS >= 60)) == whole  # grey is no frame
    assert picture(framed(1.0, (ROWS >= 60) | (COLS >= 120))) == whole  # a sky in one corner
    for level in (0.0, 0.5, 1.0):
        assert picture(torch.full((1, 200, 240), level)) == whole
    assert picture(framed(0.0, (ROWS < 40) & (COLS < 40))) == whole  # too little is left


def test_of_a_drawing_on_white_all_lines_are_kept() -> None:
    lines = (ROWS % 40 < 3) & (ROWS > 30) & (ROWS < 170) & (COLS > 50) & (COLS < 200)
    top, bottom, left, right = picture(framed(1.0, lines))
    assert bool(lines[top:bottom, left:right].sum() == lines.sum())


def test_patterns_repeat_and_pictures_do_not_sharp_or_blurred() -> None:
    checks = ((ROWS // 9 + COLS // 9) % 2).float()
    waves = 0.5 + 0.3 * torch.sin((ROWS + 0.7 * COLS) / 3) * torch.sin(COLS / 4)
    noise = torch.rand(200, 240, generator=torch.Generator().manual_seed(1))
    flat, photo = torch.full((200, 240), 0.5), PHOTO[0]
    line = photo.unfold(1, 41, 1).mean(-1)  # moved by 41 px
    found = repeats(torch.stack([checks, waves, noise, flat, photo])[:, None])
    assert found.tolist() == [True, True, False, False, False]
    assert not bool(repeats(line[None, None]))
