from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from image_files import exif_of_orientation, png16, png_chunk, turned_lzw_tiff
from PIL import Image

from blurlab.core.image_io import ImageWriteError, read_image, read_size, write_image

RNG = np.random.default_rng(7)
DEEP = RNG.integers(0, 65536, (5, 7, 4), dtype=np.uint16)
RGB8 = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
DEEP_SCALE, SCALE = 65535, 255


def assert_samples(image: np.ndarray, samples: np.ndarray, scale: float) -> None:
    assert image.dtype == np.float32 and image.flags["C_CONTIGUOUS"]
    np.testing.assert_allclose(image, np.atleast_3d(samples) / scale, rtol=0, atol=1e-7)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_keeps_16_bits_and_drops_alpha(tmp_path: Path, channels: int) -> None:
    path = tmp_path / "deep.png"
    path.write_bytes(png16(DEEP[..., :channels]))
    colours = 1 if channels < 3 else 3
    assert_samples(read_image(path), DEEP[..., :colours], DEEP_SCALE)
    assert read_size(path) == (5, 7)


@pytest.mark.parametrize("compression", [None, "zlib", "lzma"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_tiff_keeps_16_bits(tmp_path: Path, compression: str | None, channels: int) -> None:
    path = tmp_path / "deep.tif"
    samples = DEEP[..., 0] if channels == 1 else DEEP[..., :channels]
    photometric = "minisblack" if channels == 1 else "rgb"
    extra = ["unassalpha"] if channels == 4 else None
    tifffile.imwrite(path, samples, compression=compression, photometric=photometric, extrasamples=extra)
    assert_samples(read_image(path), DEEP[..., : min(channels, 3)], DEEP_SCALE)


@pytest.mark.parametrize("channels", [1, 3])
def test_tiff_16_bit_lzw(tmp_path: Path, channels: int) -> None:
    samples = DEEP[..., 0] if channels == 1 else DEEP[..., :3]
    stored = samples if channels == 1 else samples[..., ::-1]
    done, data = cv2.imencode(".tiff", stored, [cv2.IMWRITE_TIFF_COMPRESSION, 5])
    assert done
    path = tmp_path / "lzw.tif"
    path.write_bytes(data.tobytes())
    assert_samples(read_image(path), samples, DEEP_SCALE)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiff_in_separate_planes(tmp_path: Path, dtype: type) -> None:
    samples = DEEP[..., :3].astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", np.moveaxis(samples, -1, 0), photometric="rgb", planarconfig="separate")
    assert_samples(read_image(tmp_path / "a.tif"), samples, np.iinfo(dtype).max)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiff_white_is_zero(tmp_path: Path, dtype: type) -> None:
    samples = DEEP[..., 0].astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", samples, photometric="miniswhite")
    top = np.iinfo(dtype).max
    assert_samples(read_image(tmp_path / "a.tif"), top - samples, top)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_tiff_of_floats_is_taken_as_it_is(tmp_path: Path, dtype: type) -> None:
    samples = RNG.random((5, 7, 3)).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", samples, photometric="rgb")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), samples.astype(np.float32))


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.ppm", "a.tif", "a.webp", "a.jp2"])
def test_8_bit_rgb(tmp_path: Path, name: str) -> None:
    options = {"a.webp": {"lossless": True}, "a.tif": {"compression": "tiff_lzw"}}.get(name, {})
    Image.fromarray(RGB8).save(tmp_path / name, **options)
    assert_samples(read_image(tmp_path / name), RGB8, SCALE)


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.pgm", "a.tif"])
def test_8_bit_grey_has_one_channel(tmp_path: Path, name: str) -> None:
    Image.fromarray(RGB8[..., 0]).save(tmp_path / name)
    assert_samples(read_image(tmp_path / name), RGB8[..., 0], SCALE)


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.pbm", "a.tif"])
def test_1_bit(tmp_path: Path, name: str) -> None:
    bits = RGB8[..., 0] > 127
    Image.fromarray(bits).save(tmp_path / name)
    assert_samples(read_image(tmp_path / name), bits, 1)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_dropped_not_blended(tmp_path: Path, mode: str) -> None:
    channels = 4 if mode == "RGBA" else 2
    samples = RNG.integers(0, 256, (5, 7, channels), dtype=np.uint8)
    samples[0, 0, -1] = 0
    Image.fromarray(samples).save(tmp_path / "a.png")
    assert_samples(read_image(tmp_path / "a.png"), samples[..., :-1], SCALE)


@pytest.mark.parametrize("transparency", [None, b"\x00\x80\xff"])
@pytest.mark.parametrize("name", ["a.png", "a.gif", "a.tif"])
def test_palette(tmp_path: Path, name: str, transparency: bytes | None) -> None:
    palette = np.array([[10, 20, 30], [200, 100, 0], [255, 255, 254]], dtype=np.uint8)
    index = RNG.integers(0, 3, (5, 7), dtype=np.uint8)
    image = Image.fromarray(index)
    image.putpalette(palette.tobytes())
    image.save(tmp_path / name, **({"transparency": transparency} if name == "a.png" and transparency else {}))
    assert_samples(read_image(tmp_path / name), palette[index], SCALE)


def test_cmyk_jpeg_becomes_rgb(tmp_path: Path) -> None:
    ink = np.full((16, 16, 4), (0, 100, 255, 40), dtype=np.uint8)
    Image.frombytes("CMYK", (16, 16), ink.tobytes()).save(tmp_path / "a.jpg", quality=95)
    expected = (1 - np.array([0, 100, 255]) / 255) * (1 - 40 / 255)
    image = read_image(tmp_path / "a.jpg")
    assert image.shape == (16, 16, 3)
    np.testing.assert_allclose(image, np.broadcast_to(expected, image.shape), atol=0.02)


@pytest.mark.parametrize("maximum", [256, 1023, 4095, 65535])
@pytest.mark.parametrize("magic", [b"P2", b"P3", b"P5", b"P6"])
def test_pnm_is_scaled_by_its_own_maximum(tmp_path: Path, magic: bytes, maximum: int) -> None:
    samples = DEEP[..., : 3 if magic in (b"P3", b"P6") else 1].astype(int) % (maximum + 1)
    binary = magic in (b"P5", b"P6")
    body = samples.astype(">u2").tobytes() if binary else " ".join(map(str, samples.ravel())).encode()
    (tmp_path / "a.pnm").write_bytes(magic + b"\n# by hand\n7 5\n%d\n" % maximum + body)
    assert_samples(read_image(tmp_path / "a.pnm"), samples, maximum)


def upright_scene() -> np.ndarray:
    """Blocks of 16 pixels (whole JPEG blocks) with a grey level of their own: 2 rows, 3 columns."""
    return np.kron(np.array([[20, 80, 140], [200, 250, 50]], dtype=np.uint8), np.ones((16, 16), np.uint8))


# how a scene is stored that EXIF's orientation turns upright, in words of the standard: (row 0 is, column 0 is)
STORED = {
    1: lambda a: a,  # top, left
    2: np.fliplr,  # top, right
    3: lambda a: np.rot90(a, 2),  # bottom, right
    4: np.flipud,  # bottom, left
    5: np.transpose,  # left, top
    6: lambda a: np.rot90(a, 1),  # right, top
    7: lambda a: np.rot90(a, 2).T,  # right, bottom
    8: lambda a: np.rot90(a, 3),  # left, bottom
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["jpeg", "png8", "png16", "tiff8", "tiff16", "tiff16lzw"])
def test_exif_orientation_is_applied(tmp_path: Path, kind: str, orientation: int) -> None:
    scene = upright_scene()
    stored = np.ascontiguousarray(STORED[orientation](scene))
    path = tmp_path / "a.img"
    exif = Image.Exif()
    exif[274] = orientation
    if kind == "jpeg":
        Image.fromarray(stored).save(path, "JPEG", quality=100, exif=exif)
    elif kind == "png8":
        Image.fromarray(stored).save(path, "PNG", exif=exif)
    elif kind == "png16":
        block = png_chunk(b"eXIf", exif_of_orientation(orientation))
        path.write_bytes(png16(stored[..., None].astype(np.uint16) * 257, block))
    elif kind == "tiff16lzw":
        rgb = np.repeat(stored[..., None].astype(np.uint16) * 257, 3, axis=-1)
        path.write_bytes(turned_lzw_tiff(rgb, orientation))
    else:
        samples = stored if kind == "tiff8" else stored.astype(np.uint16) * 257
        tifffile.imwrite(path, samples, photometric="minisblack", extratags=[(274, "H", 1, orientation, True)])
    image = read_image(path)
    assert image.shape == (32, 48, 3 if kind == "tiff16lzw" else 1)
    np.testing.assert_allclose(image[..., 0], scene / 255, atol=0.01)


def test_broken_exif_does_not_matter(tmp_path: Path) -> None:
    Image.fromarray(RGB8).save(tmp_path / "a.png", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff junk")
    assert_samples(read_image(tmp_path / "a.png"), RGB8, SCALE)


def test_written_images_come_back(tmp_path: Path) -> None:
    colour = RNG.random((5, 7, 3))
    np.testing.assert_allclose(read_image(write_image(tmp_path / "c.png", colour)), colour, atol=0.5 / 255 + 1e-6)
    assert_samples(read_image(write_image(tmp_path / "g.png", RGB8[..., :1])), RGB8[..., 0], SCALE)
    write_image(tmp_path / "g.png", RGB8)
    assert_samples(read_image(tmp_path / "g.png"), RGB8, SCALE)
    assert sorted(os.listdir(tmp_path)) == ["c.png", "g.png"]


@pytest.mark.parametrize(
    "array", [np.full((2, 2), np.nan), np.zeros((2, 2, 4)), np.zeros((0, 2)), np.zeros((2, 2), int)]
)
def test_arrays_that_are_no_pictures(tmp_path: Path, array: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"a\.png"):
        write_image(tmp_path / "a.png", array)
    with pytest.raises(ValueError, match="PNG"):
        write_image(tmp_path / "a.jpg", np.zeros((2, 2)))
    assert os.listdir(tmp_path) == []


def test_unwritable_places(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "none" / "a.png", tmp_path / "file" / "a.png"):
        with pytest.raises(ImageWriteError, match=r"a\.png.*choose a folder"):
            write_image(path, np.zeros((2, 2)))


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_image(tmp_path / "a.png", RGB8)

    def fail(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(ImageWriteError, match="No space left"):
        write_image(tmp_path / "a.png", RGB8[::-1])
    assert os.listdir(tmp_path) == ["a.png"]
    assert_samples(read_image(tmp_path / "a.png"), RGB8, SCALE)
