"""Stacks of a microscope: read with the size of their pixels, written alike, refused in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from blurlab.core.image_io import ImageReadError
from blurlab.core.stack_file import read_stack, write_kernels, write_stack


def samples(*shape: int, kind: type = np.uint16) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 4000, shape).astype(kind)


def ome(path: Path, values: np.ndarray, axes: str, **more: object) -> Path:
    tifffile.imwrite(path, values, ome=True, photometric="minisblack", metadata={"axes": axes, **more})
    return path


def test_an_ome_stack_says_its_pixel_and_comes_back_as_it_was(tmp_path: Path) -> None:
    size = {"PhysicalSizeX": 0.065, "PhysicalSizeY": 0.065, "PhysicalSizeZ": 0.3}
    source = ome(tmp_path / "a.ome.tif", samples(2, 3, 20, 24), "TZYX", **size)
    stack = read_stack(source)
    assert (stack.pixel_nm, stack.spacing_um, stack.kind, stack.planes.shape) == (65.0, 0.3, "ome", (6, 20, 24))
    again = read_stack(write_stack(tmp_path / "b.ome.tif", stack, stack.planes.astype(float) + 0.2))
    assert np.array_equal(again.planes, stack.planes) and again.planes.dtype == np.uint16
    assert (again.pixel_nm, again.spacing_um, again.axes, again.kind) == (65.0, 0.3, "TZYX", "ome")


@pytest.mark.parametrize(("unit", "size"), [("nm", 65.0), ("µm", 0.065), ("mm", 65e-6)])
def test_units_of_ome(tmp_path: Path, unit: str, size: float) -> None:
    more = {"PhysicalSizeX": size, "PhysicalSizeXUnit": unit, "PhysicalSizeY": size, "PhysicalSizeYUnit": unit}
    found = read_stack(ome(tmp_path / "a.ome.tif", samples(20, 24), "YX", **more)).pixel_nm
    assert found == pytest.approx(65.0)


@pytest.mark.parametrize(("unit", "nm"), [("micron", 1e3), ("um", 1e3), ("\\u00B5m", 1e3), ("nm", 1.0)])
def test_an_imagej_stack_comes_back_as_it_was(tmp_path: Path, unit: str, nm: float) -> None:
    source = tmp_path / "a.tif"
    values = samples(4, 20, 24)
    tifffile.imwrite(source, values, imagej=True, resolution=(12.5, 12.5), metadata={"axes": "ZYX", "unit": unit})
    stack = read_stack(source)
    assert stack.kind == "imagej" and stack.pixel_nm == pytest.approx(nm / 12.5)
    again = read_stack(write_stack(tmp_path / "b.tif", stack, stack.planes))
    assert np.array_equal(again.planes, values) and again.kind == "imagej"
    assert again.pixel_nm == pytest.approx(nm / 12.5) and again.axes == "ZYX"


def test_a_plain_file_has_a_pixel_where_it_is_that_of_a_specimen(tmp_path: Path) -> None:
    values = samples(20, 24)
    tifffile.imwrite(tmp_path / "a.tif", values, resolution=(1e7 / 80, 1e7 / 80), resolutionunit="CENTIMETER")
    stack = read_stack(tmp_path / "a.tif")
    assert stack.pixel_nm == pytest.approx(80.0, rel=1e-4)
    again = read_stack(write_stack(tmp_path / "b.tif", stack, stack.planes))
    assert again.pixel_nm == pytest.approx(80.0, rel=1e-4) and np.array_equal(again.planes[0], values)
    tifffile.imwrite(tmp_path / "c.tif", values, resolution=(72, 72), resolutionunit="INCH")
    assert read_stack(tmp_path / "c.tif").pixel_nm is None  # dots of a print


def test_pixels_that_are_not_square_have_no_side(tmp_path: Path) -> None:
    more = {"PhysicalSizeX": 0.065, "PhysicalSizeY": 0.13}
    assert read_stack(ome(tmp_path / "a.ome.tif", samples(20, 24), "YX", **more)).pixel_nm is None


def test_samples_are_held_to_their_range(tmp_path: Path) -> None:
    stack = read_stack(ome(tmp_path / "a.ome.tif", samples(20, 24), "YX"))
    beyond = np.full((1, 20, 24), 70000.0)
    beyond[0, 0, 0] = -5.0
    again = read_stack(write_stack(tmp_path / "b.ome.tif", stack, beyond)).planes
    assert again.max() == 65535 and again.min() == 0


def test_one_channel_of_several(tmp_path: Path) -> None:
    values = samples(3, 20, 24)
    source = ome(tmp_path / "a.ome.tif", values, "CYX")
    with pytest.raises(ImageReadError, match="has 3 channels, and --wavelength is that of one; name it by --channel"):
        read_stack(source)
    with pytest.raises(ImageReadError, match="must be from 1 to 3, got 4"):
        read_stack(source, 4)
    stack = read_stack(source, 2)
    assert np.array_equal(stack.planes[0], values[1]) and stack.axes == "YX"
    one = ome(tmp_path / "one.ome.tif", samples(20, 24), "YX")
    assert np.array_equal(read_stack(one, 1).planes, read_stack(one).planes)
    with pytest.raises(ImageReadError, match="has one channel, so --channel must be 1, got -3"):
        read_stack(one, -3)


def test_kernels_come_with_their_pixel(tmp_path: Path) -> None:
    kernels = np.random.default_rng(0).random((2, 3, 3, 31, 31)).astype(np.float32)
    found = read_stack(write_kernels(tmp_path / "k.tif", kernels, 65.0))
    assert found.pixel_nm == pytest.approx(65.0, rel=1e-4)
    np.testing.assert_array_equal(found.planes, kernels.reshape(-1, 31, 31))


def test_what_is_refused(tmp_path: Path) -> None:
    def refused(values: np.ndarray, said: str, **options: object) -> None:
        tifffile.imwrite(tmp_path / "x.tif", values, **options)
        with pytest.raises(ImageReadError, match=said) as caught:
            read_stack(tmp_path / "x.tif")
        assert "\n" not in str(caught.value)

    refused(samples(20, 24, 3, kind=np.uint8), "has 3 colours, and --wavelength is that of one", photometric="rgb")
    refused(samples(20, 24, kind=np.int16), "holds int16 samples")
    refused(np.full((20, 24), np.nan, np.float32), "NaN or infinite")
    refused(np.full((20, 24), 7, np.uint16), "is constant")
    (tmp_path / "x.tif").write_bytes(b"II*\0 not a file")
    for path, said in ((tmp_path / "x.tif", "cannot be read"), (tmp_path / "no.tif", "does not exist"),
                       (tmp_path / "a.png", "must be a TIFF file")):  # fmt: skip
        with pytest.raises(ImageReadError, match=said):
            read_stack(path)
