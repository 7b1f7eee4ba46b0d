"""Files that are no good image: refused in one line that names them."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
from image_files import huge_tiff, png16, png_chunk, png_header
from PIL import Image

from blurlab.core.image_io import ImageReadError, read_image, read_size

RNG = np.random.default_rng(7)
RGB8 = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)


def encoded(kind: str) -> bytes:
    big = RNG.integers(0, 256, (96, 96, 3), dtype=np.uint8)
    file = io.BytesIO()
    if kind == "png16":
        return png16(big.astype(np.uint16) * 250)
    if kind.startswith("tiff16"):
        tifffile.imwrite(file, big.astype(np.uint16), compression="zlib" if kind == "tiff16z" else None)
    elif kind == "ppm16":
        return b"P6\n96 96\n65535\n" + big.astype(">u2").tobytes()
    else:
        Image.fromarray(big).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize(
    "kind", ["PNG", "JPEG", "TIFF", "BMP", "PPM", "WEBP", "GIF", "png16", "tiff16", "tiff16z", "ppm16"]
)
@pytest.mark.parametrize("share", [0.0, 0.001, 0.02, 0.5, 0.9])
def test_truncated_files_are_refused(tmp_path: Path, kind: str, share: float) -> None:
    data = encoded(kind)
    path = tmp_path / "cut.img"
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ImageReadError, match=r"cut\.img.*;") as caught:
        read_image(path)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_images(tmp_path: Path) -> None:
    for name, data in {
        "text.png": b"not an image at all\n" * 50,
        "zeros.tif": bytes(100),
        "head.png": b"\x89PNG\r\n\x1a\n",
        "head.tif": b"II*\0",
        "p5.pgm": b"P5 nonsense",
        "a.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    }.items():
        (tmp_path / name).write_bytes(data)
        for read in (read_image, read_size):
            with pytest.raises(ImageReadError, match=name):
                read(tmp_path / name)


def test_missing_files_folders_and_pipes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for path, words in {
        tmp_path / "none.png": "does not exist",
        tmp_path: "not a file",
        tmp_path / "pipe.png": "not a file",
    }.items():
        with pytest.raises(ImageReadError, match=words):
            read_image(path)


@pytest.mark.parametrize("side", [14_000, 60_000])
def test_decompression_bombs_are_seen_in_the_header(tmp_path: Path, side: int) -> None:
    (tmp_path / "bomb.png").write_bytes(png_header(side, side) + png_chunk(b"IDAT", b"") + png_chunk(b"IEND", b""))
    (tmp_path / "bomb.bmp").write_bytes(
        b"BM"
        + b"\0" * 8
        + (54).to_bytes(4, "little")
        + (40).to_bytes(4, "little")
        + side.to_bytes(4, "little") * 2
        + b"\1\0\x18\0"
        + b"\0" * 24
    )
    huge_tiff(tmp_path / "bomb.tif", side)
    for name in ("bomb.png", "bomb.bmp", "bomb.tif"):
        with pytest.raises(ImageReadError, match=rf"{name}.*more than 175,000,000"):
            read_image(tmp_path / name)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.1, 1.5])
def test_floats_outside_0_to_1_are_refused(tmp_path: Path, value: float) -> None:
    samples = np.full((4, 5), 0.5, dtype=np.float32)
    samples[1, 2] = value
    tifffile.imwrite(tmp_path / "a.tif", samples)
    with pytest.raises(ImageReadError, match=r"a\.tif.*(NaN|run from)"):
        read_image(tmp_path / "a.tif")


def test_rounding_beyond_0_to_1_is_clipped(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.array([[-1e-7, 0.5, 1 + 1e-7]], dtype=np.float64))
    assert read_image(tmp_path / "a.tif").ravel().tolist() == [0, 0.5, 1]


def test_signed_stacks_and_animations_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "signed.tif", np.zeros((4, 5), np.int16))
    tifffile.imwrite(tmp_path / "signed8.tif", np.zeros((4, 5), np.int8))
    tifffile.imwrite(tmp_path / "stack.tif", np.zeros((3, 4, 5), np.uint16), photometric="minisblack")
    frames = [Image.fromarray(RGB8), Image.fromarray(RGB8[::-1].copy())]
    frames[0].save(tmp_path / "film.gif", save_all=True, append_images=frames[1:])
    for name, words in {
        "signed.tif": "int16",
        "signed8.tif": "signed",
        "stack.tif": "3 pages",
        "film.gif": "2 frames",
    }.items():
        with pytest.raises(ImageReadError, match=f"{name}.*{words}"):
            read_image(tmp_path / name)


def test_min_side(tmp_path: Path) -> None:
    Image.fromarray(RGB8[:1, :1]).save(tmp_path / "dot.png")
    assert read_image(tmp_path / "dot.png").shape == (1, 1, 3)
    with pytest.raises(ImageReadError, match=r"1x1 pixels, sides of at least 64"):
        read_image(tmp_path / "dot.png", min_side=64)
