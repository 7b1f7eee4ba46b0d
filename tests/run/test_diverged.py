"""A training that diverges is an error that names itself, not a result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console
from tiny_run import TRAINED, go

from blurlab.learning import Diverged, contrastive
from blurlab.run.command.compose import check
from blurlab.run.command.job import run
from blurlab.run.errors import UsageError

SMALL = [
    "blur=taps", "blur.taps=9", "pipeline=direct", "budget=smoke", "budget.epochs=2", "budget.steps_per_epoch=6",
    "budget.batch_size=4", "budget.draws_val=1", "dataset=bundled", "dataset.size=48", "logger=csv",
    "run.progress=false", "trainer=cpu",
]  # fmt: skip


def start(folder: Path, *words: str) -> None:
    (cfg,) = check([*SMALL, f"paths.runs_dir={folder}", *words])
    run(cfg, folder / "run", Console(quiet=True))


def lenet(folder: Path, *words: str) -> None:
    start(folder, "head=lenet", "head.input_size=32", "optimizer.factory.lr=10", *words)


@pytest.mark.slow
def test_a_diverged_training_stops_at_once_and_says_stage_rate_and_remedy(tmp_path: Path) -> None:
    line = r"training taps diverged: the loss is (nan|inf) at .* of epoch 1, learning rate 10; start a new run with a "
    with pytest.raises(Diverged, match=f"{line}smaller optimizer.factory.lr than 10") as caught:
        lenet(tmp_path)
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "run" / TRAINED).glob("*"))


@pytest.mark.slow
def test_a_training_whose_validation_alone_is_not_finite_stops(tmp_path: Path) -> None:
    """The step is huge, and there is no second one whose loss would tell."""
    with pytest.raises(Diverged, match="training taps diverged: the loss is nan at the validation of epoch 1"):
        lenet(tmp_path, "budget.steps_per_epoch=1", "optimizer.factory.lr=1e38")
    assert not (tmp_path / "run" / TRAINED / "best.ckpt").exists()


@pytest.mark.slow
def test_a_pre_training_that_diverges_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contrastive, "RATE_GAUSSIAN", 1e30)
    cepstrum = "head.feature._target_=blurlab.head.Cepstrum"
    with pytest.raises(Diverged, match=r"training pretrain_taps_1 diverged: .*budget.pretrain_epochs=0"):
        start(tmp_path, "head=dbn", "head.layers=[20,6]", "budget.pretrain_epochs=2", cepstrum)
    assert not (tmp_path / "run" / "stages" / "pretrain_taps_1" / "weights.safetensors").exists()


@pytest.mark.slow
def test_a_diverged_training_of_an_earlier_version_is_no_result(tmp_path: Path) -> None:
    go(tmp_path / "run")
    mark = tmp_path / "run" / TRAINED / "finished.json"
    mark.write_text(json.dumps({**json.loads(mark.read_text()), "val_loss": None}))
    with pytest.raises(UsageError, match="train_taps holds a training that diverged; start a new run with a smaller"):
        go(tmp_path / "run")
