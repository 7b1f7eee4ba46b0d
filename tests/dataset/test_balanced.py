"""Training items that stay the same: every class of every photograph, the same in each epoch, in a new order."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from torch import Tensor

from blurlab.blur import Defocus, Mixture, Motion, NoBlur, Taps
from blurlab.dataset import BalancedItems, Degrade, DegradedData, SharpImages, ShuffledPass, degrade_batch
from blurlab.head import StrengthLabels
from blurlab.noise import Sensor

MEMBERS = {"none": NoBlur(), "defocus": Defocus([0.5, 3]), "motion": Motion([1, 6], 0)}
FAMILY = Mixture(MEMBERS)


def images(count: int) -> SharpImages:
    random = np.random.default_rng(0)
    arrays = [random.integers(0, 256, (24, 24, 1), dtype=np.uint8) for _ in range(count)]
    return SharpImages(arrays, [f"photo{i}" for i in range(count)])


def of_kinds(some: SharpImages, each: int = 1, split: str = "train/type") -> BalancedItems:
    return BalancedItems(some, each, FAMILY, lambda kind, _: kind, 3, seed=0, split=split)


def batch_of(items: BalancedItems, places: range) -> list[Tensor]:
    some = [items[i] for i in places]
    return [torch.stack([one[0] for one in some]), torch.tensor([one[1] for one in some]), torch.tensor(list(places))]


@pytest.mark.parametrize("each", [1, 2])
def test_every_photograph_is_degraded_as_often_in_each_class(each: int) -> None:
    items = of_kinds(images(5), each)
    done = degrade_batch(Degrade(FAMILY, Sensor(0.01)), batch_of(items, range(len(items))), training=False)
    assert len(items) == 5 * 3 * each
    for photo in done.kind.split(3 * each):
        assert Counter(photo.tolist()) == {0: each, 1: each, 2: each}
    strengths = done.strength_px[done.kind == 2]
    assert len(set(strengths.tolist())) == 5 * each  # each of a strength of its own


def test_classes_may_be_strengths() -> None:
    family = Taps([4, 6, 8, 10])
    labels = StrengthLabels([float(n) for n in family.classes])
    class_of = lambda kind, strength_px: labels.probabilities(kind, strength_px).argmax(1)
    items = BalancedItems(images(3), 1, family, class_of, 5, seed=0, split="train/taps")
    done = degrade_batch(Degrade(family, Sensor(0.01)), batch_of(items, range(15)), training=False)
    assert [sorted(photo.tolist()) for photo in done.strength_px.split(5)] == 3 * [[0, 4, 6, 8, 10]]


def test_items_depend_on_photograph_and_stage_not_on_place() -> None:
    some = images(3)
    items, turned = of_kinds(some), of_kinds(SharpImages(some.arrays[::-1], some.ids[::-1]))
    assert items.seeds == turned.seeds[::-1]
    assert items.seeds != of_kinds(some, split="train/strength").seeds


def test_a_class_that_never_comes_is_refused() -> None:
    never = Mixture(MEMBERS, weights=[1, 1, 0])
    with pytest.raises(ValueError, match="not 1 of each of 3 classes came"):
        BalancedItems(images(1), 1, never, lambda kind, _: kind, 3, seed=0, split="train/type")


def test_a_pass_shows_every_item_once_in_the_order_of_its_epoch() -> None:
    order = ShuffledPass(20, seed=0, stage="type")
    first = list(order)
    order.set_epoch(1)
    second = list(order)
    order.set_epoch(0)
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second and list(order) == first
    assert list(ShuffledPass(20, seed=0, stage="taps")) != first


def test_epochs_of_fixed_items_hold_the_same_images() -> None:
    some, degrade = images(3), Degrade(FAMILY, Sensor(0.01))
    data = DegradedData(
        some, some, degrade, size=24, stage="type", seed=0, batch_size=4, steps_per_epoch=1, draws_val=1,
        fixed=of_kinds(some),
    )  # fmt: skip
    epochs = []
    for epoch in (0, 1):
        loader = data.train_dataloader()
        loader.sampler.set_epoch(epoch)
        batches = [data.on_after_batch_transfer(batch, 0) for batch in loader]
        assert [len(batch) for batch in batches] == [4, 4, 1]
        epochs.append({int(i): y for batch in batches for i, y in zip(batch.item, batch.y, strict=True)})
    assert list(epochs[0]) != list(epochs[1]) and sorted(epochs[0]) == list(range(9))
    assert all(torch.allclose(epochs[0][i], epochs[1][i], atol=1e-6) for i in range(9))
