"""Base of the accumulating metrics whose result is a mean over images."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat


class MeanPerImage(Metric):
    """Keeps a value per image; ``compute()`` is their mean, ``per_image()`` the values themselves.

    A subclass calls its pure function in ``update`` and hands the (B,) result to ``keep``. One infinite value (a
    perfect restoration) makes the mean infinite: take ``per_image()`` and report such images apart.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False
    values: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        self.add_state("values", default=[], dist_reduce_fx="cat")

    def keep(self, values: Tensor) -> None:
        """Add the values (B,) of a batch."""
        self.values.append(values.detach())

    def compute(self) -> Tensor:
        """Mean over every image seen, a scalar; NaN if none was."""
        return dim_zero_cat(self.values).mean() if len(self.values) else torch.tensor(torch.nan)

    def per_image(self) -> Tensor:
        """Every value (N,), in the order of the updates; of all processes where there are several."""
        with self.sync_context():
            return dim_zero_cat(self.values) if len(self.values) else torch.empty(0)
