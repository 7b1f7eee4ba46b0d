"""The command ``blur``: what it makes of photographs, held against scipy; what it writes and what it refuses."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from scipy import ndimage

from blurlab.cli import main
from blurlab.core.image_io import read_scaled
from blurlab.core.kernel_file import read_kernel

RNG = np.random.default_rng(5)
SCENE = ndimage.gaussian_filter(RNG.random((67, 74, 3)), (2, 2, 0))
SCENE = (SCENE - SCENE.min()) / (SCENE.max() - SCENE.min()) * 0.8 + 0.1


def to_light(v: np.ndarray) -> np.ndarray:
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def to_values(u: np.ndarray) -> np.ndarray:
    return np.where(u <= 0.0031308, u * 12.92, 1.055 * u ** (1 / 2.4) - 0.055)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    tifffile.imwrite(tmp_path / "a.tif", SCENE.astype(np.float32), photometric="rgb")
    return tmp_path / "a.tif"


def blur(*words: object) -> int:
    try:
        main(["blur", *map(str, words)])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.mark.parametrize("linear", [False, True])
def test_a_photograph_is_blurred_in_light_or_as_it_is(photo: Path, tmp_path: Path, linear: bool) -> None:
    flag = ["--linear"] if linear else []
    words = ["--blur", "motion", "length_px=9", "angle_deg=30", "-o", tmp_path / "o", "--save-kernel"]
    assert blur(photo, *words, tmp_path / "k.npy", *flag) == 0
    kernel = read_kernel(tmp_path / "k.npy").astype(float)
    assert kernel.sum() == pytest.approx(1, abs=1e-6) and kernel.max() < 0.2
    rows, cols = np.nonzero(kernel > 0.05)
    assert (rows.max() - rows.min(), cols.max() - cols.min()) == (4, 8)  # 9 sin 30 and 9 cos 30 px, rounded outwards
    scene = SCENE if linear else to_light(SCENE)
    want = np.stack([ndimage.convolve(plane, kernel, mode="mirror") for plane in np.moveaxis(scene, -1, 0)], -1)
    got = tifffile.imread(tmp_path / "o" / "a.tif")
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want if linear else to_values(want), atol=2e-5)


def test_noise_is_that_of_the_files_values(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.full((200, 210), 0.5, np.float32))
    assert blur(tmp_path / "a.tif", "--blur", "none", "--sigma", 0.02, "-o", tmp_path / "o") == 0
    got = tifffile.imread(tmp_path / "o" / "a.tif") - 0.5
    assert got.std() == pytest.approx(0.02, rel=0.02) and abs(got.mean()) < 5e-4


def test_format_depth_alpha_and_exif_stay(tmp_path: Path) -> None:
    eight = (SCENE * 255).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0110] = "Camera 7"
    folder = tmp_path / "in"
    (folder / "s").mkdir(parents=True)
    Image.fromarray(eight).save(folder / "a.jpg", quality=90, exif=exif)
    Image.fromarray(np.dstack([eight, eight[..., 0]])).save(folder / "s" / "b.png")
    tifffile.imwrite(folder / "s" / "c.tif", (SCENE * 65535).astype(np.uint16), photometric="rgb")
    (folder / "bad.png").write_bytes(b"none")
    words = [folder, "--blur", "gaussian", "sigma_px=2", "-o", tmp_path / "o", "--table", tmp_path / "t.csv"]
    assert blur(*words, "--save-kernel", tmp_path / "k") == 1  # one bad file
    names = ["a.jpg", "s/b.png", "s/c.tif"]
    for name in names:
        before, after = read_scaled(folder / name), read_scaled(tmp_path / "o" / name)
        assert after.pixels.shape == before.pixels.shape and after.dtype == before.dtype
        assert np.abs(after.pixels - before.pixels).max() > 0.02 and read_kernel(tmp_path / "k" / f"{name}.tif").size
        assert before.alpha is None or np.array_equal(after.alpha, before.alpha)
    with Image.open(tmp_path / "o" / "a.jpg") as after:
        assert after.getexif()[0x0110] == "Camera 7"
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text().splitlines()))
    assert [row["sigma_px"] for row in rows] == ["2.0", "", "2.0", "2.0"] and "bad.png" in rows[1]["error"]


def test_a_draw_depends_on_the_seed_and_the_name_alone(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        Image.fromarray((SCENE * 255).astype(np.uint8)).save(tmp_path / name)
    same = ["--blur", "photographic", "--sigma", 0.01, "-o"]
    assert blur(tmp_path / "a.png", tmp_path / "b.png", *same, tmp_path / "one") == 0
    assert blur(tmp_path / "b.png", *same, tmp_path / "two") == 0
    assert blur(tmp_path / "b.png", *same, tmp_path / "three", "--seed", 1) == 0
    one, two, three = ((tmp_path / of / "b.png").read_bytes() for of in ("one", "two", "three"))
    assert one == two != three and (tmp_path / "one" / "a.png").read_bytes() != one


def test_the_photographs_may_stand_behind_the_blur(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert blur("-o", tmp_path / "o", "--blur", "motion", "length_px=9", photo) == 0
    assert [path.name for path in (tmp_path / "o").glob("[!.]*")] == ["a.tif"]
    assert blur("-o", tmp_path / "p", "--blur", "motion", "length_px=9", photo.with_name("a.*")) == 0
    assert (tmp_path / "p" / "a.tif").is_file()
    assert blur("--blur", "motion", "length_px=9") == 2
    assert "required: photo" in capsys.readouterr().err


def test_a_file_that_is_no_result_is_not_replaced(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "a.tif").write_bytes(b"mine")
    words = (photo, "-o", tmp_path / "o", "--blur", "motion", "length_px=9")
    assert blur(*words) == 2 and "is no result of blurlab" in capsys.readouterr().err
    assert (tmp_path / "o" / "a.tif").read_bytes() == b"mine"
    (tmp_path / "o" / "a.tif").unlink()
    assert blur(*words) == 0 == blur(*words)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["moton"], "unknown blur 'moton', did you mean 'motion'?"),
        (["motion", "lenght_px=9"], "unknown option 'lenght_px' of Motion, did you mean 'length_px'?"),
        (["motion", "length_px=-9"], "length_px must not be negative, got [-9, -9]"),
        (["motion", "length_px=9", "size=3"], "needs a size of 9, got 3; use 9 or more"),
        (["motion", "length_px=9,3"], "one value a setting is needed"),
        (["motion", "length_px"], "'length_px' is no setting, and no file; write KEY=VALUE"),
        (["motion", "_target_=os.system"], "'_target_=os.system' is no setting"),
        (["camera_kinds", "members.none._target_=os.system"], "_target_ os.system is not allowed"),
        (["camera_kinds", "members.moton.length_px=9"], "has no part 'moton', did you mean 'motion'?"),
        (["motion", "--sigma", "2"], "--sigma is a standard deviation"),
        (["motion", "-o", "."], "a.tif would be overwritten"),
        (["motion", "--save-kernel", "k.jpg"], "must end in one of .tif"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_written(
    photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], what: str
) -> None:
    monkeypatch.chdir(photo.parent)
    before = photo.read_bytes()
    assert blur("a.tif", "--blur", *words) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ") and err.count("\n") == 1 and what in err, err
    assert [path.name for path in photo.parent.iterdir()] == ["a.tif"] and photo.read_bytes() == before


def test_a_kernel_larger_than_the_photograph_is_an_error_of_that_file(
    photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert blur(photo, "--blur", "motion", "length_px=99", "-o", photo.parent / "o") == 1
    assert "psf 99x99 is larger than the image 67x74" in capsys.readouterr().err
