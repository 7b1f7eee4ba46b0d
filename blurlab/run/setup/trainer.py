"""What every training of a run shares: its data, its Trainer, and going on where it was stopped."""

from __future__ import annotations

import logging
import math
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from omegaconf import DictConfig
from pytorch_lightning.callbacks import EarlyStopping
from rich.console import Console
from torch import nn
from torch.multiprocessing.spawn import ProcessException

from blurlab.core.rng import seed_from
from blurlab.dataset import BalancedItems, Degrade, DegradedData, FixedItems
from blurlab.head import KindLabels, Labels, Target
from blurlab.learning import (
    BEST,
    LAST,
    FolderCheckpoint,
    Interrupts,
    OtherRun,
    SharedNorm,
    WholeCheckpointIO,
    check_stamp,
    read_checkpoint,
)
from blurlab.pipeline import Task
from blurlab.run.errors import UsageError
from blurlab.run.setup.build import build, plain
from blurlab.run.setup.context import Context
from blurlab.run.setup.processes import Relay, count, said_by_process, strategy, take_over
from blurlab.run.setup.remaining import RemainingTime

SRUN = ".*`srun` command is available.*"  # submitit starts a job of Slurm's by it, and no other process needs it
QUIET = (
    ".*does not have many workers.*",  # photographs are in memory: a worker would only cost
    ".*Checkpoint directory .* exists and is not empty.*",  # a resumed stage writes where it wrote
    ".*lr_scheduler.step\\(\\).*",  # Lightning steps the schedule after the first optimizer step
    ".*have no `validation_step`.*",  # pre-training looks at no validation photographs
    ".*in eval mode at the start of training.*",  # the layers below the one that is pre-trained
    ".*number of training batches.*smaller than the logging interval.*",
    SRUN,
    ".*recommended to use `self.log\\(.*sync_dist=True.*",  # what each process finds is brought together already
    ".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*",  # Lightning 2.6 with torch 2.13
)


def fresh_head(context: Context, task: Task) -> nn.Module:
    """A task's head with the weights that its training begins with, the same each time it is asked for."""
    torch.manual_seed(seed_from(context.seed, task.name, "weights"))
    head = context.head(task.target)
    task.target.begin(head)
    return head


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
        least_edges=float(context.cfg.dataset.get("least_edges", 0)),
        condition=context.condition,
        fixed=fixed_items(context, degrade, stage, target) if budget["draws_train"] else None,
        echo=budget["echo"],
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


def planned(budget: dict[str, Any]) -> str:
    """How long a training of a budget will be, in words."""
    most = "at most " if budget["patience"] else ""
    if budget["draws_train"]:
        return f"{most}{budget['epochs']} times every training item, {budget['batch_size']} a step"
    return f"{most}{budget['epochs']} x {budget['steps_per_epoch']} steps of {budget['batch_size']} images"


def make_trainer(
    context: Context,
    callbacks: list[pl.Callback],
    *,
    epochs: int,
    clip: float | None,
    folder: Path,
    alone: bool = False,
) -> pl.Trainer:
    """The configured Trainer with the run's logger, that heeds Ctrl-C between two batches; no global chatter.

    Args:
        context: The run.
        callbacks: Beside :class:`~blurlab.learning.Interrupts`, which is added.
        epochs: Length of the training.
        clip: Largest norm of the gradient; None for any.
        folder: The stage's.
        alone: Train in this process, however many are configured.
    """
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    node = plain(context.cfg.trainer)
    factory = build({**node, **({"devices": 1} if alone else {})})
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=SRUN)
        processes = 1 if alone else count(factory)
        name = "auto" if alone else str(node.get("strategy", "auto"))
        plan = strategy(name, processes, context.device.type == "cpu")
        several = plan != "auto"
        return factory(
            **{"log_every_n_steps": 10, "enable_model_summary": False, **shortened(node, epochs, context.budget)},
            logger=Relay(folder) if several else context.logger,
            callbacks=[*callbacks, Interrupts(), *([] if several else [RemainingTime(context.console)])],
            plugins=[WholeCheckpointIO(), *([SharedNorm()] if several else [])],
            default_root_dir=str(context.dir),
            enable_progress_bar=context.progress,
            gradient_clip_val=clip,
            num_sanity_val_steps=0,
            strategy=plan,
            use_distributed_sampler=False,
        )


def shortened(node: dict[str, Any], epochs: int, budget: dict[str, Any]) -> dict[str, Any]:
    """Arguments that end a training early, such that it still validates and keeps a network.

    Args:
        node: The configured arguments of Lightning's Trainer.
        epochs: Of the training.
        budget: The run's.

    Example:
        >>> shortened({"fast_dev_run": True}, 5, {})
        {'max_epochs': 1, 'fast_dev_run': False, 'limit_train_batches': 1, 'limit_val_batches': 1}
        >>> shortened({"max_steps": 3}, 5, {"steps_per_epoch": 12, "draws_train": 0})
        {'max_epochs': 5, 'limit_train_batches': 3}
    """
    run, steps = int(node.get("fast_dev_run") or 0), int(node.get("max_steps") or -1)
    if run:
        return {"max_epochs": 1, "fast_dev_run": False, "limit_train_batches": run, "limit_val_batches": run}
    if 0 < steps < budget.get("steps_per_epoch", 0) and not budget["draws_train"]:
        return {"max_epochs": epochs, "limit_train_batches": steps * int(node.get("accumulate_grad_batches") or 1)}
    return {"max_epochs": epochs}


def fit_or_resume(
    context: Context, trainer: pl.Trainer, module: pl.LightningModule, data: DegradedData, folder: Path
) -> None:
    """Train with a Trainer of :func:`make_trainer`, from where :func:`resume_point` says.

    Raises:
        KeyboardInterrupt: If it was asked for.
        UsageError: If a checkpoint in ``folder`` is of another run or stage.
    """
    workers = context.budget["workers"]
    start = resume_point(folder, trainer.callbacks, context.console)  # type: ignore[attr-defined]
    if start is not None and (epochs := ended_at(start, trainer.callbacks)):  # type: ignore[attr-defined]
        trainer.fit_loop.max_epochs = epochs
    (interrupts,) = (one for one in trainer.callbacks if isinstance(one, Interrupts))  # type: ignore[attr-defined]
    with warnings.catch_warnings(), threads_beside(workers), interrupts.listening():
        for message in QUIET:
            warnings.filterwarnings("ignore", message=message)
        try:
            trainer.fit(module, data, ckpt_path=None if start is None else str(start), weights_only=True)
        except SystemExit as stop:  # what Lightning makes of Ctrl-C
            raise KeyboardInterrupt from stop
        except (RuntimeError, ProcessException) as error:  # a process that Ctrl-C ended first
            if interrupts.asked:
                raise KeyboardInterrupt from error
            if isinstance(error, ProcessException):
                raise said_by_process(error) from error
            raise
    if isinstance(trainer.logger, Relay):
        trainer.logger.hand_on(context.logger)
        take_over(trainer, folder)


def resume_point(folder: Path, callbacks: Sequence[pl.Callback], console: Console) -> Path | None:
    """The checkpoint that a training goes on from: ``last.ckpt``, or ``best.ckpt`` if that alone is whole and fits.

    Either holds the whole state of a training, and trainings are repeatable, so the end is the same from either of them
    and from the start. Where the best is kept, ``last.ckpt`` names the score of ``best.ckpt``: without that file, or
    with one of another score, the network of that score would be lost.

    Args:
        folder: The stage's.
        callbacks: The training's; its :class:`~blurlab.learning.RunStamp` says of which run and stage they must be.
        console: Where it is said that a checkpoint is passed over.

    Returns:
        The file; None for the start.

    Raises:
        UsageError: If a checkpoint is of another run or stage.
    """
    found = {name: _whole(folder / name, callbacks, console) for name in (LAST, BEST)}
    last, best = found[LAST], found[BEST]
    keeper = next((one for one in callbacks if isinstance(one, FolderCheckpoint) and one.monitor), None)
    if keeper is None:
        return None if last is None else folder / LAST
    states = [{} if one is None else one["callbacks"].get(keeper.state_key, {}) for one in (last, best)]
    if last is not None and best is not None and states[0].get("best_model_score") == states[1].get("best_model_score"):
        return folder / LAST
    if last is not None:
        rest = "the stage begins again" if best is None else f"going on from {BEST}"
        console.print(f"{folder / LAST} does not fit {BEST}, which is missing or of another time: {rest}", markup=False)
    return None if best is None else folder / BEST


def ended_at(checkpoint: Path, callbacks: Sequence[pl.Callback]) -> int | None:
    """After how many epochs the training of a checkpoint had ended at the plateau; None where it had not."""
    held = read_checkpoint(checkpoint)
    for one in callbacks:
        if isinstance(one, EarlyStopping):
            state = held["callbacks"].get(one.state_key, {})
            if state.get("wait_count", 0) >= one.patience:
                return int(held["epoch"]) + 1
    return None


def _whole(path: Path, callbacks: Sequence[pl.Callback], console: Console) -> dict[str, Any] | None:
    """A checkpoint of this run and stage; None where there is none, or none that can be read."""
    try:
        found = read_checkpoint(path)
        check_stamp(found, callbacks)
    except FileNotFoundError:
        return None
    except OtherRun as error:
        raise UsageError(f"{path} is {error}, not of this one; put back its own, or remove the folder") from error
    except ValueError:
        console.print(f"{path} is empty, cut off or no checkpoint: passed over", markup=False, highlight=False)
        return None
    return found


def best_score(trainer: pl.Trainer, stage: str) -> float:
    """The lowest validation loss of a training.

    Raises:
        UsageError: If there was none, or it is not finite: then the training has no result.
    """
    (keeper,) = (one for one in trainer.callbacks if isinstance(one, FolderCheckpoint) and one.monitor)  # type: ignore[attr-defined]
    score = keeper.best_model_score
    if score is None or not math.isfinite(float(score)):
        words = "none" if score is None else float(score)
        raise UsageError(f"training {stage} has no result: its best validation loss is {words}")
    return float(score)


def lower_rate(recipe: DictConfig) -> str:
    """What to do where a training with a configured optimizer diverges."""
    return f"start a new run with a smaller optimizer.factory.lr than {recipe.factory.get('lr')}"


@contextmanager
def threads_beside(workers: int) -> Iterator[None]:
    """Leave a core to each worker: threads that wait for a core that a worker holds cost more than they give."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, before - workers))
    try:
        yield
    finally:
        torch.set_num_threads(before)
