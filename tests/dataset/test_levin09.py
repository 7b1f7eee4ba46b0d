from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from blurlab.core.image_io import ImageReadError, read_image
from blurlab.dataset import Captures, DataNotFound, Levin09, Levin09Mat, make_split


def test_each_photograph_has_its_eight_captures(levin_data: Path) -> None:
    source = Levin09(levin_data)
    assert isinstance(source, Captures)
    assert [photo.id for photo in source.photos()] == [f"gt/im{i}.png" for i in range(1, 5)]
    assert source.kernels("gt/im2.png") == [f"kernel{i}" for i in range(1, 9)]
    taken = source.observed("gt/im2.png", "kernel3")
    assert np.array_equal(taken, read_image(levin_data / "levin09" / "im2_kernel3_img.png"))
    assert taken.shape == source.load(source.photos()[1]).shape == (56, 56, 1)
    assert sum(map(len, (make_split(source).train, make_split(source).val, make_split(source).test))) == 4


def test_a_capture_that_is_missing_is_not_listed(levin_data: Path, tmp_path: Path) -> None:
    shutil.copytree(levin_data / "levin09", tmp_path, dirs_exist_ok=True)
    (tmp_path / "im1_kernel4_img.png").unlink()
    assert "kernel4" not in Levin09(tmp_path).kernels("gt/im1.png")


def test_a_folder_without_the_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataNotFound, match="Levin et al"):
        Levin09(tmp_path).photos()


def test_each_matlab_file_is_a_photograph_taken_through_one_kernel(levin_data: Path) -> None:
    source = Levin09Mat(levin_data)
    assert isinstance(source, Captures)
    photos = source.photos()
    assert len(photos) == 32 and {photo.group for photo in photos} == {f"im{i:02d}" for i in range(1, 5)}
    photo = photos[10]
    assert photo.id == "mat/im02_ker03.mat" and source.kernels(photo.id) == ["kernel3"]
    x, y = source.load(photo), source.observed(photo.id, "kernel3")
    png = Levin09(levin_data)
    assert x.shape == y.shape == (56, 56, 1) and x.dtype == y.dtype == np.float32
    assert np.abs(x - png.load(png.photos()[1])).max() < 0.5 / 255 + 1e-6
    assert 0 < np.abs(y - png.observed("gt/im2.png", "kernel3")).max() < 0.5 / 255 + 1e-6


def test_a_damaged_matlab_file_is_named(levin_data: Path, tmp_path: Path) -> None:
    shutil.copytree(levin_data / "levin09" / "mat", tmp_path / "mat")
    (tmp_path / "mat" / "im01_ker02.mat").write_bytes(b"MATLAB 5.0 no more")
    source = Levin09Mat(tmp_path)
    source.check(source.photos()[0])
    with pytest.raises(ImageReadError, match=r"im01_ker02\.mat holds no variable x"):
        source.check(source.photos()[1])
