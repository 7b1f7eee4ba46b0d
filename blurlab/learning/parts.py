"""A step of training whose batch several processes share, and how many steps there will be."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
from torch import Tensor


def part_of_whole(module: pl.LightningModule, weight: Tensor) -> Tensor | float:
    """What a process's mean loss counts, so that the mean over the processes is that over the whole batch.

    Args:
        module: What is trained.
        weight: Sum of the weights of the process's own items.

    Returns:
        The factor; 1 where one process trains.
    """
    trainer = module._trainer
    if trainer is None or trainer.world_size == 1:
        return 1.0
    weight = weight.detach().float()
    whole: Any = trainer.strategy.reduce(weight.clone(), reduce_op="sum")  # it may work in place
    return weight * trainer.world_size / whole


def steps_in_all(module: Any) -> int:
    """Steps of a training, for its schedule: as planned, or fewer where the Trainer's arguments shorten it."""
    trainer = module._trainer
    return int(module.total_steps if trainer is None else min(module.total_steps, trainer.estimated_stepping_batches))
