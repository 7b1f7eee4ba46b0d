"""Before a network is trained as a whole: its layers one after another, where it has layers to pre-train."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from blurlab.core.image_io import write_image
from blurlab.core.weights import save_weights
from blurlab.head import Pretrainable
from blurlab.learning import ContrastiveDivergence, filter_picture, shared_callbacks
from blurlab.pipeline import Task
from blurlab.run.errors import UsageError
from blurlab.run.setup.context import Context
from blurlab.run.setup.trainer import degraded_data, fit_or_resume, fresh_head, make_trainer
from blurlab.run.stage.base import once

WEIGHTS = "weights.safetensors"
FILTERS = "filters.png"


def pretrain(context: Context, task: Task) -> Path | None:
    """Pre-train every layer of a task's head, each a stage ``pretrain_<task>_<layer>`` of its own.

    Args:
        context: The run.
        task: For which the head is made.

    Returns:
        The file of the weights that training starts from; None where the head has nothing to pre-train, or
        ``budget.pretrain_epochs`` is 0: the control.
    """
    with torch.device("meta"):  # only to be looked at
        net = context.head(task.target)
    if not isinstance(net, Pretrainable) or context.budget["pretrain_epochs"] == 0:
        return None
    below: Path | None = None
    for layer in range(len(net.rbms)):
        name = f"pretrain_{task.name}_{layer + 1}"
        result = once(context, name, lambda folder, n=layer, below=below: fit_layer(context, task, n, folder, below))
        context.record.setdefault("pretraining", {})[f"{task.name}_{layer + 1}"] = result
        below = context.dir / "stages" / name / WEIGHTS
    return below


def fit_layer(context: Context, task: Task, layer: int, folder: Path, below: Path | None) -> dict[str, Any]:
    """Pre-train one layer, going on from ``last.ckpt`` where there is one.

    Args:
        context: The run.
        task: Among whose blurs the layer is trained; its classes do not matter.
        layer: Which layer, 0 the lowest.
        folder: Where the weights go, and with the lowest layer a picture of its filters.
        below: Weights with the layers below trained; None for the lowest.

    Returns:
        Mean squared reconstruction error of each epoch, number of steps.
    """
    stage, epochs = folder.name, context.budget["pretrain_epochs"]
    net = fresh_head(context, task)
    assert isinstance(net, Pretrainable)
    if below is not None:
        load_pretrained(net, below)
    module = ContrastiveDivergence(net, layer, epochs=epochs, seed=context.seed, stage=stage)
    remedy = "its rates are fixed, so train without it (budget.pretrain_epochs=0) or with another head"
    callbacks = shared_callbacks(folder, run=context.begun.id, stage=stage, progress=context.progress, remedy=remedy)
    trainer = make_trainer(context, callbacks, epochs=epochs, clip=None, folder=folder, alone=True)
    fit_or_resume(context, trainer, module, degraded_data(context, context.degrade_for(task), stage), folder)
    if layer == 0:
        picture = filter_picture(net.filters())
        write_image(folder / FILTERS, picture)
        context.logger.log_pictures({f"filters/{task.name}": picture})
    save_weights(net, folder / WEIGHTS)
    return {"reconstruction_error": module.errors.tolist(), "steps": trainer.global_step}


def load_pretrained(net: nn.Module, path: Path) -> None:
    """Put the weights that :func:`fit_layer` wrote into a network of the same shape.

    Raises:
        UsageError: If the file is missing, damaged or another network's.
    """
    from safetensors.torch import load_file

    try:
        net.load_state_dict(load_file(path))
    except Exception as error:  # safetensors and torch have each errors of their own
        raise UsageError(
            f"{path} cannot be read as this network's weights; remove its folder and pre-train again"
        ) from error
