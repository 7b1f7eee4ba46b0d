"""Degraded photographs of a run, one by one or in batches, on the run's device."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from blurlab.dataset import AugmentedItems, Degraded, FixedItems, degrade_batch


class DegradedItems(Sequence[Degraded]):
    """Items of one split, degraded when they are asked for; ``item`` of each is its index here.

    Args:
        items: Sharp items.
        degrade: Called as a :class:`~blurlab.dataset.Degrade` is.
        device: Where the images are degraded, and stay.
        training: Draw what happens to a batch from one generator, on the device, as training does. Else what happens
            to an item depends on its own seed alone, whatever the batch.
    """

    def __init__(
        self,
        items: FixedItems | AugmentedItems,
        degrade: Callable[..., Degraded],
        device: torch.device,
        *,
        training: bool = False,
    ) -> None:
        self.items = items
        self.degrade = degrade
        self.device = device
        self.training = training

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Degraded:  # type: ignore[override]  # no slices
        """A batch of one."""
        return self.batch([index])

    def batch(self, indices: Sequence[int]) -> Degraded:
        """These items as one batch."""
        images, seeds, places = zip(*(self.items[index] for index in indices), strict=True)
        batch = [torch.stack(images).to(self.device), torch.tensor(seeds), torch.tensor(places)]
        return degrade_batch(self.degrade, batch, training=self.training)

    def batches(self, size: int, count: int | None = None) -> Iterator[Degraded]:
        """The first ``count`` items, or all, in batches of ``size``; the last may be smaller."""
        count = len(self) if count is None else count
        for start in range(0, count, size):
            yield self.batch(range(start, min(start + size, count)))

    def sharp(self, indices: Sequence[int] | Tensor) -> Tensor:
        """The sharp images (n, C, H, W) of these items in [0, 1], with the margins that a blur takes away."""
        images = [self.items[int(index)][0] for index in indices]
        return torch.stack(images).to(self.device, torch.float32).div_(255)
