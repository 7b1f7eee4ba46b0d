"""Which items an epoch has, and in which order: a matter of seed, stage and epoch, not of how the epoch was reached.

Lightning calls ``set_epoch`` of each, also after a resume.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch.utils.data import Sampler

from blurlab.core.rng import generator


class EpochSampler(Sampler[int]):
    """``length`` consecutive indices an epoch: epoch e gives e * length ... (e + 1) * length - 1.

    Lightning calls :meth:`set_epoch`, also after a resume, so an epoch's items do not depend on how it was reached.
    """

    def __init__(self, length: int) -> None:
        self.length = length
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose indices come next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.epoch * self.length, (self.epoch + 1) * self.length))


class EchoSampler(EpochSampler):
    """:class:`EpochSampler` in which each batch comes ``echo`` times in its epoch: data echoing [Choi2019].

    A pass over the epoch's batches follows another, each in an order of its own that the seed names.

    Args:
        length: Items of an epoch, those that come again counted.
        batch: Items of a batch.
        echo: How often a batch comes; ``length`` is a multiple of ``batch * echo``.
        seed: Names the orders.

    Example:
        >>> sampler = EchoSampler(8, batch=2, echo=2, seed=0)
        >>> sorted(sampler), len(set(sampler))
        ([0, 0, 1, 1, 2, 2, 3, 3], 4)
    """

    def __init__(self, length: int, *, batch: int, echo: int, seed: int) -> None:
        super().__init__(length)
        if length % (batch * echo):
            raise ValueError(f"{length // batch} batches an epoch are no multiple of echo={echo}; change one of them")
        self.batch, self.echo, self.seed = batch, echo, seed

    def __iter__(self) -> Iterator[int]:
        count = self.length // (self.batch * self.echo)
        for turn in range(self.echo):
            order = torch.randperm(count, generator=generator(self.seed, "echo", self.epoch, turn))
            for place in order.tolist():
                first = (self.epoch * count + place) * self.batch
                yield from range(first, first + self.batch)


class ShuffledPass(EpochSampler):
    """Every item once an epoch, in an order that the seed, the stage and the epoch name."""

    def __init__(self, length: int, *, seed: int, stage: str) -> None:
        super().__init__(length)
        self.seed = seed
        self.stage = stage

    def __iter__(self) -> Iterator[int]:
        order = torch.randperm(self.length, generator=generator(self.seed, self.stage, "order", self.epoch))
        return iter(order.tolist())
