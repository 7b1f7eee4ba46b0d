from __future__ import annotations

import math

import pytest
import torch
from scipy.stats import bootstrap

from blurlab.metric import bootstrap_mean


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


VALUES = torch.randn(60, generator=seeded(1), dtype=torch.float64).exp()


def test_agrees_with_scipy_within_the_scatter_of_resampling():
    mean, low, high = bootstrap_mean(VALUES, n=20_000, generator=seeded())
    reference = bootstrap(
        (VALUES.numpy(),), lambda v, axis: v.mean(axis), n_resamples=20_000, method="percentile", rng=0
    )
    error = 5 * float(VALUES.std()) / math.sqrt(60) * math.sqrt(2 * 7.1 / 20_000)  # p(1-p)/f(q)^2 = 7.1 at p = .025
    assert mean == pytest.approx(float(VALUES.mean()))
    assert low == pytest.approx(reference.confidence_interval.low, abs=error)
    assert high == pytest.approx(reference.confidence_interval.high, abs=error)


def test_copies_of_a_photograph_add_no_certainty():
    plain = bootstrap_mean(VALUES, generator=seeded())
    copied = bootstrap_mean(VALUES.repeat(10), groups=torch.arange(60).repeat(10) * 7 - 3, generator=seeded())
    assert copied == pytest.approx(plain)
    naive = bootstrap_mean(VALUES.repeat(10), generator=seeded())
    assert naive[2] - naive[1] < 0.5 * (plain[2] - plain[1])


def test_uneven_groups_stay_whole():
    values, groups = torch.tensor([0.0, 1.0, 1.0, 1.0]), torch.tensor([0, 1, 1, 1])
    mean, low, high = bootstrap_mean(values, n=200, groups=groups, generator=seeded())
    assert (mean, low, high) == (0.75, 0.0, 1.0)


def test_is_repeatable_and_grows_with_confidence():
    assert bootstrap_mean(VALUES, generator=seeded(3)) == bootstrap_mean(VALUES, generator=seeded(3))
    _, low, high = bootstrap_mean(VALUES, 0.5, generator=seeded())
    _, lower, higher = bootstrap_mean(VALUES, 0.99, generator=seeded())
    assert lower < low < high < higher


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (torch.empty(0), {}, "N >= 1"),
        (torch.tensor([1.0, math.inf]), {}, "1 infinite or NaN of 2"),
        (VALUES, {"confidence": 95}, "0.95"),
        (VALUES, {"groups": torch.zeros(3)}, "one entry a value"),
    ],
)
def test_refuses(values, options, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_mean(values, generator=seeded(), **options)
