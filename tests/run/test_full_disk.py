"""A disk that is full: one line that names the file and the remedy, nothing half written, and the run goes on later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from cli_run import in_own_process, in_process
from tiny_run import WORDS, finished, go, same_training

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


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the same training finds where there is space."""
    return same_training(go(tmp_path_factory.mktemp("whole") / "run"))


@pytest.mark.slow
@pytest.mark.parametrize(("epoch", "size"), [(2, 6_000), (2, 0), (0, 0)])
def test_a_full_disk_gets_one_line_and_the_run_goes_on_when_there_is_space(
    epoch: int, size: int, whole: Any, tmp_path: Path
) -> None:
    done = in_own_process(*WORDS, "hydra.run.dir=run", cwd=tmp_path, code=FULL.format(epoch=epoch, size=size))
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    remedy = "then go on with: python -m blurlab run.resume=" if epoch else "then run it again"
    assert f"File too large; make space, {remedy}" in done.stderr
    assert not list((tmp_path / "run").rglob("*.tmp"))
    for path in (tmp_path / "run").rglob("*.ckpt"):
        assert torch.load(path, weights_only=True)["state_dict"]
    assert all(path.stat().st_size for path in (tmp_path / "run").rglob("error.txt"))
    again = ["run.resume=run"] if epoch else [*WORDS, "hydra.run.dir=run"]  # of a run that got nowhere nothing is left
    resumed = in_process(*again, cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert finished(tmp_path / "run") == whole
    assert not (tmp_path / "run" / "error.txt").exists()
