"""Stage: train the network of a learned deconvolver."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from torch import nn

from blurlab.core.weights import save_weights
from blurlab.deconvolver import Learned, load_weights
from blurlab.learning import BEST, KernelError, Restoration, RestorationLoss, RunStamp, load_net, training_callbacks
from blurlab.run.errors import UsageError
from blurlab.run.setup.build import build
from blurlab.run.setup.context import Context
from blurlab.run.setup.parts import Parts
from blurlab.run.setup.processes import Relay
from blurlab.run.setup.recipe import check_recipe
from blurlab.run.setup.trainer import best_score, degraded_data, fit_or_resume, lower_rate, make_trainer, planned
from blurlab.run.setup.trial import pruning
from blurlab.run.stage.base import DECONVOLVER, MARK, Stage, check_photographs, once
from blurlab.run.stage.train import refuse_diverged

NAME = "train_deconvolver"
WEIGHTS = "weights.safetensors"


class TrainRestorer(Stage):
    """Train ``deconvolver.net`` on degraded photographs, kernels and noise known; the stages after it use the best.

    The best weights, of lowest validation loss, are written to ``weights.safetensors`` beside the checkpoints.

    Args:
        loss: What a restored image costs.
        kernel_error: How wrong the kernels are that the network is told in training; None for not at all.
    """

    identifies = False
    trains = DECONVOLVER

    def __init__(self, loss: RestorationLoss, kernel_error: KernelError | None = None) -> None:
        self.loss = loss
        self.kernel_error = kernel_error

    def check(self, cfg: DictConfig, parts: Parts, before: Sequence[Stage]) -> None:
        """Is there a network to train, are there photographs, and a recipe?"""
        super().check(cfg, parts, before)
        if not isinstance(parts.deconvolver, Learned):
            name = type(parts.deconvolver).__name__
            raise UsageError(f"{name} has nothing to train; choose deconvolver=unrolled_dr or wiener_stack")
        check_photographs(cfg)
        check_loss(self.loss)
        if not isinstance(self.kernel_error, KernelError | None):
            raise UsageError(f"stage.train.kernel_error must be a KernelError or null, got {self.kernel_error}")
        if self.kernel_error is not None and parts.degrade.family.varies:
            raise UsageError("stage.train.kernel_error is one of kernels, and the blur varies over the image; set null")
        check_recipe(cfg)

    def training(self, context: Context) -> str:
        """For how long."""
        return f"the deconvolver's network to train, {planned(context.budget)}"

    def __call__(self, context: Context) -> None:
        assert isinstance(context.deconvolver, Learned)  # as checked
        net = context.deconvolver.net
        finished = (context.dir / "stages" / NAME / MARK).is_file()
        result = once(context, NAME, lambda folder: self.fit(context, net, folder))
        refuse_diverged(context, NAME, result)
        if finished:
            load_weights(net, str(context.dir / "stages" / NAME / WEIGHTS))
        net.eval()
        context.deconvolver.trained = True
        context.record.setdefault("training", {})["deconvolver"] = result

    def fit(self, context: Context, net: nn.Module, folder: Path) -> dict[str, Any]:
        """Train, going on from ``last.ckpt`` where there is one.

        Returns:
            Best validation loss, number of weights and steps.
        """
        budget, recipe = context.budget, context.cfg.optimizer
        data = degraded_data(context, context.degrade, NAME)
        module = Restoration(
            net,
            self.loss,
            build(recipe.factory),
            schedule=str(recipe.schedule),
            total_steps=budget["epochs"] * len(data.train_dataloader()),
            kernel_error=self.kernel_error,
            show=context.logger.log_pictures,
            facts={"net": type(net).__name__, "channels": context.data.channels},
        )
        callbacks = training_callbacks(
            folder, run=context.begun.id, seed=context.seed, stage=NAME, ema_decay=float(recipe.ema_decay),
            progress=context.progress, remedy=lower_rate(recipe), patience=budget["patience"],
        )  # fmt: skip
        callbacks += [] if context.identifier.tasks else pruning()
        trainer = make_trainer(context, callbacks, epochs=budget["epochs"], clip=recipe.gradient_clip, folder=folder)
        if isinstance(trainer.logger, Relay):
            module.show = None  # a logger's connections do not outlive a new process
        fit_or_resume(context, trainer, module, data, folder)
        score = best_score(trainer, NAME)
        facts = {"steps": str(trainer.global_step), "data": str(context.data.facts["name"]), "seed": str(context.seed)}
        best = load_net(net, folder / BEST, RunStamp(context.begun.id, NAME))
        save_weights(best, folder / WEIGHTS, facts, torch.float16)
        net.half().float()  # rounded as in the file
        return {
            "val_loss": score,
            "steps": trainer.global_step,
            "weights": sum(weight.numel() for weight in net.parameters()),
        }


def check_loss(loss: RestorationLoss) -> None:
    """Raise unless a loss gives a number an image.

    Raises:
        UsageError: With what it gives.
    """
    images = torch.zeros(2, 1, 16, 16)
    try:
        shape = tuple(loss(images, images).shape)
    except Exception as error:  # whatever it is, it cannot take images
        raise UsageError(f"stage.train.loss cannot take two batches of images: {error}") from error
    if shape != (2,):
        raise UsageError(f"stage.train.loss must give a number an image, got {shape} for 2 images")
