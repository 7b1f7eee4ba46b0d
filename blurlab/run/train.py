"""Stage: a network for each question of the pipeline."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from blurlab.core.rng import seed_from
from blurlab.dataset import DegradedData
from blurlab.learning import BEST, LAST, Interrupts, Supervised, load_net, training_callbacks
from blurlab.pipeline import Question
from blurlab.run.build import build
from blurlab.run.context import Context
from blurlab.run.stage import Stage, once

QUIET = (
    ".*does not have many workers.*",  # photographs are in memory: a worker would only cost
    ".*Checkpoint directory .* exists and is not empty.*",  # a resumed stage writes where it wrote
    ".*lr_scheduler.step\\(\\).*",  # Lightning steps the schedule after the first optimizer step
    ".*number of training batches.*smaller than the logging interval.*",
    ".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*",  # Lightning 2.6 with torch 2.13
)


class Train(Stage):
    """Train type, then strength of each kind (or whatever the pipeline asks), best checkpoint kept by name."""

    def __call__(self, context: Context) -> None:
        for question in context.identifier.questions:
            result = once(context, f"train_{question.name}", lambda folder, q=question: fit(context, q, folder))
            context.record.setdefault("training", {})[question.name] = result


def fit(context: Context, question: Question, folder: Path) -> dict[str, Any]:
    """Train one question's network, going on from ``last.ckpt`` where there is one.

    Args:
        context: The run.
        question: What is asked.
        folder: Where the checkpoints go.

    Returns:
        Best validation loss and accuracy, number of weights and steps.
    """
    budget, recipe = context.budget, context.cfg.optimizer
    torch.manual_seed(seed_from(context.seed, question.name, "weights"))
    net = context.head(question.answer)
    module = Supervised(
        net,
        question.answer,
        build(recipe.factory),
        schedule=str(recipe.schedule),
        total_steps=budget["epochs"] * budget["steps_per_epoch"],
        facts={"question": question.name, "head": str(context.cfg.head._target_), "channels": context.data.channels},
    )
    data = DegradedData(
        context.data.train,
        context.data.val,
        context.degrade_for(question),
        size=context.data.size,
        stage=question.name,
        seed=context.seed,
        batch_size=budget["batch_size"],
        steps_per_epoch=budget["steps_per_epoch"],
        draws_val=budget["draws_val"],
        workers=budget["workers"],
        scale=context.data.scale,
    )
    callbacks = training_callbacks(
        folder, seed=context.seed, stage=question.name, ema_decay=float(recipe.ema_decay), progress=context.progress
    )
    interrupts = Interrupts()
    trainer = make_trainer(context, [*callbacks, interrupts])
    last = folder / LAST
    with warnings.catch_warnings(), threads_beside(budget["workers"]), interrupts.listening():
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
    best = trainer.checkpoint_callbacks[0]
    return {
        "val_loss": float(best.best_model_score),  # type: ignore[attr-defined]
        "steps": trainer.global_step,
        "weights": sum(weight.numel() for weight in net.parameters()),
    }


@contextmanager
def threads_beside(workers: int) -> Iterator[None]:
    """Leave a core to each worker: threads that wait for a core that a worker holds cost more than they give."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, before - workers))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def make_trainer(context: Context, callbacks: list[pl.Callback]) -> pl.Trainer:
    """The configured Trainer with the run's logger and callbacks; no global chatter."""
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    return build(context.cfg.trainer)(
        max_epochs=context.budget["epochs"],
        logger=context.logger,
        callbacks=callbacks,
        default_root_dir=str(context.dir),
        enable_model_summary=False,
        enable_progress_bar=context.progress,
        gradient_clip_val=context.cfg.optimizer.gradient_clip,
        num_sanity_val_steps=0,
        log_every_n_steps=10,
    )


def trained_nets(context: Context) -> dict[str, torch.nn.Module]:
    """The best network of each question, from its checkpoint by name, on the run's device."""
    folder = context.dir / "stages"
    return {
        question.name: load_net(context.head(question.answer), folder / f"train_{question.name}" / BEST).to(
            context.device
        )
        for question in context.identifier.questions
    }
