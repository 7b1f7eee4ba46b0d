"""What every training of a run shares: its data, its Trainer, and going on where it was stopped."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytorch_lightning as pl
import torch
from torch import nn

from blurlab.core.rng import seed_from
from blurlab.dataset import BalancedItems, Degrade, DegradedData, FixedItems
from blurlab.head import KindLabels, Labels, Target
from blurlab.learning import LAST, Interrupts
from blurlab.pipeline import Task
from blurlab.run.setup.build import build
from blurlab.run.setup.context import Context

QUIET = (
    ".*does not have many workers.*",  # photographs are in memory: a worker would only cost
    ".*Checkpoint directory .* exists and is not empty.*",  # a resumed stage writes where it wrote
    ".*lr_scheduler.step\\(\\).*",  # Lightning steps the schedule after the first optimizer step
    ".*have no `validation_step`.*",  # pre-training looks at no validation photographs
    ".*in eval mode at the start of training.*",  # the layers below the one that is pre-trained
    ".*number of training batches.*smaller than the logging interval.*",
    ".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*",  # Lightning 2.6 with torch 2.13
)


def fresh_head(context: Context, task: Task) -> nn.Module:
    """A task's head with the weights that its training begins with, the same each time it is asked for."""
    torch.manual_seed(seed_from(context.seed, task.name, "weights"))
    return context.head(task.target)


def degraded_data(context: Context, degrade: Degrade, stage: str, target: Target | None = None) -> DegradedData:
    """Degraded batches of the run's photographs.

    Args:
        context: The run.
        degrade: Among which blurs.
        stage: Name that the data's randomness is made from.
        target: What a network is to say; its classes are balanced where training items are fixed, the kinds if None.
    """
    budget = context.budget
    return DegradedData(
        context.data.train,
        context.data.val,
        degrade,
        size=context.data.size,
        stage=stage,
        seed=context.seed,
        batch_size=budget["batch_size"],
        steps_per_epoch=budget["steps_per_epoch"],
        draws_val=budget["draws_val"],
        workers=budget["workers"],
        scale=context.data.scale,
        condition=context.condition,
        fixed=fixed_items(context, degrade, stage, target) if budget["draws_train"] else None,
    )


def fixed_items(context: Context, degrade: Degrade, stage: str, target: Target | None) -> FixedItems:
    """Each training photograph ``budget.draws_train`` times in each class, degraded the same way in every epoch."""
    labels = target if isinstance(target, Labels) else KindLabels(degrade.family.kinds)
    return BalancedItems(
        context.data.train,
        context.budget["draws_train"],
        degrade.family,
        lambda kind, strength_px: labels.probabilities(kind, strength_px).argmax(1),
        len(labels),
        seed=context.seed,
        split=f"train/{stage}",
        size=context.data.size,
    )


def steps_per_epoch(data: DegradedData) -> int:
    """Batches of one epoch."""
    return len(data.train_dataloader())


def make_trainer(context: Context, callbacks: list[pl.Callback], *, epochs: int, clip: float | None) -> pl.Trainer:
    """The configured Trainer with the run's logger, that heeds Ctrl-C between two batches; no global chatter.

    Args:
        context: The run.
        callbacks: Beside :class:`~blurlab.learning.Interrupts`, which is added.
        epochs: Length of the training.
        clip: Largest norm of the gradient; None for any.
    """
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    return build(context.cfg.trainer)(
        max_epochs=epochs,
        logger=context.logger,
        callbacks=[*callbacks, Interrupts()],
        default_root_dir=str(context.dir),
        enable_model_summary=False,
        enable_progress_bar=context.progress,
        gradient_clip_val=clip,
        num_sanity_val_steps=0,
        log_every_n_steps=10,
    )


def fit_or_resume(
    context: Context, trainer: pl.Trainer, module: pl.LightningModule, data: DegradedData, folder: Path
) -> None:
    """Train with a Trainer of :func:`make_trainer`, from ``folder/last.ckpt`` where there is one.

    Raises:
        KeyboardInterrupt: If it was asked for.
    """
    workers, last = context.budget["workers"], folder / LAST
    (interrupts,) = (one for one in trainer.callbacks if isinstance(one, Interrupts))  # type: ignore[attr-defined]
    with warnings.catch_warnings(), threads_beside(workers), interrupts.listening():
        for message in QUIET:
            warnings.filterwarnings("ignore", message=message)
        try:
            trainer.fit(module, data, ckpt_path=str(last) if last.is_file() else None, weights_only=True)
        except SystemExit as stop:  # what Lightning makes of Ctrl-C
            raise KeyboardInterrupt from stop
        except RuntimeError as error:  # a worker that Ctrl-C ended first
            if interrupts.asked:
                raise KeyboardInterrupt from error
            raise


@contextmanager
def threads_beside(workers: int) -> Iterator[None]:
    """Leave a core to each worker: threads that wait for a core that a worker holds cost more than they give."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, before - workers))
    try:
        yield
    finally:
        torch.set_num_threads(before)
