"""Batches that are met several times in their epoch."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from blurlab.blur import Defocus
from blurlab.dataset import Degrade, DegradedData, SharpImages
from blurlab.dataset.sampler import EchoSampler
from blurlab.noise import Gaussian


def data(echo: int) -> DegradedData:
    arrays = [np.random.default_rng(n).integers(0, 255, (40, 40, 1), dtype=np.uint8) for n in range(3)]
    images = SharpImages(arrays, ["a", "b", "c"])
    made = DegradedData(
        images, images, Degrade(Defocus([1, 3]), Gaussian(0.01)), size=30, stage="t", seed=0, batch_size=2,
        steps_per_epoch=6, draws_val=1, echo=echo,
    )  # fmt: skip
    made.trainer = SimpleNamespace(training=True, global_rank=0, world_size=1)  # type: ignore[assignment]
    return made


def epoch(made: DegradedData, number: int) -> list[Tensor]:
    loader: Any = made.train_dataloader()
    loader.sampler.set_epoch(number)
    return [made.on_after_batch_transfer(batch, 0).y for batch in loader]


def test_each_batch_comes_as_often_as_asked_and_its_noise_is_drawn_once() -> None:
    seen = epoch(data(3), 0)
    times = Counter(float(y.double().sum()) for y in seen)
    assert len(seen) == 6 and sorted(times.values()) == [3, 3]


def test_an_epoch_is_the_same_without_the_one_before_and_none_repeats_another() -> None:
    made = data(2)
    first, second = epoch(made, 0), epoch(made, 1)
    assert all(torch.equal(one, other) for one, other in zip(second, epoch(data(2), 1), strict=True))
    assert not any(torch.equal(one, other) for one in first for other in second)
    assert len(made.kept) == 3  # of the last epoch alone


def test_passes_differ_in_order() -> None:
    order = list(EchoSampler(64, batch=2, echo=2, seed=0))
    assert sorted(order[:32]) == sorted(order[32:]) == list(range(32)) and order[:32] != order[32:]


def test_a_batch_that_cannot_come_that_often_is_refused() -> None:
    with pytest.raises(ValueError, match="no multiple of echo=4"):
        EchoSampler(12, batch=2, echo=4, seed=0)
