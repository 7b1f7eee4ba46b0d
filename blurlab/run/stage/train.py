"""Stage: a network for each task of the pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from blurlab.learning import BEST, RunStamp, Supervised, load_net, training_callbacks
from blurlab.pipeline import Task
from blurlab.run.errors import UsageError
from blurlab.run.setup.build import build
from blurlab.run.setup.context import Context
from blurlab.run.setup.trainer import (
    best_score,
    degraded_data,
    fit_or_resume,
    fresh_head,
    lower_rate,
    make_trainer,
    steps_per_epoch,
)
from blurlab.run.stage.base import Stage, once
from blurlab.run.stage.pretrain import load_weights, pretrain


class Train(Stage):
    """Train type, then strength of each kind (or whatever the pipeline asks), best checkpoint kept by name.

    Args:
        first_only: Train the network of the first task alone, which is what ``stage=classify`` tests.
    """

    def __init__(self, first_only: bool = False) -> None:
        self.first_only = first_only

    def __call__(self, context: Context) -> None:
        tasks = context.identifier.tasks
        for task in tasks[:1] if self.first_only else tasks:
            start = pretrain(context, task)
            result = once(
                context,
                f"train_{task.name}",
                lambda folder, q=task, start=start: fit(context, q, folder, start),
            )
            refuse_diverged(context, f"train_{task.name}", result)
            context.record.setdefault("training", {})[task.name] = result


def fit(context: Context, task: Task, folder: Path, start: Path | None = None) -> dict[str, Any]:
    """Train one task's network, going on from ``last.ckpt`` where there is one.

    Args:
        context: The run.
        task: What is asked.
        folder: Where the checkpoints go.
        start: Weights to start from, of :func:`~blurlab.run.stage.pretrain.pretrain`; fresh ones if None.

    Returns:
        Best validation loss, steps and epochs made, number of weights.
    """
    budget, recipe = context.budget, context.cfg.optimizer
    net = fresh_head(context, task)
    if start is not None:
        load_weights(net, start)
    data = degraded_data(context, context.degrade_for(task), task.name, task.target)
    module = Supervised(
        net,
        task.target,
        build(recipe.factory),
        schedule=str(recipe.schedule),
        total_steps=budget["epochs"] * steps_per_epoch(data),
        facts={"task": task.name, "head": str(context.cfg.head._target_), "channels": context.data.channels},
    )
    callbacks = training_callbacks(
        folder, run=context.begun.id, seed=context.seed, stage=task.name, ema_decay=float(recipe.ema_decay),
        progress=context.progress, remedy=lower_rate(recipe), patience=budget["patience"],
    )  # fmt: skip
    trainer = make_trainer(context, callbacks, epochs=budget["epochs"], clip=recipe.gradient_clip)
    fit_or_resume(context, trainer, module, data, folder)
    return {
        "val_loss": best_score(trainer, task.name),
        "steps": trainer.global_step,
        "epochs": trainer.current_epoch,
        "weights": sum(weight.numel() for weight in net.parameters()),
    }


def refuse_diverged(context: Context, name: str, result: dict[str, Any]) -> None:
    """Raise where a training that an earlier version finished has no finite validation loss.

    Raises:
        UsageError: Naming the stage's folder.
    """
    if result["val_loss"] is None:
        folder = context.dir / "stages" / name
        raise UsageError(f"{folder} holds a training that diverged; {lower_rate(context.cfg.optimizer)}")


def best_net(context: Context, task: Task) -> nn.Module:
    """The best network of a task, from its checkpoint by name, on the run's device.

    Raises:
        FileNotFoundError: If the run did not get so far.
        ValueError: If the checkpoint is damaged, or of another run or stage.
    """
    path = context.dir / "stages" / f"train_{task.name}" / BEST
    return load_net(context.head(task.target), path, RunStamp(context.begun.id, task.name)).to(context.device)


def trained_nets(context: Context) -> dict[str, nn.Module]:
    """The best network of each task, on the run's device."""
    return {task.name: best_net(context, task) for task in context.identifier.tasks}
