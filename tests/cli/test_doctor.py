"""The command ``doctor``: what is looked at, and what is said where something is wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from blurlab.cli import bounds, doctor, main, shipped
from blurlab.cli.bounds import Bounds, lacking

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATA", "RUNS", "CACHE"):
        monkeypatch.setenv(f"BLURLAB_{name}", str(tmp_path / name.lower()))
    monkeypatch.setattr(doctor, "_free_bytes", lambda: 8 << 30)
    monkeypatch.setattr(doctor, "bounds", lambda: Bounds(">=3.11", ("numpy>=1.26", "torch>=2.6"), {}))


def run(capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str], list[str]]:
    """Exit status, good lines, lines of what to do."""
    status = 0
    try:
        main(["doctor"])
    except SystemExit as end:
        status = int(end.code or 0)
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith(("ok  ", "do  ")) for line in lines)
    return status, [line[4:] for line in lines if line[0] == "o"], [line[4:] for line in lines if line[0] == "d"]


def test_where_all_is_well_every_line_is_ok(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "data" / "drive" / "test" / "images").mkdir(parents=True)
    (tmp_path / "data" / "drive" / "test" / "images" / "01_test.tif").touch()
    status, good, wrong = run(capsys)
    assert status == 0 and wrong == []
    text = "\n".join(good)
    for what in ("Python 3", "torch 2", "8.0 GiB free", "their checksums are right", "drive (1)", str(tmp_path)):
        assert what in text, what
    assert "hrf" not in text and list(tmp_path.iterdir()) == [tmp_path / "data"]  # nothing was made


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        (Bounds(">=3.99", (), {}), "(>=3.99); make an environment"),
        (Bounds(">=3.11", ("numpy>=999",), {}), "is not >=999; pip install --upgrade blurlab-toolbox"),
        (Bounds(">=3.11", ("no-such-package",), {}), "no-such-package is missing; pip install"),
        (Bounds(">=3.11", ("not a requirement!",), {}), "install blurlab-toolbox anew"),
    ],
)
def test_versions_out_of_their_bounds_are_to_be_mended(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, asked: Bounds, what: str
) -> None:
    monkeypatch.setattr(doctor, "bounds", lambda: asked)
    status, good, wrong = run(capsys)
    assert status == 1 and len(wrong) == 1 and what in wrong[0] and len(good) > 5


def test_an_extra_that_is_not_there_is_no_fault(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    extras = {"all": ("numpy",), "none": ("no-such-package>=1",), "empty": ()}
    monkeypatch.setattr(doctor, "bounds", lambda: Bounds(">=3.11", (), extras))
    status, good, _ = run(capsys)
    assert status == 0 and "extra all: installed" in good and not any("empty" in line for line in good)
    assert any("extra none: not there" in line and "'blurlab-toolbox[none]'" in line for line in good)


def test_folders_weights_and_memory(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file")
    (tmp_path / "sums").write_text(shipped.SUMS.read_text().replace("photograph", "telegraph"))
    monkeypatch.setattr(shipped, "SUMS", tmp_path / "sums")
    monkeypatch.setattr(doctor, "_free_bytes", lambda: 1 << 30)
    status, _, wrong = run(capsys)
    assert status == 1 and len(wrong) == 4
    memory, cache, missing, unlisted = wrong
    assert "1.0 GiB free" in memory and "--tile" in memory and "BLURLAB_CACHE" in cache
    assert "telegraph.safetensors is missing" in missing and "photograph.safetensors is not listed" in unlisted


def test_the_bounds_are_those_of_the_checkout() -> None:
    here = bounds.bounds()
    assert "torch>=2.6" in here.needed and here.python.startswith(">=3.11") and "dev" in here.extras


def test_the_bounds_are_those_that_were_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "blurlab_toolbox-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.4\nName: blurlab-toolbox\nVersion: 1.0\nRequires-Python: >=3.11\n"
        "Requires-Dist: torch>=2.6\nRequires-Dist: shtab>=1.7; extra == 'completion'\nProvides-Extra: completion\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(bounds, "CHECKOUT", tmp_path / "none.toml")
    assert bounds.bounds() == Bounds(">=3.11", ("torch>=2.6",), {"completion": ("shtab>=1.7",)})


def test_what_the_environment_lacks() -> None:
    assert lacking(["numpy>=1.26", "torch"]) == []
    (line,) = lacking(["numpy<1"])
    assert line.startswith("numpy ") and line.endswith(" is not <1")
