"""A run of seconds that several tests start, stop, move and damage: one network, the best of five epochs the fourth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from blurlab.learning import Supervised
from blurlab.run.command.compose import check
from blurlab.run.command.job import run

WORDS = [
    "blur=taps", "blur.taps=9", "pipeline=direct", "budget=smoke", "budget.epochs=5", "budget.steps_per_epoch=2",
    "budget.batch_size=4", "budget.draws_val=1", "dataset=bundled", "dataset.size=48", "head.width=2", "head.hidden=8",
    "head.window=16", "head.hop=8", "optimizer.ema_decay=0", "optimizer.schedule=constant", "optimizer.factory.lr=0.03",
    "~stage.fit_parts", "~stage.calibrate", "~stage.evaluate", "~stage.report", "logger=csv", "run.progress=false",
    "trainer=cpu",
]  # fmt: skip
TRAINED = Path("stages", "train_taps")
BEST_EPOCH, EPOCHS = 3, 5


class Killed(Exception):
    """In place of a kill."""


def config(folder: Path, *words: str) -> Any:
    """The configuration of the run with further words; runs lie in ``folder``."""
    (cfg,) = check([*WORDS, f"paths.runs_dir={folder}", *words])
    return cfg


def go(run_dir: Path, *words: str, console: Console | None = None) -> dict[str, float]:
    """Do the run, or what is left of it, in ``run_dir``; what its training found."""
    run(config(run_dir.parent, *words), run_dir, console or Console(quiet=True))
    return finished(run_dir)


def finished(run_dir: Path) -> dict[str, float]:
    """What a finished training found, and each weight of its best network."""
    state = torch.load(run_dir / TRAINED / "best.ckpt", weights_only=True)["state_dict"]
    weights = {f"{name}[{at}]": one for name, value in state.items() for at, one in enumerate(value.flatten().tolist())}
    return {"val_loss": json.loads((run_dir / TRAINED / "finished.json").read_text())["val_loss"], **weights}


def same_training(found: dict[str, float]) -> Any:
    """Equal to what a training of the same settings finds; no machine promises the last bits of sums."""
    return pytest.approx(found, rel=1e-5, abs=1e-6)


def stop(run_dir: Path, monkeypatch: pytest.MonkeyPatch, *words: str, epoch: int = EPOCHS - 1) -> None:
    """Do the run until the first step of an epoch, and leave it as a kill there would."""
    step = Supervised.training_step

    def die(self: Supervised, batch: Any, batch_idx: int) -> torch.Tensor:
        if self.current_epoch == epoch:
            raise Killed
        return step(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(Supervised, "training_step", die)
        with pytest.raises(Killed):
            go(run_dir, *words)
