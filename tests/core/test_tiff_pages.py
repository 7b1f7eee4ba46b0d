"""Which page of a TIFF file is the photograph: never a thumbnail, and never the first of several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from image_files import behind_thumbnail, turned_lzw_tiff

from blurlab.core.image_io import ImageReadError, read_image, read_size

RNG = np.random.default_rng(3)
RGB8 = RNG.integers(0, 256, (12, 15, 3), dtype=np.uint8)
DEEP = RNG.integers(40_000, 65536, (50, 60), dtype=np.uint16)
FULL = {
    "grey16": (DEEP, "minisblack", {}, 65535),
    "rgb16": (np.stack([DEEP, DEEP[::-1], DEEP // 2], -1), "rgb", {}, 65535),
    "rgb8": (RNG.integers(0, 256, (50, 60, 3), dtype=np.uint8), "rgb", {}, 255),
    "deflated8": (RNG.integers(0, 256, (48, 64, 3), dtype=np.uint8), "rgb", {"compression": "deflate"}, 255),
    "bits": (RNG.integers(0, 2, (50, 64)).astype(bool), "minisblack", {}, 1),
    "float": (RNG.random((50, 60), dtype=np.float32), "minisblack", {}, 1),
}


@pytest.mark.parametrize("kind", FULL)
@pytest.mark.parametrize("layout", ["little", "big", "bigtiff"])
def test_the_photograph_below_a_thumbnail_is_read(tmp_path: Path, kind: str, layout: str) -> None:
    samples, photometric, options, white = FULL[kind]
    order: Any = ">" if layout == "big" else "<"
    with tifffile.TiffWriter(tmp_path / "a.tif", byteorder=order, bigtiff=layout == "bigtiff") as file:
        file.write(RGB8, photometric="rgb", subfiletype=1, subifds=1)
        file.write(samples, photometric=photometric, **options)
    image = read_image(tmp_path / "a.tif")
    np.testing.assert_allclose(image, np.atleast_3d(samples).astype(np.float64) / white, atol=1e-7)
    assert read_size(tmp_path / "a.tif") == samples.shape[:2]


@pytest.mark.parametrize("place", ["before", "after", "below", "mask"])
def test_a_marked_page_is_passed_over(tmp_path: Path, place: str) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        if place == "before":
            file.write(RGB8, photometric="rgb", subfiletype=1)
        file.write(DEEP, photometric="minisblack", subifds=1 if place == "below" else None)
        if place == "mask":
            file.write(DEEP > 50_000, subfiletype=4)
        elif place != "before":
            file.write(RGB8, photometric="rgb", subfiletype=1)
    np.testing.assert_allclose(read_image(tmp_path / "a.tif")[..., 0], DEEP / 65535, atol=1e-7)


def test_the_old_tag_for_thumbnails_counts(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(RGB8, photometric="rgb", extratags=[(255, "H", 1, 2, True)])
        file.write(DEEP, photometric="minisblack")
    assert read_image(tmp_path / "a.tif").shape == (50, 60, 1)


def test_a_compression_left_to_opencv_is_read_from_the_right_page(tmp_path: Path) -> None:
    rgb = RNG.integers(40_000, 65536, (20, 30, 3), dtype=np.uint16)
    (tmp_path / "a.tif").write_bytes(behind_thumbnail(turned_lzw_tiff(rgb, 1)))
    np.testing.assert_allclose(read_image(tmp_path / "a.tif"), rgb / 65535, atol=1e-7)


@pytest.mark.parametrize("shapes", [[(9, 11, 3)] * 3, [(9, 11)] * 3, [(9, 11, 3), (4, 5, 3)], [(9, 11), (9, 11, 3)]])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_several_pages_are_refused_not_guessed(tmp_path: Path, shapes: list[tuple[int, ...]], dtype: type) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for shape in shapes:
            file.write(np.ones(shape, dtype), photometric="rgb" if len(shape) == 3 else "minisblack")
    for read in (read_image, read_size):
        with pytest.raises(ImageReadError, match=rf"a\.tif: it holds {len(shapes)} pages \(9x11, .*; save the one"):
            read(tmp_path / "a.tif")


def test_stacks_of_every_kind_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "imagej.tif", np.zeros((5, 20, 20), np.uint16), imagej=True)
    tifffile.imwrite(tmp_path / "volume.tif", np.zeros((8, 32, 32), np.uint16), volumetric=True, tile=(8, 16, 16))
    tifffile.imwrite(
        tmp_path / "truncate.tif", np.zeros((5, 20, 20), np.uint16), photometric="minisblack", truncate=True
    )
    with tifffile.TiffWriter(tmp_path / "thumbs.tif") as file:
        for _ in range(2):
            file.write(RGB8, photometric="rgb", subfiletype=1)
    (tmp_path / "two.pgm").write_bytes((b"P5 4 3 255\n" + bytes(12)) * 2)
    (tmp_path / "two.ppm").write_bytes((b"P6 4 3 4095\n" + bytes(72)) * 2)
    for name, words in {
        "imagej.tif": "5 pages",
        "volume.tif": "stack of 8 planes",
        "truncate.tif": "stack of 5 planes",
        "thumbs.tif": "2 pages, all marked",
        "two.pgm": "several images",
        "two.ppm": "several images",
    }.items():
        with pytest.raises(ImageReadError, match=f"{name}: it .*{words}.*; save"):
            read_image(tmp_path / name)


def test_a_page_that_is_alone_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", RGB8, photometric="rgb", subfiletype=1)
    np.testing.assert_allclose(read_image(tmp_path / "a.tif"), RGB8 / 255, atol=1e-7)
