"""A disk that is full: one line that names the file and the remedy, nothing half written, and the run goes on later."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_run import TRAINED, WORDS

# From one epoch on no file may grow beyond a size, as if the disk were full: the write fails with EFBIG.
FULL = """
import resource, sys
from blurlab.learning import callbacks
seed = callbacks.StepSeed.on_train_batch_start
def fill(self, trainer, module, batch, batch_idx):
    seed(self, trainer, module, batch, batch_idx)
    if trainer.current_epoch == {epoch}:
        resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, resource.RLIM_INFINITY))
callbacks.StepSeed.on_train_batch_start = fill
from blurlab.cli import main
main(sys.argv[1:])
"""


def blurlab(*words: str, cwd: Path, code: str | None = None) -> subprocess.CompletedProcess[str]:
    start = ["-c", code] if code else ["-m", "blurlab"]
    env = {**os.environ, "BLURLAB_CACHE": str(cwd / "cache"), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *start, *words], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize(("epoch", "size"), [(2, 6_000), (2, 0), (0, 0)])
def test_a_full_disk_gets_one_line_and_the_run_goes_on_when_there_is_space(
    epoch: int, size: int, tmp_path: Path
) -> None:
    done = blurlab(*WORDS, "hydra.run.dir=run", cwd=tmp_path, code=FULL.format(epoch=epoch, size=size))
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "File too large; make space, then go on with: python -m blurlab run.resume=" in done.stderr
    assert not list((tmp_path / "run").rglob("*.tmp"))
    for path in (tmp_path / "run").rglob("*.ckpt"):
        assert torch.load(path, weights_only=True)["state_dict"]
    assert all(path.stat().st_size for path in (tmp_path / "run").rglob("error.txt"))
    again = ["run.resume=run"] if epoch else [*WORDS, "hydra.run.dir=run"]  # of a run that got nowhere nothing is left
    resumed = blurlab(*again, cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    whole = blurlab(*WORDS, "hydra.run.dir=whole", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    found = [json.loads((tmp_path / name / TRAINED / "finished.json").read_text()) for name in ("run", "whole")]
    assert found[0]["val_loss"] == found[1]["val_loss"]
    assert not (tmp_path / "run" / "error.txt").exists()
