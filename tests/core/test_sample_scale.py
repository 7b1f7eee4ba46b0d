"""Which sample value is white: of what a file holds and declares, and the same in the file that is written."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from image_files import packed_tiff, png16
from PIL import Image

from blurlab.core.image_alike import write_alike
from blurlab.core.image_io import ImageReadError, read_image, read_scaled, write_image

RNG = np.random.default_rng(11)
CONTAINERS = [np.uint16, np.uint32, np.uint64]


def samples_of(bits: int, channels: int = 1) -> np.ndarray:
    values = RNG.integers(0, 2**bits, (9, 11, channels))
    values[0, 0] = 2**bits - 1
    return values if channels > 1 else values[..., 0]


def assert_scaled(path: Path, values: np.ndarray, white: float, why: str) -> None:
    read = read_scaled(path)
    assert read.scale.white == white and why in str(read.scale)
    np.testing.assert_allclose(read.pixels, np.atleast_3d(values) / white, rtol=0, atol=1e-7)
    np.testing.assert_array_equal(read_image(path), read.pixels)


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 16])
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("channels", [1, 3])
def test_data_of_few_bits_in_a_deep_file_keep_their_grey_levels(
    tmp_path: Path, bits: int, container: type, channels: int
) -> None:
    values = samples_of(bits, channels)
    photometric = "minisblack" if channels == 1 else "rgb"
    tifffile.imwrite(tmp_path / "a.tif", values.astype(container), photometric=photometric)
    assert_scaled(tmp_path / "a.tif", values, 2**bits - 1, f"{bits} bits")
    read = read_scaled(tmp_path / "a.tif")
    written = cv2.imread(str(write_image(tmp_path / "b.png", read.pixels, int(read.scale.white))), -1)
    assert written.dtype == np.uint16
    np.testing.assert_array_equal(written if channels == 1 else written[..., ::-1], values)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_12_bits_in_a_16_bit_png(tmp_path: Path, channels: int) -> None:
    values = samples_of(12, 4)[..., :channels]
    (tmp_path / "a.png").write_bytes(png16(values.astype(np.uint16)))
    assert_scaled(tmp_path / "a.png", values[..., : 1 if channels < 3 else 3], 4095, "12 bits")


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_samples_stored_without_gaps(tmp_path: Path, bits: int) -> None:
    values = RNG.integers(0, 2**bits, (8, 16))
    (tmp_path / "a.tif").write_bytes(packed_tiff(values, bits))
    assert_scaled(tmp_path / "a.tif", values, 2**bits - 1, "declares")


@pytest.mark.parametrize("white_is_zero", [False, True])
@pytest.mark.parametrize(
    ("tag", "declared", "white"), [(281, 4095, 4095), (341, 4095, 4095), (281, 3017, 4095), (281, 65535, 65535)]
)
def test_the_white_that_a_tiff_declares(
    tmp_path: Path, tag: int, declared: int, white: int, white_is_zero: bool
) -> None:
    values = RNG.integers(0, 900, (9, 11), dtype=np.uint16)
    photometric = "miniswhite" if white_is_zero else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", values, photometric=photometric, extratags=[(tag, "H", 1, declared, True)])
    assert_scaled(tmp_path / "a.tif", white - values if white_is_zero else values, white, "declares")


def test_a_declared_white_below_the_data_is_not_believed(tmp_path: Path) -> None:
    values = samples_of(12)
    tifffile.imwrite(tmp_path / "a.tif", values.astype(np.uint16), extratags=[(281, "H", 1, 255, True)])
    assert_scaled(tmp_path / "a.tif", values, 4095, "12 bits")


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_negative_of_few_bits(tmp_path: Path, container: type) -> None:
    values = samples_of(12)
    tifffile.imwrite(tmp_path / "a.tif", values.astype(container), photometric="miniswhite")
    assert_scaled(tmp_path / "a.tif", 4095 - values, 4095, "12 bits")


@pytest.mark.parametrize("bits", [20, 32])
def test_more_than_16_bits_and_floats_stay_so_and_nothing_else_is_said(tmp_path: Path, bits: int) -> None:
    values = samples_of(bits)
    tifffile.imwrite(tmp_path / "a.tif", values.astype(np.uint32))
    tifffile.imwrite(tmp_path / "float.tif", values.astype(np.float32) / 2**bits)
    assert_scaled(tmp_path / "a.tif", values, 2**bits - 1, f"{bits} bits")
    for name, dtype in (("a.tif", np.uint32), ("float.tif", np.float32)):
        read = read_scaled(tmp_path / name)
        assert "written" not in str(read.scale)
        write_alike(tmp_path / "b.tif", read.pixels, tmp_path / name, read)
        assert tifffile.imread(tmp_path / "b.tif").dtype == dtype
        np.testing.assert_allclose(read_scaled(tmp_path / "b.tif").pixels, read.pixels, atol=1e-6)


def test_floats_are_divided_by_the_white_that_they_declare_or_refused(tmp_path: Path) -> None:
    values = 4095 * RNG.random((9, 11), dtype=np.float32)
    tifffile.imwrite(tmp_path / "told.tif", values, extratags=[(341, "f", 1, 4095.0, True)])
    assert_scaled(tmp_path / "told.tif", values, 4095, "declares")
    tifffile.imwrite(tmp_path / "untold.tif", values)
    with pytest.raises(ImageReadError, match=r"untold\.tif: its floating-point values run from .* 1 white; scale them"):
        read_image(tmp_path / "untold.tif")
    tifffile.imwrite(tmp_path / "unit.tif", values / 4095)
    assert_scaled(tmp_path / "unit.tif", values / 4095, 1, "as its samples are floats")


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32])
def test_signed_samples_are_refused(tmp_path: Path, dtype: type) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.full((9, 11), 100, dtype))
    with pytest.raises(ImageReadError, match=r"a\.tif: its samples are signed .*save it unsigned"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("kind", ["grey", "rgb", "palette", "bits", "8 bits in 16"])
def test_files_of_8_bits_are_written_with_8(tmp_path: Path, kind: str) -> None:
    dim = RNG.integers(0, 16, (9, 11, 3), dtype=np.uint8)  # a dim picture is dim: its white is 255 all the same
    if kind == "8 bits in 16":
        values = np.concatenate([dim[..., 0], dim[..., 1] + 240])
        tifffile.imwrite(tmp_path / "a.tif", values.astype(np.uint16))
        path = tmp_path / "a.tif"
    else:
        image = Image.fromarray(dim if kind == "rgb" else dim[..., 0])
        image = image.convert("P") if kind == "palette" else image.convert("1") if kind == "bits" else image
        path = tmp_path / "a.png"
        image.save(path)
        values = np.asarray(image.convert("RGB" if kind in ("rgb", "palette") else "L"))
    read = read_scaled(path)
    written = np.asarray(Image.open(write_image(tmp_path / "b.png", read.pixels)))
    assert written.dtype == np.uint8
    np.testing.assert_array_equal(written, values)


def test_a_white_that_png_cannot_hold(tmp_path: Path) -> None:
    for white in (0, 65536):
        with pytest.raises(ValueError, match="from 1 to 65535"):
            write_image(tmp_path / "a.png", np.zeros((2, 2)), white)
