"""Items that a training leaves out because their error is far above the mean."""

from __future__ import annotations

import torch
from torch import Tensor


class Outliers:
    """Leaves out items whose loss is above ``factor`` times the running mean loss [Schuler2016].

    Args:
        factor: On the mean.
        decay: Of the running mean, a step.

    Raises:
        ValueError: If the factor is 1 or less, or the decay not between 0 and 1.

    Example:
        >>> outliers = Outliers(factor=10)
        >>> outliers.keep(torch.tensor([1.0, 3.0])), outliers.keep(torch.tensor([19.0, 21.0]))
        (tensor([True, True]), tensor([ True, False]))
    """

    def __init__(self, factor: float = 10.0, decay: float = 0.99) -> None:
        if factor <= 1 or not 0 < decay < 1:
            raise ValueError(f"factor must be above 1 and decay between 0 and 1, got {factor:g} and {decay:g}")
        self.factor, self.decay = factor, decay
        self.mean: float | None = None

    def keep(self, loss: Tensor) -> Tensor:
        """Which items count (n,), from their losses (n,), none of them negative; the mean is then brought up to date.

        The items left out do not enter the mean, and the first batch is kept whole.
        """
        loss = loss.detach()
        keep = torch.ones_like(loss, dtype=torch.bool) if self.mean is None else loss <= self.factor * self.mean
        if bool(keep.any()):
            now = float(loss[keep].mean())
            self.mean = now if self.mean is None else self.decay * self.mean + (1 - self.decay) * now
        return keep
