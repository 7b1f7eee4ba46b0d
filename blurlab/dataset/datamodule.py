"""Sharp photographs from memory, augmented on the CPU, degraded on the device: a LightningDataModule."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.context import BaseContext

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from blurlab.core.rng import generator, seed_from
from blurlab.dataset.corruption import Corruption
from blurlab.dataset.degrade import Degrade
from blurlab.dataset.edges import has_edges
from blurlab.dataset.sampler import EchoSampler, EpochSampler, ShuffledPass
from blurlab.physics import Degraded

Item = tuple[Tensor, int, int]
TRIES = 20
"""Patches that are looked at for one with edges; the last is taken whatever it shows."""
SCALE = (0.75, 1.0)
"""Side of what a training item shows, as a share of the photograph's."""


@dataclass(frozen=True)
class SharpImages:
    """Prepared photographs of one split: uint8 arrays (H, W, C) and their stable names."""

    arrays: list[np.ndarray]
    ids: list[str]

    def __len__(self) -> int:
        return len(self.arrays)


def item_seed(seed: int, split: str, photo_id: str, draw: int) -> int:
    """The seed of a validation or test item: a matter of the run's seed, the split, the photograph and the draw."""
    return seed_from(seed, split, photo_id, draw)


class FixedItems(Dataset[Item]):
    """Every photograph ``draws`` times, each draw with its own seed; item i is photograph ``i // draws``.

    Args:
        images: Photographs.
        draws: Items a photograph.
        seed: The run's seed.
        split: Whose items these are.
        size: Side of an item in pixels; of a larger photograph each item shows a square of its own, anywhere in it.
            None shows whole photographs.
    """

    def __init__(self, images: SharpImages, draws: int, *, seed: int, split: str, size: int | None = None) -> None:
        self.images = images
        self.draws = draws
        self.seed = seed
        self.split = split
        self.size = size

    def __len__(self) -> int:
        return len(self.images) * self.draws

    def __getitem__(self, index: int) -> Item:
        photo, draw = divmod(index, self.draws)
        seed = self.seed_of(photo, draw)
        array = self.images.arrays[photo]
        return _to_tensor(array if self.size is None else _square_of(array, self.size, seed)), seed, index

    def seed_of(self, photo: int, draw: int) -> int:
        """The seed from which a draw of a photograph is degraded."""
        return item_seed(self.seed, self.split, self.images.ids[photo], draw)


class AugmentedItems(Dataset[Item]):
    """An endless supply of augmented photographs; index i names both the photograph and the randomness.

    A square of ``scale`` of the photograph's side, anywhere in it, is area-averaged to ``size`` and flipped. The
    change of scale matters: without it a head learns the sharpness of a few photographs by heart.

    Args:
        images: Photographs, kept larger than ``size`` where they are.
        size: Side of an item in pixels.
        scale: Smallest and largest side of the square, as a share of the photograph's; None cuts ``size`` pixels out.
        least_edges: Share of the pixels that must have edges (:func:`~blurlab.dataset.edges.has_edges`); a patch with
            fewer gives way to one of the next photograph.
        seed: The run's seed.
        stage: Whose items these are.
    """

    def __init__(
        self,
        images: SharpImages,
        size: int,
        *,
        seed: int,
        stage: str,
        scale: tuple[float, float] | None = SCALE,
        least_edges: float = 0.0,
    ) -> None:
        self.images = images
        self.least_edges = least_edges
        self.seed = seed
        self.stage = stage
        self.transform = _augmentation(size, scale)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Item:
        turn, place = divmod(index, len(self.images))
        order = torch.randperm(len(self.images), generator=generator(self.seed, self.stage, "order", turn))
        seed = seed_from(self.seed, self.stage, "train", index)
        self.transform.set_random_seed(seed % (2**32))
        for attempt in range(TRIES if self.least_edges else 1):
            photo = int(order[(place + attempt) % len(order)])
            array = self.transform(image=self.images.arrays[photo])["image"]
            if not self.least_edges or has_edges(array, self.least_edges):
                break
        return _to_tensor(array.reshape(*array.shape[:2], -1)), seed, index


class DegradedData(pl.LightningDataModule):
    """Degraded batches for one training stage and its validation.

    Args:
        train: Photographs to train on, as large as they are kept.
        val: Photographs to validate on, of the size of an item or larger.
        size: Side of a sharp item in pixels: the observed size and the margins.
        degrade: Blur, boundary and noise.
        stage: Name of the stage; its randomness is made from it.
        seed: The run's seed.
        batch_size: Images a batch.
        steps_per_epoch: Batches an epoch.
        draws_val: Degradations per validation photograph.
        workers: Processes that augment; what they give does not depend on their number.
        scale: As in :class:`AugmentedItems`.
        least_edges: As in :class:`AugmentedItems`.
        condition: How training items are degraded otherwise than by ``degrade``; None for not.
        fixed: Training items that are the same in every epoch, each met once in it and degraded by ``degrade``;
            ``train``, ``steps_per_epoch``, ``workers``, ``scale`` and ``condition`` are then not used. None for an
            endless supply of augmented ones.
        echo: How often each degraded batch is met in its epoch (:class:`EchoSampler`); it is kept in memory until the
            epoch ends. For degradations that take longer than a step of the training.
    """

    def __init__(
        self,
        train: SharpImages,
        val: SharpImages,
        degrade: Degrade,
        *,
        size: int,
        stage: str,
        seed: int,
        batch_size: int,
        steps_per_epoch: int,
        draws_val: int,
        workers: int = 0,
        scale: tuple[float, float] | None = SCALE,
        least_edges: float = 0.0,
        condition: Corruption | None = None,
        fixed: FixedItems | None = None,
        echo: int = 1,
    ) -> None:
        super().__init__()
        self.echo = echo
        self.kept: dict[int, Degraded] = {}
        self.images = train, val
        self.condition = condition
        self.fixed = fixed
        self.scale = scale
        self.least_edges = least_edges
        self.degrade = degrade
        self.size = size
        self.stage_name = stage
        self.seed = seed
        self.batch_size = batch_size
        self.steps_per_epoch = steps_per_epoch
        self.draws_val = draws_val
        self.workers = workers

    def train_dataloader(self) -> DataLoader[Item]:
        """Augmented photographs, ``steps_per_epoch`` batches of them, or every fixed item once."""
        if self.fixed is not None:
            order = ShuffledPass(len(self.fixed), seed=self.seed, stage=self.stage_name)
            return DataLoader(self.fixed, batch_size=self.batch_size, sampler=order)
        items = AugmentedItems(
            self.images[0], self.size, seed=self.seed, stage=self.stage_name, scale=self.scale,
            least_edges=self.least_edges,
        )  # fmt: skip
        length = self.steps_per_epoch * self.batch_size
        sampler = EpochSampler(length)
        if self.echo > 1:
            sampler = EchoSampler(length, batch=self.batch_size, echo=self.echo, seed=self.seed)
        return DataLoader(
            items,
            batch_size=self.batch_size,
            sampler=sampler,
            drop_last=True,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            multiprocessing_context=_forked() if self.workers else None,
        )

    def val_dataloader(self) -> DataLoader[Item]:
        """The same items in every epoch and every run of this seed."""
        items = FixedItems(
            self.images[1], self.draws_val, seed=self.seed, split=f"val/{self.stage_name}", size=self.size
        )
        return DataLoader(items, batch_size=self.batch_size)

    def on_after_batch_transfer(self, batch: list[Tensor], dataloader_idx: int) -> Degraded:
        """Degrade on the device: one generator a batch in training, one a sample where items are fixed.

        Where several processes train, each degrades the whole batch and takes its part of it: what is learned from does
        not depend on their number. Each validates on all items.
        """
        whole = self._degraded(batch)
        if self.trainer is None or not self.trainer.training:
            return whole
        return part_of(whole, self.trainer.global_rank, self.trainer.world_size)

    def _degraded(self, batch: list[Tensor]) -> Degraded:
        training = self.trainer is not None and self.trainer.training and self.fixed is None
        degrade = partial(self.condition, self.degrade) if training and self.condition is not None else self.degrade
        if not training or self.echo == 1:
            return degrade_batch(degrade, batch, training=training)
        first, new = int(batch[2][0]), self.steps_per_epoch // self.echo * self.batch_size
        self.kept = {item: kept for item, kept in self.kept.items() if item // new == first // new}
        if first not in self.kept:
            self.kept[first] = degrade_batch(degrade, batch, training=True)
        return self.kept[first]


def part_of(batch: Degraded, process: int, processes: int) -> Degraded:
    """The part of a batch that one of several processes learns from; an item without weight where there is none left.

    Args:
        batch: The whole batch.
        process: Number of the process, from 0.
        processes: How many there are.
    """
    if processes == 1:
        return batch
    rows = torch.arange(len(batch)).tensor_split(processes)[process]
    if len(rows):
        return batch.take(rows)
    first = batch.take(torch.zeros(1, dtype=torch.long))
    return replace(first, weight=torch.zeros_like(first.weight))


def degrade_batch(degrade: Callable[..., Degraded], batch: list[Tensor], *, training: bool) -> Degraded:
    """Degrade a collated batch of items: images (B, C, H, W) uint8, seeds (B,), indices (B,).

    ``degrade`` is called as a :class:`Degrade` is.
    """
    images, seeds, items = batch
    sharp = images.to(torch.float32).div_(255)
    if training:
        one = torch.Generator(device=sharp.device).manual_seed(int(seeds[0]))
        return degrade(sharp, generator=one, item=items)
    each = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
    return degrade(sharp, generator=each, item=items)


def _forked() -> BaseContext | None:
    """How workers are started: as copies of this process, where the system can; else as it does by itself.

    In a process of joblib's the way it does by itself is joblib's own, which pickles what a worker is given.
    """
    return multiprocessing.get_context("fork") if sys.platform == "linux" else None


def _square_of(array: np.ndarray, size: int, seed: int) -> np.ndarray:
    """A square of ``size`` pixels at a place that the seed names; the array itself where it is one."""
    places = [side - size + 1 for side in array.shape[:2]]
    if min(places) < 1:
        raise ValueError(f"no {size}x{size} pixels can be cut out of {array.shape[0]}x{array.shape[1]}")
    where = generator(seed, "place")
    top, left = (int(torch.randint(places[axis], (1,), generator=where)) for axis in (0, 1))
    return array[top : top + size, left : left + size]


def _to_tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))


def _augmentation(size: int, scale: tuple[float, float] | None):  # type: ignore[no-untyped-def]  # albumentations' type
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations as A
    import cv2

    if scale is None:
        crop = A.RandomCrop(height=size, width=size)
    else:
        area = (scale[0] ** 2, scale[1] ** 2)
        crop = A.RandomResizedCrop(size=(size, size), scale=area, ratio=(1.0, 1.0), interpolation=cv2.INTER_AREA)
    return A.Compose([crop, A.HorizontalFlip(p=0.5), A.VerticalFlip(p=0.5)])
