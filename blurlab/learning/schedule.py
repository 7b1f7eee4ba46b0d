"""The learning rate over a training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

OptimizerFactory = Callable[[Iterable[Tensor]], torch.optim.Optimizer]


def one_cosine(progress: float) -> float:
    """Warm-up over the first 5 % of the training, then a cosine to zero; ``progress`` in [0, 1].

    Example:
        >>> round(one_cosine(0.05), 3), round(one_cosine(1.0), 3)
        (1.0, 0.0)
    """
    warm = 0.05
    if progress < warm:
        return max(progress / warm, 0.01)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - warm) / (1 - warm))))


SCHEDULES: dict[str, Callable[[float], float]] = {"constant": lambda progress: 1.0, "one_cosine": one_cosine}


def check_schedule(schedule: str) -> None:
    """Raise unless there is a schedule of this name.

    Raises:
        ValueError: With the names that there are.
    """
    if schedule not in SCHEDULES:
        raise ValueError(f"unknown schedule '{schedule}', expected one of {', '.join(SCHEDULES)}")


def scheduled(optimizer: torch.optim.Optimizer, schedule: str, total_steps: int) -> dict[str, Any]:
    """What ``configure_optimizers`` hands to Lightning: the optimizer with its schedule, stepped every batch."""
    factor = SCHEDULES[schedule]
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: factor(step / max(1, total_steps)))
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}
