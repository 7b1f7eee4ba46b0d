"""Stage: a network for each task of the pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from torch import nn

from blurlab.learning import BEST, Supervised, load_net, training_callbacks
from blurlab.pipeline import Task
from blurlab.run.setup.build import build
from blurlab.run.setup.context import Context
from blurlab.run.setup.parts import Parts
from blurlab.run.setup.recipe import check_recipe
from blurlab.run.setup.trainer import degraded_data, fit_or_resume, fresh_head, make_trainer
from blurlab.run.stage.base import NETWORKS, Stage, check_photographs, once
from blurlab.run.stage.pretrain import load_weights, pretrain


class Train(Stage):
    """Train type, then strength of each kind (or whatever the pipeline asks), best checkpoint kept by name."""

    trains = NETWORKS

    def check(self, cfg: DictConfig, parts: Parts, before: Sequence[Stage]) -> None:
        """Besides: can each network be made, and trained with this recipe?"""
        super().check(cfg, parts, before)
        if not parts.identifier.tasks:
            return
        check_photographs(cfg)
        channels = 3 if cfg.dataset.channel == "rgb" else 1
        for classes in {len(task.target) for task in parts.identifier.tasks}:
            with torch.device("meta"):  # weights without memory
                build(cfg.head, num_classes=classes, in_channels=channels)
        check_recipe(cfg)

    def training(self, context: Context) -> str:
        """How many networks, and for how long."""
        count, budget = len(context.identifier.tasks), context.budget
        steps = f"{budget['epochs']} x {budget['steps_per_epoch']} steps of {budget['batch_size']} images"
        return f"{count} network{'s' * (count > 1)} to train, {steps}{' each' * (count > 1)}" if count else ""

    def __call__(self, context: Context) -> None:
        for task in context.identifier.tasks:
            start = pretrain(context, task)
            result = once(
                context,
                f"train_{task.name}",
                lambda folder, q=task, start=start: fit(context, q, folder, start),
            )
            context.record.setdefault("training", {})[task.name] = result


def fit(context: Context, task: Task, folder: Path, start: Path | None = None) -> dict[str, Any]:
    """Train one task's network, going on from ``last.ckpt`` where there is one.

    Args:
        context: The run.
        task: What is asked.
        folder: Where the checkpoints go.
        start: Weights to start from, of :func:`~blurlab.run.stage.pretrain.pretrain`; fresh ones if None.

    Returns:
        Best validation loss and accuracy, number of weights and steps.
    """
    budget, recipe = context.budget, context.cfg.optimizer
    net = fresh_head(context, task)
    if start is not None:
        load_weights(net, start)
    module = Supervised(
        net,
        task.target,
        build(recipe.factory),
        schedule=str(recipe.schedule),
        total_steps=budget["epochs"] * budget["steps_per_epoch"],
        facts={"task": task.name, "head": str(context.cfg.head._target_), "channels": context.data.channels},
    )
    callbacks = training_callbacks(
        folder, seed=context.seed, stage=task.name, ema_decay=float(recipe.ema_decay), progress=context.progress
    )
    trainer = make_trainer(context, callbacks, epochs=budget["epochs"], clip=recipe.gradient_clip)
    fit_or_resume(context, trainer, module, degraded_data(context, context.degrade_for(task), task.name), folder)
    best = trainer.checkpoint_callbacks[0]
    context.nets[task.name] = load_net(net, folder / BEST).to(context.device)
    return {
        "val_loss": float(best.best_model_score),  # type: ignore[attr-defined]
        "steps": trainer.global_step,
        "weights": sum(weight.numel() for weight in net.parameters()),
    }


def trained_nets(context: Context) -> dict[str, nn.Module]:
    """The best network of each task on the run's device; read from its checkpoint unless this process trained it.

    Raises:
        FileNotFoundError: If one is not trained.
    """
    for task in context.identifier.tasks:
        if task.name not in context.nets:
            checkpoint = context.dir / "stages" / f"train_{task.name}" / BEST
            context.nets[task.name] = load_net(context.head(task.target), checkpoint).to(context.device)
    return {task.name: context.nets[task.name] for task in context.identifier.tasks}
