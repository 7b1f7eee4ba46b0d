"""A training that a search ends early, since other settings do better."""

from __future__ import annotations

from collections.abc import Callable

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback


class Pruned(Exception):
    """A training was ended early; the message says after which epoch."""


class Pruning(Callback):
    """Tells a search each epoch's validation loss, and ends the training where it says so.

    Args:
        told: Called with the epoch's number, from 0, and the validation loss; says whether to end.
    """

    def __init__(self, told: Callable[[int, float], bool]) -> None:
        self.told = told

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Tell the validation loss.

        Raises:
            Pruned: If the training is to end.
        """
        loss = trainer.callback_metrics.get("val_loss")
        if loss is not None and self.told(trainer.current_epoch, float(loss)):
            raise Pruned(f"ended early after epoch {trainer.current_epoch + 1}: other settings do better")
