"""Stage: a network for each question of the pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from blurlab.learning import BEST, Supervised, load_net, training_callbacks
from blurlab.pipeline import Question
from blurlab.run.build import build
from blurlab.run.context import Context
from blurlab.run.pretrain import load_weights, pretrain
from blurlab.run.stage import Stage, once
from blurlab.run.trainer import degraded_data, fresh_head, go_on, make_trainer, steps_per_epoch


class Train(Stage):
    """Train type, then strength of each kind (or whatever the pipeline asks), best checkpoint kept by name.

    Args:
        first_only: Train the network of the first question alone, which is what ``stage=classify`` tests.
    """

    def __init__(self, first_only: bool = False) -> None:
        self.first_only = first_only

    def __call__(self, context: Context) -> None:
        questions = context.identifier.questions
        for question in questions[:1] if self.first_only else questions:
            start = pretrain(context, question)
            result = once(
                context,
                f"train_{question.name}",
                lambda folder, q=question, start=start: fit(context, q, folder, start),
            )
            context.record.setdefault("training", {})[question.name] = result


def fit(context: Context, question: Question, folder: Path, start: Path | None = None) -> dict[str, Any]:
    """Train one question's network, going on from ``last.ckpt`` where there is one.

    Args:
        context: The run.
        question: What is asked.
        folder: Where the checkpoints go.
        start: Weights to start from, of :func:`~blurlab.run.pretrain.pretrain`; fresh ones if None.

    Returns:
        Best validation loss, steps and epochs made, number of weights.
    """
    budget, recipe = context.budget, context.cfg.optimizer
    net = fresh_head(context, question)
    if start is not None:
        load_weights(net, start)
    data = degraded_data(context, context.degrade_for(question), question.name, question.answer)
    module = Supervised(
        net,
        question.answer,
        build(recipe.factory),
        schedule=str(recipe.schedule),
        total_steps=budget["epochs"] * steps_per_epoch(data),
        facts={"question": question.name, "head": str(context.cfg.head._target_), "channels": context.data.channels},
    )
    callbacks = training_callbacks(
        folder,
        seed=context.seed,
        stage=question.name,
        ema_decay=float(recipe.ema_decay),
        progress=context.progress,
        patience=budget["patience"],
    )
    trainer = make_trainer(context, callbacks, epochs=budget["epochs"], clip=recipe.gradient_clip)
    go_on(context, trainer, module, data, folder)
    best = trainer.checkpoint_callbacks[0]
    return {
        "val_loss": float(best.best_model_score),  # type: ignore[attr-defined]
        "steps": trainer.global_step,
        "epochs": trainer.current_epoch,
        "weights": sum(weight.numel() for weight in net.parameters()),
    }


def trained_nets(context: Context) -> dict[str, torch.nn.Module]:
    """The best network of each question, from its checkpoint by name, on the run's device."""
    folder = context.dir / "stages"
    return {
        question.name: load_net(context.head(question.answer), folder / f"train_{question.name}" / BEST).to(
            context.device
        )
        for question in context.identifier.questions
    }
