"""The command ``check``: the laws on parts of a user's own, kept or broken, a line each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from blurlab.cli import main

FILE = '''
import torch
from blurlab.blur import Motion
from blurlab.deconvolver import Deconvolver, Restored, Wiener
from blurlab.physics import Convolution, LinearOperator


class Good(Motion):
    """A line."""


class Heavy(Motion):
    """A line whose kernels sum to 1.5."""

    def psf(self, params, kind=None):
        return 1.5 * super().psf(params, kind)


class Stops(Motion):
    def measurable(self, params):
        raise RuntimeError("no measure\\nof this")


class Flat(LinearOperator):
    """Halves an image; its adjoint doubles it."""

    def forward(self, x):
        return x / 2

    def adjoint(self, y):
        return 2 * y


class Lazy(Deconvolver):
    def restore(self, y, psf, sigma):
        return Restored(y)


def box(side: int = 3):
    return Convolution(torch.full((1, 1, side, side), 1 / side**2), "reflect")


def nothing():
    return 3


wiener = Wiener()
'''


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "parts_of_mine.py").write_text(FILE)
    (tmp_path / "damaged_part.py").write_text("import nothing_of_this_name\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name in ("parts_of_mine", "damaged_part"):
        sys.modules.pop(name, None)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str]]:
    status = 0
    try:
        main(["check", *words])
    except SystemExit as end:
        status = int(end.code or 0)
    out, err = capsys.readouterr()
    return status, (out + err).splitlines()


@pytest.mark.parametrize("place", ["parts_of_mine", "parts_of_mine.py"])
def test_a_family_that_keeps_every_law(own: Path, capsys: pytest.CaptureFixture[str], place: str) -> None:
    status, lines = run(capsys, f"{place}:Good", "length_px=[1,9]", "angle_deg=[0,90]")
    assert status == 0 and lines[-1] == f"{len(lines) - 1} laws kept, 0 broken" and len(lines) > 20
    assert all(line.startswith("kept    ") for line in lines[:-1]) and "kept    a kernel's sum is 1" in lines


def test_each_law_that_is_broken_is_a_line_and_the_others_are_tried(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, lines = run(capsys, "parts_of_mine:Heavy")
    assert status == 1 and "broken  a kernel's sum is 1: a kernel's sum is off 1 by 0.5" in lines
    assert "kept    gradients are finite" in lines
    broken = [line for line in lines if line.startswith("broken")]
    assert lines[-1] == f"{len(lines) - 1 - len(broken)} laws kept, {len(broken)} broken"


def test_a_part_that_raises_ends_the_laws_with_one_line(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines = run(capsys, "parts_of_mine:Stops")
    assert status == 1 and lines[-2] == "broken  no law could be tried further: RuntimeError: no measure"
    assert lines[-1].endswith(" 1 broken; those after the last were not tried")


def test_operators_and_deconvolvers_have_laws_too(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines = run(capsys, "parts_of_mine:Flat")
    assert status == 1 and any(line.startswith("broken  adjoint: <Ax, y> = <x, A*y>: ") for line in lines)
    status, lines = run(capsys, "parts_of_mine:box", "side=5", "--shape", "1x3x9x8")
    assert status == 0 and lines[-1] == "7 laws kept, 0 broken"
    status, lines = run(capsys, "parts_of_mine:Lazy")
    assert status == 1 and any(line.startswith("broken  the result is nearer to the sharp image") for line in lines)
    status, lines = run(capsys, "parts_of_mine:wiener")
    assert status == 0 and lines[-1].endswith(" 0 broken")


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["parts_of_mine"], "name the part as MODULE:CLASS, got parts_of_mine"),
        (["parts_of_mine:"], "name the part as MODULE:CLASS"),
        (["parts_of_mine:God"], "parts_of_mine has no God, did you mean 'Good'?"),
        (["parts_of_mine:Good", "lenght_px=3"], "unknown option 'lenght_px' of Good, did you mean 'length_px'?"),
        (["parts_of_mine:Good", "length_px=-3"], "Good cannot be made: ValueError: length_px must not be negative"),
        (["parts_of_mine:Good", "3"], "'3' is no setting; write KEY=VALUE"),
        (["parts_of_mine:wiener", "side=3"], "is an object, which takes no options"),
        (["parts_of_mine:nothing"], "laws are known of a blurlab.blur.BlurFamily"),
        (["nowhere_at_all:X"], "cannot import nowhere_at_all: ModuleNotFoundError"),
        (["nowhere.py:X"], "nowhere.py does not exist"),
        (["damaged_part:X"], "cannot import damaged_part: ModuleNotFoundError: No module named 'nothing_of"),
        (["damaged_part.py:X"], "cannot import damaged_part.py: ModuleNotFoundError"),
        (["parts_of_mine:box", "--shape", "3x3"], "--shape must be BxCxHxW"),
    ],
)
def test_what_cannot_be_checked_gets_one_line(
    own: Path, capsys: pytest.CaptureFixture[str], words: list[str], what: str
) -> None:
    status, lines = run(capsys, *words)
    assert status == 2 and len(lines) == 1 and lines[0].startswith("error: ") and what in lines[0], lines
