"""Stage: a network for each task of the pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from torch import nn

from blurlab.head import LearningToDeblur
from blurlab.learning import (
    BEST,
    Growing,
    Outliers,
    RunStamp,
    Supervised,
    load_net,
    start_from,
    training_callbacks,
)
from blurlab.pipeline import Task
from blurlab.pipeline.shipped import load_nets
from blurlab.run.errors import UsageError
from blurlab.run.setup.build import build
from blurlab.run.setup.context import Context
from blurlab.run.setup.parts import Parts
from blurlab.run.setup.processes import count
from blurlab.run.setup.recipe import check_recipe
from blurlab.run.setup.trainer import (
    best_score,
    degraded_data,
    fit_or_resume,
    fresh_head,
    lower_rate,
    make_trainer,
    planned,
)
from blurlab.run.setup.trial import pruning
from blurlab.run.stage.base import FIRST_NETWORK, NETWORKS, Stage, check_photographs, once
from blurlab.run.stage.pretrain import load_pretrained, pretrain


class Train(Stage):
    """Trains a network for each task of the pipeline, and keeps the best checkpoint of each.

    Args:
        first_only: Train the network of the first task alone, which is what ``stage=classify`` tests.
        growing: When stages are added to head=learning_to_deblur; None trains all of them from the start.
        outliers: Which items of a step are left out; None for none.
        start: Networks to start from, a file of the package's ``pipeline/weights`` by its name or another's path
            (:func:`~blurlab.pipeline.shipped.load_nets`); for head=learning_to_deblur a checkpoint or a
            ``.safetensors`` file of a network of the same or of smaller kernels. Fresh weights if None.
    """

    def __init__(
        self,
        first_only: bool = False,
        growing: Growing | None = None,
        outliers: Outliers | None = None,
        start: str | None = None,
    ) -> None:
        self.first_only = first_only
        self.growing, self.outliers = growing, outliers
        self.start = start
        self.trains = FIRST_NETWORK if first_only else NETWORKS

    def check(self, cfg: DictConfig, parts: Parts, before: Sequence[Stage]) -> None:
        """Besides: can each network be made, take the images, and be trained with this recipe?"""
        super().check(cfg, parts, before)
        if not parts.identifier.tasks:
            return
        check_photographs(cfg)
        channels = 3 if cfg.dataset.channel == "rgb" else 1
        for classes in {len(task.target) for task in parts.identifier.tasks}:
            with torch.device("meta"):  # weights without memory
                net = build(cfg.head, num_classes=classes, in_channels=channels)
            check_size(net, channels, cfg.dataset.size)
            self._check_growth(cfg, net)
            self._check_start(net)
        check_recipe(cfg)
        if self.outliers is not None and count(build(cfg.trainer)) > 1:
            raise UsageError(
                "stage.train.outliers holds losses against a mean of all items; use trainer.devices=1 with it"
            )

    def _check_growth(self, cfg: DictConfig, net: nn.Module) -> None:
        """Has the network stages, where some are to be added?"""
        if self.growing is None:
            return
        if not isinstance(net, LearningToDeblur):
            raise UsageError(
                f"stage.train.growing is for head=learning_to_deblur, not {type(net).__name__}; set it to null"
            )
        if len(self.growing.shares) != net.stages - 1:
            raise UsageError(
                f"stage.train.growing.shares must be {net.stages - 1} for a head of {net.stages} stages, "
                f"got {list(self.growing.shares)}"
            )
        if cfg.optimizer.ema_decay:
            raise UsageError("stages are added in training, and an average has all of them; set optimizer.ema_decay=0")

    def _check_start(self, net: nn.Module) -> None:
        """Is there a file to start from? What it holds is seen when it is read."""
        if isinstance(net, LearningToDeblur) and self.start is not None and not Path(self.start).is_file():
            raise UsageError(f"stage.train.start={self.start} is no file; name a checkpoint, or null for none")

    def training(self, context: Context) -> str:
        """How many networks, and for how long."""
        count = len(self._tasks(context))
        words = f"{count} network{'s' * (count > 1)} to train, {planned(context.budget)}{' each' * (count > 1)}"
        return words if count else ""

    def __call__(self, context: Context) -> None:
        for task in self._tasks(context):
            start = pretrain(context, task) if self.start is None else self.start
            result = once(
                context,
                f"train_{task.name}",
                lambda folder, q=task, start=start: self._fit(context, q, folder, start),
            )
            refuse_diverged(context, f"train_{task.name}", result)
            context.record.setdefault("training", {})[task.name] = result

    def _fit(self, context: Context, task: Task, folder: Path, start: Path | str | None) -> dict[str, Any]:
        return fit(context, task, folder, start, growing=self.growing, outliers=self.outliers)

    def _tasks(self, context: Context) -> tuple[Task, ...]:
        tasks = context.identifier.tasks
        return tasks[:1] if self.first_only else tasks


def fit(
    context: Context,
    task: Task,
    folder: Path,
    start: Path | str | None = None,
    *,
    growing: Growing | None = None,
    outliers: Outliers | None = None,
) -> dict[str, Any]:
    """Train one task's network, going on from ``last.ckpt`` where there is one.

    Args:
        context: The run.
        task: For which a network is trained.
        folder: Where the checkpoints go.
        start: Weights to start from: the file of :func:`~blurlab.run.stage.pretrain.pretrain`, or ``start`` of
            :class:`Train`; fresh ones if None.
        growing: As in :class:`Train`.
        outliers: As in :class:`Train`.

    Returns:
        Best validation loss, steps and epochs made, number of weights.
    """
    budget, recipe = context.budget, context.cfg.optimizer
    net = fresh_head(context, task)
    if isinstance(start, str):
        load_start(net, start, task.name)
    elif start is not None:
        load_pretrained(net, start)
    data = degraded_data(context, context.degrade_for(task).without_truth(), task.name, task.target)
    module = Supervised(
        net,
        task.target,
        build(recipe.factory),
        schedule=str(recipe.schedule),
        total_steps=budget["epochs"] * len(data.train_dataloader()),
        facts={"task": task.name, "head": str(context.cfg.head._target_), "channels": context.data.channels},
        outliers=outliers,
    )
    callbacks = training_callbacks(
        folder, run=context.begun.id, seed=context.seed, stage=task.name, ema_decay=float(recipe.ema_decay),
        progress=context.progress, remedy=lower_rate(recipe), patience=budget["patience"],
    )  # fmt: skip
    callbacks += [] if growing is None else [growing]
    callbacks += pruning() if task == context.identifier.tasks[0] else []
    trainer = make_trainer(context, callbacks, epochs=budget["epochs"], clip=recipe.gradient_clip, folder=folder)
    fit_or_resume(context, trainer, module, data, folder)
    stamp = RunStamp(context.begun.id, task.name)
    context.nets[task.name] = load_net(net, folder / BEST, stamp).to(context.device)
    return {
        "val_loss": best_score(trainer, task.name),
        "steps": trainer.global_step,
        "epochs": trainer.current_epoch,
        "weights": sum(weight.numel() for weight in net.parameters()),
    }


def load_start(net: nn.Module, start: str, name: str) -> None:
    """Give a head the weights that ``start`` of :class:`Train` names, those of the task of this name.

    Raises:
        UsageError: If there is no such file, or it holds no network of this name and shape.
    """
    try:
        if isinstance(net, LearningToDeblur):
            start_from(net, Path(start))
        else:
            net.load_state_dict(load_nets(start)[name])
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        said = " ".join(str(error).split())[:200]
        raise UsageError(
            f"stage.train.start={start} is no start for {name}; name weights of this head ({said})"
        ) from error


def refuse_diverged(context: Context, name: str, result: dict[str, Any]) -> None:
    """Raise where a training that an earlier version finished has no finite validation loss.

    Raises:
        UsageError: Naming the stage's folder.
    """
    if result["val_loss"] is None:
        folder = context.dir / "stages" / name
        raise UsageError(f"{folder} holds a training that diverged; {lower_rate(context.cfg.optimizer)}")


def best_net(context: Context, task: Task) -> nn.Module:
    """The best network of a task on the run's device; read from its checkpoint unless this process trained it.

    Raises:
        FileNotFoundError: If the run did not get so far.
        ValueError: If the checkpoint is damaged, or of another run or stage.
    """
    if task.name not in context.nets:
        path = context.dir / "stages" / f"train_{task.name}" / BEST
        net = load_net(context.head(task.target), path, RunStamp(context.begun.id, task.name))
        context.nets[task.name] = net.to(context.device)
    return context.nets[task.name]


def trained_nets(context: Context) -> dict[str, nn.Module]:
    """The best network of each task, on the run's device."""
    return {task.name: best_net(context, task) for task in context.identifier.tasks}


def check_size(net: nn.Module, channels: int, size: int) -> None:
    """Raise unless a network, whose weights need no memory, takes images of this size.

    Raises:
        UsageError: With what the network asks for.
    """
    images = torch.zeros(1, channels, size, size, device="meta")
    with torch.no_grad(), suppress(RuntimeError):  # a Fourier transform wants values; sizes are looked at before it
        try:
            net.eval()(images)
        except ValueError as error:
            raise UsageError(f"dataset.size={size} does not suit the head: {error}") from error
