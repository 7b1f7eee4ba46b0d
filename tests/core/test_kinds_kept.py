"""What JPEG 2000, BMP, GIF and packed TIFF files hold besides samples stays, and what cannot stay is said."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from blurlab.core.image_alike import write_alike
from blurlab.core.image_io import read_scaled
from blurlab.core.image_tiff_alike import tiff_alike

RNG = np.random.default_rng(8)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def colours(channels: int, dtype: type = np.uint8) -> np.ndarray:
    smooth = np.kron(RNG.random((3, 4, channels)), np.ones((12, 14, 1))).squeeze()
    return (smooth * np.iinfo(dtype).max).astype(dtype)


def for_opencv(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.ndim == 2 else pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]


def as_read(pixels: np.ndarray) -> np.ndarray:
    """Samples (H, W[, C]) as what :func:`read_scaled` gives: (H, W, 1 or 3) in [0, 1], alpha apart."""
    return np.atleast_3d(pixels)[..., :3] / np.iinfo(pixels.dtype).max


def written(path: Path, error: float) -> tuple[bytes, str]:
    """The file that is made of one changed a little, and what was said of it."""
    read = read_scaled(path)
    wanted = 0.8 * read.pixels + 0.1
    target = path.with_name(f"out{path.suffix}")
    said = write_alike(target, wanted, path, read)
    after = read_scaled(target)
    assert np.abs(after.pixels - wanted).mean() < error and (after.alpha is None) == (read.alpha is None)
    assert read.alpha is None or np.array_equal(after.alpha, read.alpha)
    return target.read_bytes(), said


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + name + body


def jp2(pixels: np.ndarray, in_header: bytes = b"", behind: bytes = b"") -> bytes:
    """A JPEG 2000 file with boxes put into its header, in place of its colour space, and before its samples."""
    if pixels.dtype == np.uint16:
        made = cv2.imencode(".jp2", for_opencv(pixels), [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000])[1].tobytes()
    else:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG2000")
        made = file.getvalue()
    start, samples = made.index(b"jp2h") - 4, made.index(b"jp2c") - 4
    header = made[start + 8 : samples]
    if in_header:
        at = header.index(b"colr") - 4
        header = header[:at] + in_header + header[at + struct.unpack(">I", header[at : at + 4])[0] :]
    return made[:start] + box(b"jp2h", header) + behind + made[samples:]


EXIF = box(b"uuid", b"JpgTiffExif->JP2" + b"II*\0\x08\0\0\0\0\0\0\0\0\0")
XMP = box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + b"<x/>")
COLOUR = box(b"colr", b"\2\0\0" + PROFILE)
RESOLUTION = box(b"res ", box(b"resc", struct.pack(">HHHHBB", 300, 1, 300, 1, 2, 2)))


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_jpeg_2000_keeps_depth_profile_exif_and_xmp(tmp_path: Path, channels: int, dtype: type) -> None:
    pixels = colours(channels, dtype)
    pixels.reshape(-1)[:7] = np.iinfo(dtype).max  # white is white
    (tmp_path / "a.jp2").write_bytes(jp2(pixels, COLOUR + RESOLUTION, EXIF + XMP))
    read = read_scaled(tmp_path / "a.jp2")
    assert read.dtype == dtype
    np.testing.assert_allclose(read.pixels, as_read(pixels), atol=1e-6)
    made, said = written(tmp_path / "a.jp2", 0.003 if dtype == np.uint8 else 2e-5)
    assert said == "" and made.count(COLOUR) == made.count(RESOLUTION) == made.count(EXIF) == made.count(XMP) == 1
    assert made.count(b"colr") == 1
    with Image.open(io.BytesIO(made)) as image:
        assert image.mode == {1: "L" if dtype == np.uint8 else "I;16", 3: "RGB", 4: "RGBA"}[channels]


def test_a_bare_codestream_stays_one(tmp_path: Path) -> None:
    Image.fromarray(colours(3)).save(tmp_path / "a.j2k", "JPEG2000", no_jp2=True)
    made, _ = written(tmp_path / "a.j2k", 0.003)
    assert made.startswith(b"\xff\x4f\xff\x51")


def test_no_profile_of_other_colours_is_kept(tmp_path: Path) -> None:
    enumerated = box(b"colr", b"\1\0\0" + struct.pack(">I", 16))
    (tmp_path / "a.jp2").write_bytes(jp2(colours(3), enumerated))
    made, _ = written(tmp_path / "a.jp2", 0.003)
    assert made.count(b"colr") == 1 and enumerated in made


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("profile", [b"", PROFILE])
def test_bmp_keeps_resolution_and_profile(tmp_path: Path, channels: int, profile: bytes) -> None:
    file = io.BytesIO()
    Image.fromarray(colours(channels)).save(file, "BMP", dpi=(240, 240))
    data = file.getvalue()
    if profile:
        start, size = struct.unpack("<I", data[10:14])[0] + 84, len(data) + 84 + len(profile)
        fields = data[18:54] + bytes(16) + b"DEBM" + bytes(48)
        header = struct.pack("<I", 124) + fields + struct.pack("<IIII", 4, size - len(profile) - 14, len(profile), 0)
        data = b"BM" + struct.pack("<IHHI", size, 0, 0, start) + header + data[54:] + profile
    (tmp_path / "a.bmp").write_bytes(data)
    made, said = written(tmp_path / "a.bmp", 0.003)
    with Image.open(io.BytesIO(made)) as image:
        assert image.info["dpi"] == pytest.approx((240, 240), abs=0.05)
    assert said == "" and struct.unpack("<I", made[2:6])[0] == len(made)
    length = struct.unpack("<I", made[14:18])[0]
    assert length == (124 if profile else 40)
    if profile:
        assert made[70:74] == b"DEBM"
        intent, at, count = struct.unpack("<III", made[122:134])
        assert intent == 4 and made[14 + at :][:count] == PROFILE


def test_gif_keeps_comments_and_xmp_and_says_that_it_has_256_colours(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.fromarray(colours(3)).save(file, "GIF", comment=b"made by hand")
    data = file.getvalue()
    first = 13 + 3 * 2 ** ((data[10] & 7) + 1)
    xmp = b"\x21\xff\x0bXMP DataXMP\x04<x/>\0"
    loop = b"\x21\xff\x0bNETSCAPE2.0\x03\1\0\0\0"
    (tmp_path / "a.gif").write_bytes(data[:first] + xmp + loop + data[first:])
    made, said = written(tmp_path / "a.gif", 0.03)
    assert said == "in 256 colours" and xmp in made and b"made by hand" in made and b"NETSCAPE" not in made
    with Image.open(io.BytesIO(made)) as image:
        assert image.info["comment"] == b"made by hand" and image.n_frames == 1


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("form", ["lzw", "packbits"])
def test_packed_tiff_stays_packed(tmp_path: Path, form: str, dtype: type, channels: int, order: str) -> None:
    number = {"lzw": 5, "packbits": 32773}[form]
    flag = [cv2.IMWRITE_TIFF_COMPRESSION, number, cv2.IMWRITE_TIFF_PREDICTOR, 2 if form == "lzw" else 1]
    pixels = colours(channels, dtype)
    if order == "<":
        (tmp_path / "a.tif").write_bytes(cv2.imencode(".tiff", for_opencv(pixels), flag)[1].tobytes())
    else:  # the writer is the only one here that makes them, from a file without compression
        tifffile.imwrite(tmp_path / "plain.tif", pixels, byteorder=">", photometric="rgb" if channels > 1 else None)
        read = read_scaled(tmp_path / "plain.tif")
        packed = tiff_alike(np.atleast_3d(pixels), _named(tmp_path / "plain.tif", number), read.scale.white)
        (tmp_path / "a.tif").write_bytes(packed)
    np.testing.assert_allclose(read_scaled(tmp_path / "a.tif").pixels, as_read(pixels), atol=1e-6)
    made, said = written(tmp_path / "a.tif", 0.003 if dtype == np.uint8 else 2e-5)
    with tifffile.TiffFile(io.BytesIO(made)) as tiff:
        page = tiff.pages[0]
        assert said == "" and int(page.compression) == number and tiff.byteorder == order and page.dtype == dtype
        assert page.predictor == (2 if form == "lzw" and order == "<" else 1)


def _named(path: Path, compression: int) -> bytes:
    """The file with another compression in its tag; its samples are not looked at."""
    with tifffile.TiffFile(path) as tiff:
        at = tiff.pages[0].tags[259].valueoffset
    data = bytearray(path.read_bytes())
    data[at : at + 2] = compression.to_bytes(2, "big")
    return bytes(data)


def test_what_cannot_stay_is_said(tmp_path: Path) -> None:
    Image.fromarray(colours(3)).save(tmp_path / "a.tif", compression="jpeg")
    made, said = written(tmp_path / "a.tif", 0.003)
    assert said == "compressed by zlib, not by JPEG"
    Image.fromarray(colours(3)).convert("CMYK").save(tmp_path / "a.jpg", icc_profile=PROFILE, quality=95)
    made, said = written(tmp_path / "a.jpg", 0.02)
    with Image.open(io.BytesIO(made)) as image:
        assert image.mode == "RGB" and "icc_profile" not in image.info
    assert said == "in RGB in place of CMYK, without its profile"
    Image.fromarray(colours(1) > 128).save(tmp_path / "a.png")
    assert written(tmp_path / "a.png", 0.003)[1] == "with 8 bits a sample in place of 1"
    Image.fromarray(colours(3)).save(tmp_path / "b.png")
    assert written(tmp_path / "b.png", 0.003)[1] == ""
