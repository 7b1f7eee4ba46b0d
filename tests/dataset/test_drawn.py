"""Photographs that the program draws, squares of photographs, and what is drawn over files."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from blurlab.dataset import (
    Cuts,
    Drive,
    FundusSynthetic,
    Graphics,
    Nuclei,
    Source,
    TextPages,
    graphic,
    make_split,
    nuclei,
    text_page,
)
from blurlab.noise import Frame, Stamp, stamp

SETS: dict[str, Callable[[int, int], Source]] = {
    "text": lambda n, seed: TextPages(n, seed, 96),
    "graphics": lambda n, seed: Graphics(n, seed, 96),
    "nuclei": lambda n, seed: Nuclei(n, seed, 96),
    "cuts": lambda n, seed: Cuts(FundusSynthetic(n, seed, 80), 48, count=2, middle=0.8),
}


@pytest.mark.parametrize("name", SETS)
def test_a_drawing_depends_on_its_name_alone(name: str) -> None:
    few, more, other = SETS[name](2, 0).photos(), SETS[name](5, 0).photos(), SETS[name](2, 1).photos()
    source = SETS[name](5, 0)
    images = [source.load(photo) for photo in more]
    for mine, theirs, image in zip(few, more, images, strict=False):
        assert mine.id == theirs.id and np.array_equal(source.load(mine), image)
        assert image.dtype == np.float32 and image.ndim == 3 and image.shape[2] == 3
        assert image.min() >= 0 and image.max() <= 1 and image.std() > 0.01
    assert not np.array_equal(source.load(other[0]), images[0])
    assert len({source.digest(photo) for photo in (*more, *other)}) == len(more) + len(other)


def test_letters_are_the_same_at_another_size_and_lie_on_paper() -> None:
    page = text_page(3, 256)
    assert 0.02 < float((np.abs(page - np.median(page, (0, 1))) > 0.2).any(-1).mean()) < 0.5
    assert not np.array_equal(text_page(3, 256), text_page(4, 256))


def test_drawings_have_edges_between_few_colours() -> None:
    for seed in range(4):
        grey = graphic(seed, 128).mean(-1)
        steps = np.abs(np.diff(grey, axis=1))
        assert float((steps < 1 / 255).mean()) > 0.5 and float(steps.max()) > 0.2


def test_nuclei_are_bright_and_soft_on_a_dark_ground() -> None:
    for seed in range(4):
        picture = nuclei(seed, 128)
        assert np.array_equal(picture[..., 0], picture[..., 2])
        ground = float(np.median(picture))
        assert ground < 0.5 < float(picture.max()) and float((picture > ground + 0.1).mean()) < 0.5
        assert (
            float(np.abs(np.diff(picture[..., 0], axis=1)).max()) < 0.5
        )  # a microscope's spot is wider than a pixel's half


def test_squares_of_one_photograph_are_pixels_of_it_and_stay_in_one_split(tmp_path) -> None:  # type: ignore[no-untyped-def]
    whole = FundusSynthetic(12, 0, 96)
    cuts = Cuts(whole, 40, count=3, middle=0.9)
    first, photo = cuts.load(cuts.photos()[1]), whole.load(whole.photos()[0])
    windows = np.lib.stride_tricks.sliding_window_view(photo, first.shape)[4:-4, 4:-4, 0]
    assert bool((windows == first).all((-3, -2, -1)).any())
    split = make_split(cuts)
    groups = [{one.group for one in part} for part in (split.train, split.val, split.test)]
    assert sum(map(len, groups)) == 12 and len(set.union(*groups)) == 12
    assert cuts.digest(cuts.photos()[0]) != cuts.digest(cuts.photos()[1])
    with pytest.raises(ValueError, match=r"no 90 px fit into 0\.5 of"):
        Cuts(whole, 90, middle=0.5).load(Cuts(whole, 90, middle=0.5).photos()[0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TextPages(0), "n must be at least 1"),
        (lambda: Graphics(size=10), "at least 64 pixels, got 10"),
        (lambda: text_page(0, 10), "at least 64 pixels, got 10"),
        (lambda: nuclei(0, 10), "at least 64 pixels, got 10"),
        (lambda: graphic(0, 10), "at least 64 pixels, got 10"),
        (lambda: Cuts(Drive("."), 0), "side_px and count must be 1 or more"),
        (lambda: Frame(0.6, 0.6), "at most 1 together"),
        (lambda: Stamp(-0.1), "share must be from 0 to 1"),
    ],
)
def test_bad_options_are_told(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_frames_cover_what_they_are_told_and_leave_the_rest() -> None:
    x = torch.rand(300, 1, 40, 50, generator=torch.Generator().manual_seed(0)).clamp(0.2, 0.8)
    y, _ = Frame(borders=0.3, round=0.2)(x, generator=torch.Generator().manual_seed(1))
    same = (y == x).flatten(1)
    assert 0.4 < float(same.all(1).float().mean()) < 0.6
    corner = torch.stack([y[:, 0, row, col] for row in (0, -1) for col in (0, -1)], 1)
    level = corner[:, 0]
    round_ = (corner == level[:, None]).all(1) & ~same.all(1)
    assert bool(same[round_].float().mean(1).gt(0.05).all())
    bars = (~same.all(1)) & (same.float().mean(1) > 0)
    assert float(bars.float().mean()) > 0.3


def test_a_date_is_in_a_corner_of_as_many_images_as_told() -> None:
    x = torch.full((200, 3, 64, 96), 0.4)
    y, _ = Stamp(share=0.25)(x, generator=torch.Generator().manual_seed(2))
    changed = (y != x).flatten(1).any(1)
    assert 0.15 < float(changed.float().mean()) < 0.35
    assert bool((y[:, :, 24:40] == x[:, :, 24:40]).all())  # not in the middle rows
    cover, colour = stamp(7, (64, 96))
    again, _ = stamp(7, (64, 96))
    assert np.array_equal(cover, again) and 0 < cover.max() <= 1 and len(colour) == 3
    assert 0.002 < cover.mean() < 0.1
