"""The main job from end to end on small budgets: stages, resume, records, loggers, sweeps."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from cli_run import Started, in_own_process, in_process
from wandb_file import history

TINY = [
    "+experiment=messidor_hier", "budget=smoke", "budget.photos=10", "dataset.fallback.size=160",
    "budget.epochs=2", "budget.steps_per_epoch=3",
    "budget.batch_size=8", "budget.draws_test=4", "budget.risk_strengths_px=[3,8]", "budget.risk_errors_px=[-1,0,1]",
    "budget.risk_photos=1", "dataset.size=128", "deconvolver.iterations=5", "run.progress=false",
]  # fmt: skip
# A kill at this point of the second stage's training, from inside, as an out-of-memory killer would.
KILLED = """
import os, sys
from blurlab.learning import callbacks
seed = callbacks.StepSeed.on_train_batch_start
def die(self, trainer, module, batch, batch_idx):
    seed(self, trainer, module, batch, batch_idx)
    if self.stage == "strength_defocus" and trainer.current_epoch == 1:
        os._exit(9)
callbacks.StepSeed.on_train_batch_start = die
from blurlab.cli import main
main(sys.argv[1:])
"""


def run_dir(cwd: Path) -> Path:
    return next((cwd / "runs" / "messidor_hier").iterdir())


def table(folder: Path) -> list[dict[str, str | float]]:
    """The rows of a run's table, numbers as such."""
    with (folder / "per_image.csv").open() as file:
        return [{key: number_or_text(cell) for key, cell in row.items()} for row in csv.DictReader(file)]


def number_or_text(cell: str) -> str | float:
    try:
        return float(cell)
    except ValueError:
        return cell


def record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "record.json").read_text())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cwd = tmp_path_factory.mktemp("whole")
    done = in_own_process(*TINY, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return cwd


@pytest.mark.slow
def test_the_main_job_leaves_record_table_page_and_pictures(finished: Path) -> None:
    folder = run_dir(finished)
    kept = record(folder)
    assert kept["dataset"]["name"] == "fundus_synthetic"
    assert kept["dataset"]["requested"] == "messidor"
    assert {"type_accuracy", "isnr_oracle", "isnr_estimated", "isnr_map", "ssim_estimated"} <= set(kept["metrics"])
    assert kept["published"]["type_accuracy"]["value"] == pytest.approx(0.9589)
    rows = (folder / "per_image.csv").read_text().splitlines()
    assert len(rows) == 1 + 4 * kept["dataset"]["test"]
    assert kept["examples"]
    assert (folder / "report.html").stat().st_size > 10_000
    assert all((folder / example["sharp"]).is_file() for example in kept["examples"])
    assert not list(folder.rglob("*.tmp"))


def numbers(line: dict[str, str | float]) -> dict[str, float]:
    """The cells of a table's line that are numbers; of the others the hash, so that they must be the same."""
    found = {}
    for name, cell in line.items():
        try:
            found[name] = float(cell)
        except ValueError:
            found[name] = float(hash(cell))
    return found


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_with_the_same_numbers(finished: Path, tmp_path: Path) -> None:
    killed = in_own_process(*TINY, cwd=tmp_path, code=KILLED)
    assert killed.returncode == 9
    folder = run_dir(tmp_path)
    assert (folder / "stages" / "train_type" / "finished.json").is_file()
    assert not (folder / "stages" / "train_strength_defocus" / "finished.json").exists()
    resumed = in_own_process(f"run.resume={folder}", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert "train_type: finished earlier" in resumed.stdout
    starts = [path.name for path in folder.glob("wandb/offline-run-*")]
    assert len(starts) == 2 and len({name.rsplit("-", 1)[1] for name in starts}) == 1, starts
    timed = ("classify_ms", "identify_ms", "restore_ms")
    whole, again = (
        {name: entry["value"] for name, entry in record(where)["metrics"].items() if name not in timed}
        for where in (run_dir(finished), folder)
    )
    assert again == pytest.approx(whole, rel=1e-5, abs=1e-6)
    for one, other in zip(table(run_dir(finished)), table(folder), strict=True):
        assert numbers(other) == pytest.approx(numbers(one), rel=1e-4, abs=1e-4, nan_ok=True)


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on_and_leaves_a_run_that_can(tmp_path: Path) -> None:
    with Started(*TINY, "budget.epochs=500", "logger=csv", cwd=tmp_path) as started:
        deadline = time.monotonic() + 200
        while not list(tmp_path.glob("runs/*/*/stages/train_type/last.ckpt")) and time.monotonic() < deadline:
            time.sleep(0.2)
        os.kill(started.process.pid, signal.SIGINT)
        done = started.end(timeout_s=100)
    assert done.returncode == 130
    assert f"{run_dir(tmp_path).name}\n" in done.stdout and "run.resume=" in done.stdout
    assert not (run_dir(tmp_path) / "stages" / "train_type" / "finished.json").exists()


@pytest.mark.slow
def test_the_offline_wandb_file_holds_isnr_ssim_and_accuracy(finished: Path) -> None:
    logged = history(next(run_dir(finished).glob("wandb/offline-run-*/run-*.wandb")))
    metrics = record(run_dir(finished))["metrics"]
    assert logged["ISNR"] == [pytest.approx(metrics["isnr_estimated"]["value"])]
    assert logged["SSIM"] == [pytest.approx(metrics["ssim_estimated"]["value"])]
    assert logged["accuracy"] == [pytest.approx(metrics["type_accuracy"]["value"])]
    assert any(name.startswith("confusion/") for name in logged)
    assert sum(name.startswith("example/") for name in logged) >= 4
    assert len(logged["val_accuracy"]) == 3 * 2  # three networks, two epochs


@pytest.mark.slow
def test_a_finished_run_restores_a_photograph_from_the_command_line(finished: Path, tmp_path: Path) -> None:
    example = record(run_dir(finished))["examples"][0]
    photo = run_dir(finished) / example["blurred"]
    done = in_process(
        "deblur", str(photo), "--run", str(run_dir(finished)), "--out", str(tmp_path / "out"), cwd=finished
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / photo.name).is_file()


@pytest.mark.slow
def test_a_finished_runs_networks_identify_for_another_deconvolver(finished: Path) -> None:
    small = [word for word in TINY if word.startswith(("budget", "dataset", "run."))]
    words = ["+experiment=restoration", *small, "pipeline=hierarchical", "deconvolver=wiener", "logger=csv"]
    named = f"stage.restore.run={run_dir(finished)}"
    done = in_process(*words, named, cwd=finished)
    assert done.returncode == 0, done.stderr
    kept = record(next((finished / "runs" / "restoration").iterdir()))
    theirs = record(run_dir(finished))
    assert kept["variant"] == "messidor.wiener" and kept["dataset"] == theirs["dataset"]
    assert kept["metrics"]["isnr_oracle"]["n"] == theirs["metrics"]["isnr_oracle"]["n"]
    blurred = [one["metrics"]["psnr_blurred"]["value"] for one in (kept, theirs)]
    assert blurred[0] == pytest.approx(blurred[1])
    done = in_process(*words, named, "dataset.size=96", cwd=finished)
    assert done.returncode == 2 and re.search(r"is of other size \(128\)", done.stderr), done.stderr


def spoil(folder: Path, photo: Path) -> list[Path]:
    """Files that no photograph viewer shows."""
    import numpy as np
    import tifffile
    from PIL import Image

    names = ["truncated.jpg", "text.png", "empty.png", "pixel.png", "bomb.png", "nan.tif", "missing.png"]
    files = [folder / name for name in names]
    Image.open(photo).convert("L").save(files[0])
    files[0].write_bytes(files[0].read_bytes()[:-300])
    files[1].write_text("not a picture")
    files[2].write_bytes(b"")
    Image.new("L", (1, 1)).save(files[3])
    header = b"IHDR" + struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    files[4].write_bytes(b"\x89PNG\r\n\x1a\n" + chunk)
    tifffile.imwrite(files[5], np.full((80, 80), np.nan, np.float32))
    return files


@pytest.mark.slow
def test_a_bad_photograph_gets_one_line_and_no_output(finished: Path, tmp_path: Path) -> None:
    folder = run_dir(finished)
    for bad in spoil(tmp_path, folder / record(folder)["examples"][0]["blurred"]):
        done = in_process("deblur", str(bad), "--run", str(folder), "--out", str(tmp_path / "out"), cwd=finished)
        assert done.returncode == 1, bad
        assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1, done.stderr
        assert bad.name in done.stderr
    assert not any((tmp_path / "out").glob("[!.]*"))


@pytest.mark.slow
def test_a_sweep_runs_a_job_a_value_each_in_its_own_directory_with_one_table(tmp_path: Path) -> None:
    words = ["-m", "+experiment=messidor_binary", "blur.taps=20,3", "logger=tensorboard", "budget.epochs=1"]
    more = [word for word in TINY if not word.startswith(("+experiment", "budget.risk_", "budget.epochs"))]
    done = in_process(*words, *more, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    sweep = next((tmp_path / "runs" / "messidor_binary").iterdir())
    assert [record(sweep / job)["blur"]["taps"] for job in ("0", "1")] == [20, 3]
    table = done.stdout[done.stdout.rindex("report.html") :]
    assert table.count("┏") == 1
    assert re.findall(r"│ (20|3) +│", table) == ["20", "3"]
    assert all(list((sweep / job).glob("tensorboard/events*")) for job in ("0", "1"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pipeline", "more"), [("grnn", ["budget.patterns=40"]), ("regression_refined", ["augment=varied"])]
)
def test_pipelines_that_measure_leave_what_they_learned_and_restore_a_photograph(
    pipeline: str, more: list[str], tmp_path: Path
) -> None:
    done = in_process(*TINY, "logger=csv", f"pipeline={pipeline}", *more, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = run_dir(tmp_path)
    kept = record(folder)
    assert 0 < kept["limit"]["type_accuracy"]["value"] <= 1
    assert any(name.startswith("limit_type_accuracy/") for name in kept["curves"])
    assert (folder / "stages" / "learn_scale" / "learned.safetensors").is_file()
    assert ("type_accuracy/network" in kept["metrics"]) == (pipeline == "regression_refined")
    example = sorted((folder / "examples").glob("*_blurred.png"))[0]
    again = in_process("deblur", str(example), "--run", str(folder), "--out", str(tmp_path / "out"), cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "out" / example.name).is_file()


@pytest.mark.slow
@pytest.mark.parametrize(
    "head",
    [["head=resnet", "head.widen=0.0625"], ["head=dbn", "head.layers=[20,6]"], ["head=lenet"], ["head=compact_tapers"]],
    ids=lambda words: words[0],
)
def test_the_main_job_runs_with_any_head_and_its_page_shows_the_interval(head: list[str], tmp_path: Path) -> None:
    words = ["budget.pretrain_epochs=1", "budget.epochs=1", "logger=csv", *head]
    done = in_process(*TINY, *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = run_dir(tmp_path)
    kept = record(folder)
    assert {"type_accuracy", "isnr_estimated", "isnr_gain_by_risk"} <= set(kept["metrics"])
    told = [example["estimated"] for example in kept["examples"] if not example["estimated"].startswith("none")]
    page = (folder / "report.html").read_text()
    assert all(re.search(r"px \(90 %: [\d.]+ to [\d.]+\)", words) and words in page for words in told)
    assert (folder / "csv" / "version_0" / "metrics.csv").is_file()
