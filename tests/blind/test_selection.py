from __future__ import annotations

import math

import torch
from shaken import scene

from blurlab.blind.selection import direction_threshold, gradients, select


def test_the_threshold_is_the_highest_that_leaves_as_many_of_each_direction() -> None:
    field = gradients(scene(64)[0, 0] + 0.01 * torch.rand(64, 64))
    power, angle = field.square().sum(0), torch.atan2(field[1], field[0]) % math.pi
    threshold = direction_threshold(field, 50)

    def fewest(least: float) -> int:
        groups = ((angle >= one * math.pi / 4) & (angle < (one + 1) * math.pi / 4) for one in range(4))
        return min(int((power[group] >= least).sum()) for group in groups)

    assert fewest(threshold) == 50 > fewest(threshold * (1 + 1e-5))


def test_a_direction_with_too_few_counts_with_all_it_has() -> None:
    field = torch.tensor([[[3.0, 2.0, -1.0]], [[1.0, 1.0, 0.5]]])
    assert direction_threshold(field, 5) == 1.25  # the only ones of the last direction, and of the first the weakest
    assert direction_threshold(torch.zeros(2, 4, 4), 5) == 0


def test_a_threshold_that_nothing_reaches_is_lowered_until_something_does() -> None:
    field = gradients(scene(32)[0, 0])
    chosen, threshold = select(field, 100.0)
    power = field.square().sum(0)
    assert threshold <= float(power.max()) < threshold / 0.81
    assert torch.equal(chosen[0] != 0, (power >= threshold) & (field[0] != 0))
    assert not select(torch.zeros(2, 3, 3), 1.0)[0].any()
