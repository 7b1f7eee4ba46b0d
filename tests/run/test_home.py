"""A home directory that cannot be written to: found before any work, or not needed at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from blurlab.run.command.compose import check
from blurlab.run.errors import UsageError
from blurlab.run.setup.logger.wandb import wandb_folders


def test_a_cache_that_cannot_be_written_is_found_first_and_names_its_own_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").touch()
    for name in ("BLURLAB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with pytest.raises(UsageError, match=r"home.* set paths\.cache_dir=<folder>, or BLURLAB_CACHE"):
        check([f"paths.runs_dir={tmp_path / 'runs'}"])
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_wandb_writes_below_the_run_directory_of_each_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_DATA_DIR", raising=False)
    monkeypatch.setenv("WANDB_CACHE_DIR", "/the/users/own")
    for job in ("0", "1"):
        with wandb_folders(tmp_path / job):
            assert os.environ["WANDB_DATA_DIR"] == str(tmp_path / job / "wandb" / "data")
            assert os.environ["WANDB_CACHE_DIR"] == "/the/users/own"
    assert "WANDB_DATA_DIR" not in os.environ


@pytest.mark.slow
def test_a_whole_run_with_wandb_needs_no_home(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    words = [
        "+experiment=messidor_binary", "budget=smoke", "budget.photos=8", "dataset.fallback.size=96",
        "budget.epochs=1", "budget.steps_per_epoch=2",
        "budget.batch_size=4", "budget.draws_test=2", "dataset.size=64", "blur.taps=3", "deconvolver.iterations=3",
        "run.progress=false", "run.keep=true", "logger=wandb", f"hydra.run.dir={tmp_path / 'run'}",
    ]  # fmt: skip
    env = {**os.environ, "HOME": str(tmp_path / "home"), "BLURLAB_CACHE": str(tmp_path / "cache")}
    env["WANDB_MODE"] = "offline"
    for name in ("XDG_CACHE_HOME", "WANDB_DATA_DIR", "WANDB_CACHE_DIR", "WANDB_DIR"):
        env.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-m", "blurlab", *words], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr.lower() and " INFO " not in done.stderr
    assert list((tmp_path / "run" / "wandb").glob("offline-run-*/run-*.wandb"))
    assert {path.name for path in tmp_path.iterdir()} == {"home", "cache", "run", "experiments"}
