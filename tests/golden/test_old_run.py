"""Runs that were made before the contracts of the house were changed load, find and restore what they did."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from cli_run import in_own_process
from make_old_run import RUNS, found, photograph
from PIL import Image

from blurlab.cli import main
from blurlab.core.image_io import read_image
from blurlab.report import load_record

OLD = Path(__file__).parent / "old_run"
TOLERANCE = 1e-3
"""Of what is found in px and of the restored image; a processor that rounds otherwise is off by 1e-5."""


@pytest.mark.parametrize("name", RUNS)
def test_an_old_runs_networks_find_and_restore_what_they_did(name: str) -> None:
    expected = json.loads((OLD / name / "expected.json").read_text())
    now = found(OLD / name)
    assert now.pop("kind") == expected.pop("kind") == "motion"
    assert now == {key: pytest.approx(value, abs=TOLERANCE) for key, value in expected.items()}


@pytest.mark.parametrize("name", RUNS)
def test_the_command_line_restores_a_photograph_with_an_old_run(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(photograph()[..., 0]).save(tmp_path / "photo.png")
    main(["deblur", str(tmp_path / "photo.png"), "--run", str(OLD / name), "--out", str(tmp_path / "out")])
    expected = json.loads((OLD / name / "expected.json").read_text())
    assert f"motion {expected['strength_px']:.1f}"[:-1] in capsys.readouterr().out
    restored = read_image(tmp_path / "out" / "photo.png")
    assert restored.mean() == pytest.approx(expected["restored"][0], abs=2e-3)
    assert np.abs(restored - photograph() / 255).mean() > 0.01


@pytest.mark.parametrize("name", RUNS)
def test_an_old_runs_record_is_read(name: str) -> None:
    record = load_record(OLD / name)
    assert record["experiment"] == "messidor_hier" and record["metrics"]


@pytest.mark.slow
def test_an_old_run_is_resumed_and_nothing_is_run_again(tmp_path: Path) -> None:
    shutil.copytree(OLD / "hierarchical", tmp_path / "run")
    done = in_own_process("run.resume=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    stages = [path.parent.name for path in OLD.glob("hierarchical/stages/*/finished.json")]
    assert len(stages) == 6 and all(f"{stage}: finished earlier" in done.stdout for stage in stages)
    metrics = [load_record(folder)["metrics"] for folder in (tmp_path / "run", OLD / "hierarchical")]
    assert metrics[0] == metrics[1]
