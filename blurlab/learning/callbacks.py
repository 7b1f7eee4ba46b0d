"""Callbacks of every training: checkpoints by name, averaged weights, a progress bar, seeded steps, a finite loss."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, EarlyStopping, RichProgressBar, WeightAveraging
from torch import Tensor

from blurlab.core.rng import seed_from
from blurlab.learning.checkpoint import BEST, LAST, FolderCheckpoint, RunStamp


class StepSeed(Callback):
    """Seed torch before each step, so dropout after a resume draws what it would have drawn without the break.

    Dropout knows no generator; this is the one place that touches the global seed. A seed an epoch is not enough: how
    many numbers the data loader takes from the global generator differs between a fresh and a resumed epoch.
    """

    def __init__(self, seed: int, stage: str) -> None:
        self.seed = seed
        self.stage = stage

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: object, batch_idx: int
    ) -> None:
        """Seed from the run's seed, the stage, the epoch and the step in it."""
        process = (trainer.global_rank,) if trainer.global_rank else ()
        torch.manual_seed(seed_from(self.seed, self.stage, trainer.current_epoch, batch_idx, *process))


class Interrupts(Callback):
    """Ctrl-C that takes effect between two batches.

    Raised where it falls, KeyboardInterrupt can fall into a finaliser, where Python drops it and the training goes on,
    or into a half-written file. So the first Ctrl-C is noted and raised at the end of the batch; a second one is raised
    at once.
    """

    def __init__(self) -> None:
        self.asked = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take Ctrl-C until the block ends; outside the main thread, which alone gets signals, do nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self._ask)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _ask(self, signum: int, frame: object) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    def on_train_batch_end(self, *_: object) -> None:
        """Stop here if it was asked for."""
        if self.asked:
            raise KeyboardInterrupt

    def on_validation_batch_end(self, *_: object) -> None:
        """Stop here if it was asked for."""
        if self.asked:
            raise KeyboardInterrupt


class Diverged(ValueError):
    """A training whose loss is no number any more; the message says which, where, and what to do."""


class FiniteLoss(Callback):
    """Ends a training at the first loss, of training or of validation, that is infinite or NaN.

    Args:
        stage: The stage's name.
        remedy: What to do about it, the end of the message.
    """

    def __init__(self, stage: str, remedy: str) -> None:
        self.stage = stage
        self.remedy = remedy

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: object, batch_idx: int
    ) -> None:
        """Check the loss of the step.

        Raises:
            Diverged: If it is not finite.
        """
        self._check(trainer, outputs["loss"] if isinstance(outputs, Mapping) else outputs, f"step {batch_idx + 1}")

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Check the validation loss, before any checkpoint is written.

        Raises:
            Diverged: If it is not finite.
        """
        self._check(trainer, trainer.callback_metrics.get("val_loss"), "the validation")

    def _check(self, trainer: pl.Trainer, loss: Tensor | None, where: str) -> None:
        if loss is None or math.isfinite(value := float(loss)):
            return
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        raise Diverged(
            f"training {self.stage} diverged: the loss is {value} at {where} of epoch {trainer.current_epoch + 1}, "
            f"learning rate {rate:g}; {self.remedy}"
        )


def warm_average(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """Exponential moving average whose decay grows: min(decay, (1 + n) / (10 + n)) after n updates.

    With a constant decay the random weights of the start would weigh on a short training to its end.

    Example:
        >>> warm_average(0.998)(torch.tensor(0.0), torch.tensor(1.0), 0)
        tensor(0.9000)
    """

    def average(averaged: Tensor, current: Tensor, updates: Tensor | int) -> Tensor:
        n = torch.as_tensor(updates, device=averaged.device)
        keep = ((1 + n) / (10 + n)).clamp_max(decay)
        return averaged + (1 - keep) * (current - averaged)

    return average


def training_callbacks(
    folder: Path, *, run: str, seed: int, stage: str, ema_decay: float, progress: bool, remedy: str, patience: int = 0
) -> list[Callback]:
    """The callbacks of one training stage that validates.

    Args:
        folder: Where best.ckpt (lowest validation loss) and last.ckpt (end of the last whole epoch) go.
        run: The run's id, written into the checkpoints.
        seed: The run's seed.
        stage: The stage's name.
        ema_decay: Decay of the exponential moving average of the weights; 0 for none.
        progress: Show a progress bar.
        remedy: What to do where the loss is infinite or NaN.
        patience: Epochs without a lower validation loss after which the training ends; 0 for all of its epochs.

    Returns:
        Callbacks for a Trainer.
    """
    best = FolderCheckpoint(
        dirpath=folder, filename=Path(BEST).stem, monitor="val_loss", mode="min", save_top_k=1,
        enable_version_counter=False,
    )  # fmt: skip
    average = [WeightAveraging(avg_fn=warm_average(ema_decay), use_buffers=True)] if ema_decay else []
    shared = shared_callbacks(folder, run=run, stage=stage, progress=progress, remedy=remedy)
    early = [EarlyStopping(monitor="val_loss", mode="min", patience=patience)] if patience else []
    return [*average, StepSeed(seed, stage), best, *early, *shared]


def shared_callbacks(folder: Path, *, run: str, stage: str, progress: bool, remedy: str) -> list[Callback]:
    """What a training needs that does not validate, too: last.ckpt, whose it is, a finite loss, a progress bar.

    Args:
        folder: Where last.ckpt (end of the last whole epoch) goes.
        run: The run's id, written into the checkpoints.
        stage: The stage's name.
        progress: Show a progress bar.
        remedy: What to do where the loss is infinite or NaN.
    """
    last = FolderCheckpoint(
        dirpath=folder, filename=Path(LAST).stem, monitor=None, save_top_k=1, enable_version_counter=False,
        every_n_epochs=1,
    )  # fmt: skip
    bar = [RichProgressBar(leave=True)] if progress else []
    return [last, RunStamp(run, stage), FiniteLoss(stage, remedy), *bar]
