"""Callbacks of every training: best and last checkpoint by name, averaged weights, a progress bar, seeded steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, EarlyStopping, ModelCheckpoint, RichProgressBar, WeightAveraging
from torch import Tensor

from blurlab.core.rng import seed_from

BEST = "best.ckpt"
LAST = "last.ckpt"


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
        torch.manual_seed(seed_from(self.seed, self.stage, trainer.current_epoch, batch_idx))


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
    folder: Path, *, seed: int, stage: str, ema_decay: float, progress: bool, patience: int = 0
) -> list[Callback]:
    """The callbacks of one training stage.

    Args:
        folder: Where best.ckpt (lowest validation loss) and last.ckpt (end of the last whole epoch) go.
        seed: The run's seed.
        stage: The stage's name.
        ema_decay: Decay of the exponential moving average of the weights; 0 for none.
        progress: Show a progress bar.
        patience: Epochs without a lower validation loss after which the training ends; 0 for all of its epochs.

    Returns:
        Callbacks for a Trainer.
    """
    best = ModelCheckpoint(
        dirpath=folder, filename="best", monitor="val_loss", mode="min", save_top_k=1, enable_version_counter=False
    )
    callbacks: list[Callback] = [StepSeed(seed, stage), best, last_checkpoint(folder)]
    if patience:
        callbacks.append(EarlyStopping(monitor="val_loss", mode="min", patience=patience))
    if ema_decay:
        callbacks.insert(0, WeightAveraging(avg_fn=warm_average(ema_decay), use_buffers=True))
    return [*callbacks, RichProgressBar(leave=True)] if progress else callbacks


def last_checkpoint(folder: Path) -> ModelCheckpoint:
    """Keeps last.ckpt in ``folder``: the end of the last whole epoch."""
    return ModelCheckpoint(
        dirpath=folder, filename="last", monitor=None, save_top_k=1, enable_version_counter=False, every_n_epochs=1
    )
