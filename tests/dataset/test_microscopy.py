"""Images of microscopes: any range of samples, stacks, and what is passed over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from blurlab.core.image_io import ImageReadError
from blurlab.dataset import DataNotFound, Microscopy


def put(folder: Path) -> np.ndarray:
    plane = np.linspace(100, 900, 40 * 50).reshape(40, 50)
    (folder / "microscopy").mkdir()
    tifffile.imwrite(folder / "microscopy" / "plane.tif", plane.astype(np.uint16))
    tifffile.imwrite(folder / "microscopy" / "stack.tif", np.stack([plane, plane[::-1]]).astype(np.float32))
    tifffile.imwrite(folder / "microscopy" / "small.tif", plane[:20].astype(np.uint16))
    return plane


def test_every_image_fills_its_range_and_a_stack_is_its_largest_values(tmp_path: Path) -> None:
    plane = put(tmp_path)
    source = Microscopy(tmp_path, least_side=30)
    photos = source.photos()
    assert [photo.id for photo in photos] == ["plane.tif", "stack.tif"]
    image, stack = (source.load(photo) for photo in photos)
    assert image.shape == (40, 50, 1) and image.min() == 0 and image.max() == 1
    both = np.maximum(plane, plane[::-1])
    assert np.corrcoef(stack.ravel(), both.ravel())[0, 1] > 0.999
    assert len(Microscopy(tmp_path / "microscopy", least_side=1).photos()) == 3


def test_colours_are_no_planes(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 200, (40, 50, 3)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "colours.tif", colours, photometric="rgb")
    tifffile.imwrite(tmp_path / "planes.tif", np.stack([colours, colours // 2]), photometric="rgb")
    one, stack = (Microscopy(tmp_path).load(photo) for photo in Microscopy(tmp_path).photos())
    assert one.shape == (40, 50, 3) and np.array_equal(one, stack)
    assert np.corrcoef(one.ravel(), colours.ravel())[0, 1] > 0.999
    four = np.zeros((2, 2, 2, 40, 50), np.uint8)
    four[0] = 9
    tifffile.imwrite(tmp_path / "many.tif", four, photometric="minisblack")
    with pytest.raises(ImageReadError, match="an image has rows and columns, a stack planes"):
        Microscopy(tmp_path).photos()


def test_what_cannot_be_used_is_said_in_one_line(tmp_path: Path) -> None:
    put(tmp_path)
    with pytest.raises(DataNotFound, match="no microscope's image of 64 px"):
        Microscopy(tmp_path, least_side=64).photos()
    tifffile.imwrite(tmp_path / "microscopy" / "black.tif", np.zeros((40, 40), np.uint16))
    with pytest.raises(ImageReadError, match=r"black.tif is constant"):
        Microscopy(tmp_path).photos()
    (tmp_path / "microscopy" / "black.tif").write_bytes(b"no image")
    with pytest.raises(ImageReadError, match=r"black.tif cannot be read"):
        Microscopy(tmp_path).photos()
