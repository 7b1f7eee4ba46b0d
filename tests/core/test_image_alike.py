"""A restored photograph is written as its file was: format, depth, alpha, profile, EXIF, orientation."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import tifffile
from image_files import png16
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import IFDRational

from blurlab.core.image_alike import copy_whole, samples_alike, write_alike
from blurlab.core.image_io import ImageWriteError, read_scaled

RNG = np.random.default_rng(3)
SIZE = (24, 31)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(orientation: int = 1) -> Image.Exif:
    made = Image.Exif()
    made[0x0110], made[0x0112] = "Camera 7", orientation
    made.get_ifd(0x8769)[0x829A] = IFDRational(1, 50)
    made.get_ifd(0x8825)[1] = "N"
    return made


def colours(channels: int, dtype: type = np.uint8) -> np.ndarray:
    smooth = np.kron(RNG.random((3, 4, channels)), np.ones((8, 8, 1)))[:24, :31]
    return smooth.astype(dtype) if np.dtype(dtype).kind == "f" else (smooth * np.iinfo(dtype).max).astype(dtype)


def written(path: Path) -> tuple[Path, np.ndarray]:
    """The file that a photograph changed a little is written to, and the pixels that were to be written."""
    read = read_scaled(path)
    wanted = 0.9 * read.pixels + 0.03
    target = path.with_name(f"out{path.suffix}")
    write_alike(target, wanted, path, read)
    return target, wanted


@pytest.mark.parametrize(
    ("name", "mode", "error"),
    [("a.jpg", "RGB", 0.02), ("a.jpg", "L", 0.02), ("a.png", "RGB", 0.002), ("a.png", "RGBA", 0.002),
     ("a.png", "LA", 0.002), ("a.tif", "RGB", 0.002), ("a.tif", "L", 0.002), ("a.webp", "RGB", 0.03)],
)  # fmt: skip
@pytest.mark.parametrize("orientation", [1, 6])
def test_format_profile_exif_and_alpha_are_kept(
    tmp_path: Path, name: str, mode: str, error: float, orientation: int
) -> None:
    path = tmp_path / name
    image = Image.fromarray(colours(len(Image.new(mode, (1, 1)).getbands())).squeeze())
    assert image.mode == mode
    image.save(path, icc_profile=PROFILE, exif=exif(orientation).tobytes(), quality=92)
    target, wanted = written(path)
    with Image.open(path) as before, Image.open(target) as after:
        assert (after.format, after.mode, after.size) == (before.format, before.mode, before.size)
        assert after.info["icc_profile"] == before.info["icc_profile"] == PROFILE
        if before.format != "TIFF":
            assert after.info["exif"] == before.info["exif"]
        assert after.getexif()[0x0110] == "Camera 7" and after.getexif()[0x0112] == orientation
        assert after.getexif().get_ifd(0x8769)[0x829A] == IFDRational(1, 50)
        assert after.getexif().get_ifd(0x8825)[1] == "N"
        if "A" in mode:
            np.testing.assert_array_equal(after.getchannel("A"), before.getchannel("A"))
    assert np.abs(read_scaled(target).pixels - wanted).mean() < error


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_deep_png_stays_deep_with_its_alpha(tmp_path: Path, channels: int) -> None:
    samples = colours(channels, np.uint16)
    (tmp_path / "a.png").write_bytes(png16(samples))
    target, wanted = written(tmp_path / "a.png")
    read = read_scaled(target)
    assert read.dtype == np.uint16
    np.testing.assert_allclose(read.pixels, wanted, atol=1e-5)
    if channels in (2, 4):
        assert read.alpha is not None
        np.testing.assert_array_equal(read.alpha, samples[..., -1])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.float16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_tiff_keeps_its_type(tmp_path: Path, dtype: type, channels: int, compression: str | None) -> None:
    samples = colours(channels, dtype).squeeze()
    extra = {"extrasamples": ["unassalpha"]} if channels == 4 else {}
    tifffile.imwrite(
        tmp_path / "a.tif", samples, photometric="minisblack" if channels == 1 else "rgb", compression=compression,
        iccprofile=PROFILE, description="made by hand", resolution=(300, 300), metadata=None, **extra,
    )  # fmt: skip
    target, wanted = written(tmp_path / "a.tif")
    with tifffile.TiffFile(target) as tiff:
        page = tiff.pages[0]
        assert page.dtype == dtype and page.tags[34675].value == PROFILE and page.description == "made by hand"
        assert page.tags[282].value == (300, 1) and (page.compression == 1) == (compression is None)
        if channels == 4:
            np.testing.assert_array_equal(page.asarray()[..., 3], samples[..., 3])
    np.testing.assert_allclose(
        read_scaled(target).pixels, wanted, atol=0.002 if dtype in (np.uint8, np.float16) else 2e-5
    )


def test_white_stays_white_where_the_result_is_darker(tmp_path: Path) -> None:
    samples = np.full(SIZE, 100, np.uint16)
    samples[0, 0] = 4095
    tifffile.imwrite(tmp_path / "a.tif", samples)
    read = read_scaled(tmp_path / "a.tif")
    write_alike(tmp_path / "b.tif", read.pixels.clip(0, 0.2), tmp_path / "a.tif", read)
    again = read_scaled(tmp_path / "b.tif")
    assert again.scale.white == 4095 and again.pixels.max() == pytest.approx(0.2, abs=2e-4)


@pytest.mark.parametrize("name", ["a.bmp", "a.ppm", "a.pgm", "a.gif", "a.jp2"])
def test_other_formats_stay_what_they_are(tmp_path: Path, name: str) -> None:
    Image.fromarray(colours(1 if name == "a.pgm" else 3).squeeze()).save(tmp_path / name)
    target, wanted = written(tmp_path / name)
    with Image.open(tmp_path / name) as before, Image.open(target) as after:
        assert (after.format, after.size) == (before.format, before.size)
    np.testing.assert_allclose(read_scaled(target).pixels, wanted, atol=0.03 if name == "a.gif" else 0.003)


def test_the_other_pictures_of_a_telephones_file_are_not_pointed_at(tmp_path: Path) -> None:
    image = Image.fromarray(colours(3))
    image.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[image])
    target, _ = written(tmp_path / "a.jpg")
    with Image.open(target) as after:
        assert after.format == "JPEG"


def test_a_copy_is_bit_identical_and_an_unwritable_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\0\1anything")
    copy_whole(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"\0\1anything"
    with pytest.raises(ImageWriteError, match="choose a folder"):
        copy_whole(tmp_path / "a", tmp_path / "none" / "b")


def test_pixels_of_another_shape_are_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.fromarray(colours(3)).save(out, "PNG")
    (tmp_path / "a.png").write_bytes(out.getvalue())
    read = read_scaled(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"\(24, 31, 3\)"):
        write_alike(tmp_path / "b.png", read.pixels[1:], tmp_path / "a.png", read)


def test_samples_are_made_band_by_band(tmp_path: Path) -> None:
    """The rows between two bands are those of the whole, and a large photograph needs little beyond its samples."""
    path = tmp_path / "tall.png"
    Image.fromarray(np.zeros((1100, 400, 3), np.uint8)).save(path)
    read = read_scaled(path)
    pixels = RNG.random(read.pixels.shape).astype(np.float32)
    tracemalloc.start()
    samples = samples_alike(pixels, read)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(samples, (pixels * np.float32(255)).round().astype(np.uint8))
    assert peak < samples.nbytes + pixels.nbytes
