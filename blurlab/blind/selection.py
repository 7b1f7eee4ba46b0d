"""Gradients from which a kernel is estimated: strong edges, of all directions alike."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import pad

DIRECTIONS = 4
LOWER = 0.81
"""Factor on a threshold that no gradient reaches, until one does."""


def gradients(image: Tensor) -> Tensor:
    """Differences to the next pixel along columns and rows, 0 at the last ones.

    Args:
        image: (H, W).

    Returns:
        (2, H, W).

    Example:
        >>> gradients(torch.tensor([[1.0, 3.0], [2.0, 7.0]])).tolist()
        [[[2.0, 0.0], [5.0, 0.0]], [[1.0, 4.0], [0.0, 0.0]]]
    """
    return torch.stack([pad(image.diff(dim=1), (0, 1)), pad(image.diff(dim=0), (0, 0, 0, 1))])


def direction_threshold(field: Tensor, count: int) -> float:
    """The squared length that at least ``count`` gradients of each of four ranges of directions reach [ChoLee2009].

    A kernel can only be told along directions that edges cross, so the rarest direction decides.

    Args:
        field: Gradients (2, H, W).
        count: Gradients wanted of each direction; all of a direction with fewer.

    Returns:
        The threshold; 0 where there is no gradient.

    Example:
        >>> direction_threshold(torch.tensor([[[3.0, 2.0, 1.0]], [[0.1, 0.1, 0.1]]]), 2)
        4.01...
    """
    power = field.square().sum(0)
    direction = (torch.atan2(field[1], field[0]) % math.pi / (math.pi / DIRECTIONS)).long().clamp_max(DIRECTIONS - 1)
    groups = (power[(direction == one) & (power > 0)] for one in range(DIRECTIONS))
    lowest = [float(group.topk(min(count, len(group))).values[-1]) for group in groups if len(group)]
    return min(lowest, default=0.0)


def select(field: Tensor, threshold: float) -> tuple[Tensor, float]:
    """The gradients (2, H, W) whose squared length reaches the threshold, the others 0; and the threshold used.

    It is lowered where no gradient reaches it.

    Example:
        >>> chosen, used = select(torch.tensor([[[3.0, 2.0, 1.0]], [[0.0, 0.0, 0.0]]]), 4.0)
        >>> chosen[0].tolist(), used
        ([[3.0, 2.0, 0.0]], 4.0)
    """
    power = field.square().sum(0)
    highest = float(power.max())
    while threshold > highest > 0:
        threshold *= LOWER
    return field * (power >= threshold), threshold
