"""How long a training will still take, from its own first steps."""

from __future__ import annotations

import time

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from rich.console import Console

WARM_STEPS = 2
"""Steps that are not timed: the first ones allocate memory and start the workers."""
TIMED_STEPS = 5


class RemainingTime(Callback):
    """Prints once, after a few steps, how long the steps that are left will take, without the validation.

    Args:
        console: Where it is printed.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.seen = 0
        self.start = 0.0

    def on_train_batch_end(self, trainer: pl.Trainer, *_: object) -> None:
        """Count a step; when enough are timed, print the estimate."""
        self.seen += 1
        if self.seen == WARM_STEPS:
            self.start = time.perf_counter()
        if self.seen == WARM_STEPS + TIMED_STEPS:
            left = int(trainer.estimated_stepping_batches) - trainer.global_step
            seconds = left * (time.perf_counter() - self.start) / TIMED_STEPS
            self.console.print(f"about {in_words(seconds)} for the {left} steps that are left", markup=False)


def in_words(seconds: float) -> str:
    """A time in seconds or minutes.

    Example:
        >>> in_words(12.3), in_words(600)
        ('12 s', '10 minutes')
    """
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} minutes"
