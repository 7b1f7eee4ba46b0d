"""From sharp photographs to degraded batches: aligned, repeatable, and independent of batch, order and workers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from blurlab.blur import Defocus, Mixture, Motion, NoBlur, Taps
from blurlab.dataset import (
    AugmentedItems,
    Degrade,
    DegradedData,
    EpochSampler,
    FixedItems,
    SharpImages,
    degrade_batch,
)
from blurlab.noise import NoNoise, Sensor
from blurlab.physics import Convolution

FAMILY = Mixture({"none": NoBlur(), "defocus": Defocus([0.5, 3]), "motion": Motion([1, 6], 0)})


def images(count: int, side: int) -> SharpImages:
    random = np.random.default_rng(0)
    arrays = [random.integers(0, 256, (side, side, 1), dtype=np.uint8) for _ in range(count)]
    return SharpImages(arrays, [f"photo{i}" for i in range(count)])


def one_each(seeds: list[int]) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


@pytest.mark.parametrize("boundary", ["valid", "circular", "reflect", "replicate", "zero"])
def test_without_blur_and_noise_y_is_x_and_both_have_the_observed_size(boundary: str) -> None:
    degrade = Degrade(Mixture({"none": NoBlur()}, size=7), NoNoise(), boundary)
    sharp = torch.rand(3, 1, 24 + 2 * degrade.margin, 17 + 2 * degrade.margin)
    done = degrade(sharp, generator=one_each([1, 2, 3]))
    assert done.y.shape == done.x.shape == (3, 1, 24, 17)
    assert torch.allclose(done.y, done.x, atol=1e-6)


def test_y_is_the_convolution_that_its_own_kernel_says() -> None:
    degrade = Degrade(FAMILY, NoNoise(), "valid")
    sharp = torch.rand(8, 1, 40, 33)
    done = degrade(sharp, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(done.y, Convolution(done.psf, "valid").A(sharp), atol=1e-6)
    assert torch.equal(done.strength_px == 0, done.kind == 0)
    assert torch.allclose(done.strength_px[done.kind == 1], 2 * done.params[done.kind == 1, 0])


def test_what_happens_to_an_image_does_not_depend_on_its_batch() -> None:
    degrade = Degrade(FAMILY, Sensor(sigma=0.01), "valid")
    sharp = torch.rand(5, 1, 30, 30)
    seeds = [11, 12, 13, 14, 15]
    whole = degrade(sharp, generator=one_each(seeds))
    for i in (4, 0, 2):
        alone = degrade(sharp[i : i + 1], generator=one_each(seeds[i : i + 1]))
        assert torch.allclose(alone.y, whole.y[i : i + 1], atol=1e-6)
        assert torch.equal(alone.params.nan_to_num(-1), whole.params[i : i + 1].nan_to_num(-1))


def test_fixed_items_are_seeded_by_photograph_and_draw_not_by_place() -> None:
    some = images(3, 30)
    turned = SharpImages(some.arrays[::-1], some.ids[::-1])
    forward = FixedItems(some, 2, seed=5, split="test")
    backward = FixedItems(turned, 2, seed=5, split="test")
    assert [forward[i][1] for i in (0, 1)] == [backward[i][1] for i in (4, 5)]
    assert len({forward[i][1] for i in range(6)}) == 6
    assert forward[0][1] != FixedItems(some, 2, seed=6, split="test")[0][1]
    assert forward[0][1] != FixedItems(some, 2, seed=5, split="val")[0][1]


def test_a_fixed_item_smaller_than_its_photograph_shows_a_place_of_its_own() -> None:
    some = images(2, 30)
    items = FixedItems(some, 5, seed=5, split="test", size=12)
    again = FixedItems(some, 5, seed=5, split="test", size=12)
    shown = [items[i][0] for i in range(10)]
    assert all(torch.equal(one, again[i][0]) for i, one in enumerate(shown))
    assert all(one.shape == (1, 12, 12) for one in shown)
    assert len({tuple(one.flatten().tolist()) for one in shown[:5]}) == 5
    whole = torch.from_numpy(some.arrays[0].transpose(2, 0, 1))
    windows = whole.unfold(1, 12, 1).unfold(2, 12, 1)[0].flatten(0, 1)
    assert all(bool((windows == one[0]).flatten(1).all(1).any()) for one in shown[:5])
    with pytest.raises(ValueError, match="no 31x31 pixels"):
        FixedItems(some, 1, seed=0, split="test", size=31)[0]


def test_augmented_items_depend_on_their_index_alone_and_visit_every_photograph() -> None:
    some = images(4, 60)
    first, again = (AugmentedItems(some, 24, seed=0, stage="type") for _ in range(2))
    again[7]
    assert torch.equal(first[3][0], again[3][0])
    assert first[3][0].shape == (1, 24, 24)
    assert not torch.equal(first[3][0], AugmentedItems(some, 24, seed=0, stage="strength")[3][0])
    flat = SharpImages([np.full((60, 60, 1), 10 * i, np.uint8) for i in range(4)], some.ids)
    items = AugmentedItems(flat, 24, seed=0, stage="type")
    assert sorted(int(items[i][0].float().mean()) for i in range(4, 8)) == [0, 10, 20, 30]


def test_epoch_sampler_goes_on_where_the_epoch_says() -> None:
    sampler = EpochSampler(3)
    sampler.set_epoch(2)
    assert list(sampler) == [6, 7, 8]


@pytest.mark.parametrize("workers", [0, 1])
def test_batches_do_not_depend_on_the_number_of_workers(workers: int) -> None:
    degrade = Degrade(Taps([4]), Sensor(sigma=0.01), "valid")
    data = DegradedData(
        images(3, 60), images(2, 24), degrade, size=24, stage="t", seed=0, batch_size=4, steps_per_epoch=2, draws_val=2,
        workers=workers,
    )  # fmt: skip
    first = next(iter(data.train_dataloader()))
    alone = AugmentedItems(images(3, 60), 24, seed=0, stage="t")
    assert torch.equal(first[0], torch.stack([alone[i][0] for i in range(4)]))
    assert degrade_batch(degrade, first, training=True).y.shape == (4, 1, 20, 20)
    assert sum(len(batch[0]) for batch in data.val_dataloader()) == 4
