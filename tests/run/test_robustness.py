"""The identifier tried on other conditions: as a stage, in the record, in every table."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest
from cli_run import in_process
from fast_set import first_fast

from blurlab.dataset import Resized, Unchanged
from blurlab.noise import Chain
from blurlab.report import write_report_md
from blurlab.run.command.compose import check
from blurlab.run.errors import UsageError
from blurlab.run.setup.build import build
from blurlab.run.stage.robust import Robustness

NAMES = [
    "as in the run", "BSNR 20 dB", "BSNR 30 dB", "BSNR 40 dB", "no noise", "JPEG quality 60", "JPEG quality 80",
    "JPEG quality 95", "resized by 0.75", "resized by 1.5", "softened, sigma 0.5 px", "softened, sigma 1 px",
]  # fmt: skip
SMALLEST = [
    "+experiment=messidor_hier", "budget=smoke", "budget.photos=10", "dataset.fallback.size=160",
    "budget.epochs=1", "budget.steps_per_epoch=2",
    "budget.batch_size=8", "budget.draws_val=1", "budget.draws_test=3", "budget.draws_restore=1",
    "budget.draws_robust=3", "budget.risk_strengths_px=[3,8]", "budget.risk_errors_px=[-1,0,1]", "budget.risk_photos=1",
    "deconvolver.iterations=3", "run.progress=false", "logger=csv",
]  # fmt: skip


def blurlab(*words: str, cwd: Path) -> str:
    done = in_process(*words, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def left_by(cwd: Path) -> tuple[Path, dict[str, Any]]:
    (folder,) = (cwd / "runs" / "messidor_hier").iterdir()
    return folder, json.loads((folder / "record.json").read_text())


def test_stage_robust_is_the_default_with_the_trial_before_the_report(tmp_path: Path) -> None:
    plain, robust = (check([f"stage={name}", f"paths.runs_dir={tmp_path}"])[0].stage for name in ("default", "robust"))
    assert list(robust) == [*list(plain)[:-1], "robustness", "report"]
    assert all(robust[name] == plain[name] for name in plain)
    assert [condition.name for condition in build(robust.robustness).conditions] == NAMES


def test_conditions_have_a_name_each() -> None:
    with pytest.raises(ValueError, match="a name each, got none"):
        Robustness([])
    with pytest.raises(ValueError, match="a name each, got a, a"):
        Robustness([Unchanged("a"), Resized("a", 0.5)])


@pytest.mark.parametrize(
    ("codec", "line"),
    first_fast([("{_target_: blurlab.noise.Jpeg, quality: 0}", "1 to 100, got 0"), ("{_target_: os.system}", "os")]),
)
def test_a_wrong_condition_is_refused_before_the_run(codec: str, line: str, tmp_path: Path) -> None:
    one = f"{{_target_: blurlab.dataset.Encoded, name: a, codec: {codec}}}"
    with pytest.raises(UsageError, match=line):
        check(["stage=robust", f"stage.robustness.conditions=[{one}]", f"paths.runs_dir={tmp_path}"])
    with pytest.raises(UsageError, match="draws_robust must be a whole number from 1"):
        check(["stage=robust", "budget.draws_robust=0", f"paths.runs_dir={tmp_path}"])


def test_quality_of_noise_jpeg_can_be_set_from_a_command_line(tmp_path: Path) -> None:
    (cfg,) = check(["noise=jpeg", "noise.models.1.quality=60", f"paths.runs_dir={tmp_path}"])
    noise = build(cfg.noise)
    assert isinstance(noise, Chain) and noise.models[1].quality == (60, 60)


@pytest.mark.slow
def test_a_finished_run_is_tried_later_and_what_its_head_cannot_take_is_said(tmp_path: Path) -> None:
    blurlab(*SMALLEST, "dataset.size=80", cwd=tmp_path)
    folder, before = left_by(tmp_path)
    assert "robustness" not in before and not (folder / "robustness.csv").exists()
    assert "Tried on other conditions" not in (folder / "report.html").read_text()
    for _ in range(2):  # the second time it is finished
        said = blurlab(f"run.resume={folder}", "stage=robust", cwd=tmp_path)
        assert "evaluate: finished earlier" in said and "Tried on other conditions" in said
    _, after = left_by(tmp_path)
    assert after["metrics"] == before["metrics"]
    tried = {entry["condition"]: entry for entry in after["robustness"]}
    assert list(tried) == NAMES
    same = tried.pop("as in the run")["metrics"]  # three draws here and there: the same items
    assert same["type_accuracy"] == before["metrics"]["type_accuracy"]
    small = tried.pop("resized by 0.75")
    assert "metrics" not in small and "at least window=64, got (9, 1, 60, 60)" in small["error"]
    assert small["error"] in (folder / "report.html").read_text()
    assert all(entry["metrics"]["type_accuracy"]["n"] + entry["left_out"] == 9 for entry in tried.values())
    assert tried["resized by 1.5"]["left_out"] > 0
    blurlab(f"run.resume={folder}", "run.keep=true", cwd=tmp_path)
    paper = tmp_path / "experiments" / "williams2017"
    (paper / "published.csv").write_text("experiment,metric,value,unit,source,note\n")
    write_report_md(paper)
    (page,) = (paper / "pages").rglob("*.md")
    assert "| softened, sigma 1 px | 9 |" in page.read_text()


@pytest.mark.slow
def test_the_likelihood_takes_every_condition_and_each_item_keeps_its_blur(tmp_path: Path) -> None:
    words = ["pipeline=likelihood", "blur=motion", "stage=robust", "dataset.size=64"]
    said = blurlab(*SMALLEST, *words, cwd=tmp_path)
    folder, record = left_by(tmp_path)
    assert [entry["condition"] for entry in record["robustness"]] == NAMES and all(name[:9] in said for name in NAMES)
    assert all({"type_accuracy", "coverage90"} <= set(entry["metrics"]) for entry in record["robustness"])
    with (folder / "robustness.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    first = {(row["photo"], row["draw"]): row for row in rows if row["condition"] == NAMES[0]}
    assert len(first) == 9
    for row in rows:
        factor = {"resized by 0.75": 0.75, "resized by 1.5": 1.5}.get(row["condition"], 1.0)
        run = first[row["photo"], row["draw"]]
        assert math.isclose(float(row["strength_px"]), factor * float(run["strength_px"]), abs_tol=2e-5)
        assert row["motion.angle_deg"] == run["motion.angle_deg"]
    counts = [sum(row["condition"] == name for row in rows) for name in NAMES]
    assert counts == [entry["metrics"]["type_accuracy"]["n"] for entry in record["robustness"]]
