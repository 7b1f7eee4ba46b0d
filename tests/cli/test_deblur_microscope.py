"""``deblur --psf zernike``: stacks in and out, the kernel beside them, and one clear line for what cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from torch import Tensor

from blurlab.blur import Zernike
from blurlab.cli import main
from blurlab.core.stack_file import read_stack
from blurlab.physics import Convolution
from blurlab.pipeline import microscope
from blurlab.pipeline.microscope import Microscope, Plane

LENS = ("--psf", "zernike", "--na", "1.4", "--wavelength", "520")
SIZE = {"PhysicalSizeX": 0.065, "PhysicalSizeY": 0.065}


def cells(path: Path, *shape: int, axes: str, **more: object) -> np.ndarray:
    """A stack of squares of many sizes, blurred a little, as an OME-TIFF file."""
    draw, values = np.random.default_rng(0), np.zeros(shape)
    for plane in values.reshape(-1, *shape[-2:]):
        for _ in range(60):
            row, col, side = draw.integers(0, shape[-1] - 4), draw.integers(0, shape[-1] - 4), draw.integers(3, 30)
            plane[row : row + side, col : col + side] = draw.random()
    done = (4000 * values + draw.normal(0, 20, shape)).clip(0, 65535).astype(np.uint16)
    tifffile.imwrite(path, done, ome=True, photometric="minisblack", metadata={"axes": axes, **more})
    return done


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool that finds one kernel at once and halves every plane."""

    def call(self: Microscope, y: Tensor, sigma: float | None = None, progress: object = None) -> tuple[Tensor, Plane]:
        return y / 2, Plane(torch.eye(31) / 31, {"noll4_waves": (0.08, 0.02)}, 0.01, 0.1)

    monkeypatch.setattr(Microscope, "__call__", call)


def failed(capsys: pytest.CaptureFixture[str], *words: object, status: int = 2) -> str:
    with pytest.raises(SystemExit) as caught:
        main(["deblur", *map(str, words)])
    err = capsys.readouterr().err
    assert caught.value.code == status, err
    return err


def test_a_stack_comes_out_as_it_went_in(tmp_path: Path, still: None, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "cells.ome.tif", tmp_path / "out"
    values = cells(source, 3, 96, 80, axes="ZYX", **SIZE)
    main(["deblur", str(source), *LENS, "-o", str(out), "--table", str(tmp_path / "t.csv")])
    said = capsys.readouterr().out
    assert (
        "zernike, 3 planes of 96x80, pixels of 65 nm (the file's); waves of the middle plane, 90 %: noll4 0.080+-0.020"
        in said
    )
    result = read_stack(out / "cells.ome.tif")
    assert (result.kind, result.axes, result.pixel_nm) == ("ome", "ZYX", 65.0)
    low = values.min()
    np.testing.assert_allclose(result.planes, low + (values - float(low)) / 2, atol=0.51)
    kernels = read_stack(out / "cells.psf.tif")
    assert kernels.planes.shape == (3, 31, 31) and kernels.pixel_nm == pytest.approx(65, rel=1e-4)
    assert "noll4_waves" in (tmp_path / "t.csv").read_text()


def test_the_pixel_that_is_given_counts_and_is_held_against_the_files(
    tmp_path: Path, still: None, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "cells.ome.tif"
    cells(source, 80, 80, axes="YX", **SIZE)
    words = ["deblur", str(source), *LENS, "--pixel", "80", "-o", str(tmp_path / "out")]
    main([*words, "--save-kernel", str(tmp_path / "k.tif")])
    assert "pixels of 80 nm (as given, the file says 65 nm)" in capsys.readouterr().out
    assert read_stack(tmp_path / "out" / "cells.ome.tif").pixel_nm == 80.0
    assert (tmp_path / "k.tif").is_file() and not (tmp_path / "out" / "cells.psf.tif").exists()
    main([*words, "--save-kernel", str(tmp_path / "k.tif"), "--resume"])
    assert "1 of 1 photographs were done before" in capsys.readouterr().err


def test_kernels_keep_the_structure_and_are_written_over_nothing(
    tmp_path: Path, still: None, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    for name in ("a/c.1.ome.tif", "a/c.2.ome.tif", "b/c.1.ome.tif"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cells(folder / name, 80, 80, axes="YX", **SIZE)
    main(["deblur", str(folder), *LENS, "-o", str(tmp_path / "out"), "--save-kernel", str(tmp_path / "k.tif")])
    kernels = sorted(str(path.relative_to(tmp_path / "k")) for path in (tmp_path / "k").rglob("*.tif"))
    assert kernels == ["a/c.1.psf.tif", "a/c.2.psf.tif", "b/c.1.psf.tif"]
    (tmp_path / "k" / kernels[0]).unlink()
    main(
        [
            "deblur",
            str(folder),
            *LENS,
            "-o",
            str(tmp_path / "out"),
            "--save-kernel",
            str(tmp_path / "k.tif"),
            "--resume",
        ]
    )
    assert (tmp_path / "k" / kernels[0]).exists() and "2 of 3 photographs were done before" in capsys.readouterr().err
    one = folder / "a" / "c.1.ome.tif"
    before = one.read_bytes()
    err = failed(capsys, one, *LENS, "-o", tmp_path / "new", "--save-kernel", one)
    assert "would be written over" in err and one.read_bytes() == before and not (tmp_path / "new").exists()
    cells(folder / "a" / "c.1.tif", 80, 80, axes="YX", **SIZE)  # its kernels would have the name of the other's
    assert "another kernel" in failed(capsys, folder / "a", *LENS, "-o", tmp_path / "new")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--na", "1.4"), "--na says something of an objective; add --psf zernike"),
        (("--psf", "zernike"), "--psf zernike needs --na; for instance --na 1.4 --wavelength 520 --pixel 65"),
        (("--psf", "zernike", "--na", "1.4"), "--psf zernike needs --wavelength"),
        ((*LENS, "--method", "tv"), "--method does not go with --psf zernike"),
        ((*LENS, "--page"), "--page does not go with --psf zernike"),
        ((*LENS, "--save-kernel", "k.png"), "it must end in .tif"),
        (
            (*LENS[:4], "--wavelength", "520e-9", "--pixel", "65"),
            "must be in nanometres, for instance 520, got 5.2e-07",
        ),
        ((*LENS, "--pixel", "0.065"), "pixel_nm must be in nanometres, for instance 65, got 0.065"),
        ((*LENS, "--index", "1.33", "--pixel", "65"), "at most the refractive index 1.33, got 1.4"),
        ((*LENS, "--pixel", "400"), "needs pixels below 185.7 nm"),
        ((*LENS, "--waves", "5"), "--waves must be above 0 and at most 0.5, got 5"),
        ((*LENS, "--noll", "3-5"), "--noll must be different indices from 4 (defocus) to 22, got 3, 4, 5"),
    ],
)
def test_options_that_cannot_be(
    tmp_path: Path, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    err = failed(capsys, tmp_path / "cells.tif", *words)
    assert said in err and err.startswith("error: ") and err.count("\n") == 1


def test_files_that_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "cells.ome.tif", tmp_path / "out"
    cells(source, 80, 80, axes="YX")
    assert "does not say the size of its pixels; give it by --pixel" in failed(
        capsys, source, *LENS, "-o", out, status=1
    )
    cells(source, 3, 80, 80, axes="CYX", **SIZE)
    assert "has 3 channels, and --wavelength is that of one" in failed(capsys, source, *LENS, "-o", out, status=1)
    cells(source, 40, 80, axes="YX", **SIZE)
    assert "64 px or more, got 40x80" in failed(capsys, source, *LENS, "-o", out, status=1)
    cells(source, 5, 80, 80, axes="ZYX", **SIZE)
    assert "it holds 5 pages" in failed(capsys, source, "-o", out, status=1)  # a stack for a picture
    assert not list(out.glob("*.tif"))


def test_an_empty_plane_stays_as_it_is_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = tmp_path / "cells.ome.tif", tmp_path / "out"
    values = cells(source, 3, 80, 80, axes="ZYX", **SIZE)
    values[1] = 700
    values[0, 5, 6] = 65535  # a hot pixel
    values[values == 0] = 100
    tifffile.imwrite(source, values, ome=True, photometric="minisblack", metadata={"axes": "ZYX", **SIZE})
    found = Plane(torch.eye(31) / 31, {"noll4_waves": (0.149, 0.02)}, 0.01, 0.3)
    monkeypatch.setattr(Microscope, "identify", lambda self, y: (torch.ones(1, 1, 1, 1), found))
    monkeypatch.setattr(microscope, "CUT", 0.9)
    main(["deblur", str(source), *LENS, "-o", str(out)])
    said = capsys.readouterr().out
    assert "plane 2 of 3: it is constant; left as it is" in said
    assert "noll4 0.149+-0.020 (the most looked for)" in said and "1 hot or dead pixels replaced" in said
    assert "the other way round with probability 0.30" in said
    result = read_stack(out / "cells.ome.tif").planes
    assert (result[1] == 700).all() and result[0].max() < 10_000 and (result[0] != values[0]).any()
    kernels = read_stack(out / "cells.psf.tif").planes
    assert kernels[1, 15, 15] == 1 and kernels[1].sum() == 1


def test_a_plane_that_is_cut_off_or_saturated_does_not_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "cells.ome.tif", tmp_path / "out"
    values = cells(source, 80, 80, axes="YX", **SIZE) + np.random.default_rng(1).normal(200, 20, (80, 80))
    for low, high, word in ((1500, 65535, "a background"), (0, 900, "saturated")):
        cut = values.clip(low, high).astype(np.uint16)
        tifffile.imwrite(source, cut, ome=True, photometric="minisblack", metadata={"axes": "YX", **SIZE})
        table = tmp_path / f"{low}.csv"
        main(["deblur", str(source), *LENS, "-o", str(out / str(low)), "--table", str(table)])
        said = capsys.readouterr().out
        assert "cannot tell: " in said and word in said, said
        assert "cannot tell" in table.read_text()
        assert (read_stack(out / str(low) / "cells.ome.tif").planes == cut).all()


def test_noise_and_points_as_wide_as_a_kernel_are_no_hot_pixels() -> None:
    draw = torch.Generator().manual_seed(0)
    lens = Zernike(0.15, na=1.4, wavelength_nm=520, pixel_nm=65)
    x = torch.zeros(1, 1, 130, 130, dtype=torch.float64)
    x[..., 40, 50] = x[..., 90, 80] = 50_000.0
    y = 1000 + Convolution(lens.psf(torch.zeros(1, 7)).double(), "valid").A(x)
    y = torch.poisson(y, generator=draw)
    clean, hot = microscope.without_hot_pixels(y)
    assert not bool(hot.any()) and torch.equal(clean, y)
    y[..., 20, 20], y[..., 70, 30] = 30_000.0, 0.0
    clean, hot = microscope.without_hot_pixels(y)
    assert hot.nonzero()[:, 2:].tolist() == [[20, 20], [70, 30]] and 900 < float(clean[..., 70, 30]) < 1100


@pytest.mark.slow
def test_one_plane_gets_sharper(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it on a picture of edges: nearer to the sharp one, by one kernel and place by place."""
    lens = Zernike(0.15, na=1.4, wavelength_nm=520, pixel_nm=65)
    draw = np.random.default_rng(1)
    sharp = np.zeros((190, 190), np.float32)
    for _ in range(150):
        row, col, side = draw.integers(0, 186), draw.integers(0, 186), draw.integers(3, 40)
        sharp[row : row + side, col : col + side] = draw.random()
    x = torch.from_numpy(sharp)[None, None]
    y = Convolution(lens.psf(torch.tensor([[0.1, 0.02, -0.03, 0.08, -0.05, 0.05, 0.0]])), "valid").A(x)
    y = (y + 0.005 * torch.randn(y.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    inner = x[..., 15:-15, 15:-15]
    monkeypatch.setattr(microscope, "ITERATIONS", 15)
    for by_tiles in (False, True):
        image, plane = Microscope(na=1.4, wavelength_nm=520, pixel_nm=65, by_tiles=by_tiles)(y)
        assert (image - inner).square().mean() < 0.8 * (y - inner).square().mean()
        assert float(image.max()) > float(y.max())  # what a blur has lowered rises again
        assert plane.kernels.shape == ((3, 3, 31, 31) if by_tiles else (31, 31))
        assert 0.003 < plane.sigma < 0.008
