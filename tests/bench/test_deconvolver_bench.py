"""The arithmetic of experiments/bench, on tiny sizes."""

from __future__ import annotations

import json
import math
import runpy
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.deconvolver import TV, tv_objective
from blurlab.deconvolver.laws import kernels, made_up

FOLDER = Path(__file__).parents[2] / "experiments" / "bench"


@pytest.fixture
def gap(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(FOLDER)
    import gap

    return gap


def test_the_objective_is_that_of_the_library(gap: ModuleType) -> None:
    u, y = made_up(2, (17, 24), generator=torch.Generator().manual_seed(0)).double().split(1)
    psf = kernels(1).double()
    assert gap.objective(u, y, psf, 0.01) == pytest.approx(float(tv_objective(u, y, psf, 0.01)))
    assert gap.objective(u, y, psf, 0.01, "replicate") < gap.objective(u, y, psf, 0.01)


def test_two_algorithms_find_one_minimum(gap: ModuleType) -> None:
    x, psf, weight = (
        made_up(1, (17, 24), generator=torch.Generator().manual_seed(1)).double(),
        kernels(1).double(),
        1e-3,
    )
    y = irfft2(psf_to_otf(psf, (17, 24)) * rfft2(x), (17, 24))
    least = gap.objective(gap.minimise(y, psf, weight, iterations=800), y, psf, weight)
    ours = TV(weight=weight, iterations=800, tolerance=0, boundary="circular")(y, psf, 0.01).image
    assert gap.objective(ours, y, psf, weight) == pytest.approx(least, rel=1e-3)
    ends = gap.minimise(y, psf, weight, "replicate", iterations=800)
    at_ends = gap.objective(ends, y, psf, weight, "replicate")
    around = gap.minimise(y, psf, weight, iterations=800)
    assert at_ends < gap.objective(around, y, psf, weight, "replicate")


def test_ratio_is_within_each_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FOLDER)
    from timing import in_turn, ratio

    clock = iter(range(1, 100))
    times = in_turn({"a": lambda: float(next(clock)), "b": lambda: 2.0}, seconds=0, least=4)
    assert times["a"] == [2, 3, 4, 5] and times["b"] == [2] * 4  # the first call is warming
    assert ratio(times["a"], times["b"])["median"] == 1.75


def test_the_hint_says_how_to_get_deepinv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FOLDER)
    from deepinv_client import DeepinvSide, NotInstalled

    with pytest.raises(NotInstalled, match="make bench-deepinv"):
        DeepinvSide(Path("nowhere/python"), 1)


SCRIPTS = [path for path in sorted(FOLDER.parent.glob("*/*.py")) if "ArgumentParser" in path.read_text()]


def test_all_but_the_modules_of_the_scripts_are_scripts() -> None:
    rest = {path.stem for path in FOLDER.parent.glob("*/*.py")} - {path.stem for path in SCRIPTS}
    assert rest == {"deconvolver_table", "deepinv_client", "deepinv_side", "gap", "kept", "timing", "validation"}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_every_script_of_the_experiments_finds_what_it_imports_and_says_how_it_is_called(
    script: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = set(sys.modules)
    monkeypatch.chdir(FOLDER.parents[1])
    monkeypatch.syspath_prepend(script.parent)
    monkeypatch.setattr(sys, "argv", [str(script), "--help"])
    try:
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(script), run_name="__main__")
    finally:
        for name in set(sys.modules) - before:  # a script beside another may have a module of the same name
            if Path(getattr(sys.modules[name], "__file__", None) or "").is_relative_to(FOLDER.parent):
                del sys.modules[name]
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("usage:")  # and nothing was measured


@pytest.mark.slow
def test_never_worse_runs_and_finds_what_is_worse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = tmp_path / "record.json"
    monkeypatch.setattr(sys, "argv", ["never_worse.py", "--only", "tv", "--side", "8", "--output", str(written)])
    script = runpy.run_path(str(FOLDER / "never_worse.py"), run_name="__main__")
    record = json.loads(written.read_text())
    assert len(record["table"]) == 6 * 5 and record["side"] == 8
    row = record["table"]["tv/camera/gaussian1"]
    assert [row["rmse_y"][i] < row["rmse_y"][-1] for i in range(5)] == [True] * 5  # noise is added
    for gain, before, after in zip(row["isnr"], row["rmse_y"], row["rmse"], strict=True):
        assert gain == pytest.approx(20 * math.log10(before / after), abs=0.01)
    worse = {"a": row | {"rmse": [2 * before for before in row["rmse_y"]]}, "b": row | {"rmse": row["rmse_y"]}}
    assert [line.split(":")[0] for line in script["breaches"](worse)] == [f"a sigma {s:g}" for s in script["SIGMAS"]]
