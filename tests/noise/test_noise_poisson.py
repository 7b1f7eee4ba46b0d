from __future__ import annotations

import math

import pytest
import torch

from blurlab.noise import Poisson, PoissonGaussian, add_poisson


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("value", "photons"), [(0.5, 8.0), (0.25, 400.0), (1.0, 1e4)])
def test_mean_and_variance_are_those_of_counting(value, photons):
    n, rate = 40_000, value * photons
    y = add_poisson(torch.full((1, 1, 200, 200), value, dtype=torch.float64), photons, generator=seeded())
    count = y * photons
    torch.testing.assert_close(count, count.round())
    assert count.mean().item() == pytest.approx(rate, abs=5 * math.sqrt(rate / n))
    # The variance of a sample variance is (m4 - var^2) / n, with m4 = rate + 3 rate^2.
    assert count.var().item() == pytest.approx(rate, abs=5 * math.sqrt((rate + 2 * rate**2) / n))


def test_photons_per_image_and_negative_values():
    x = torch.full((2, 1, 100, 100), 0.5)
    y = add_poisson(x, torch.tensor([10.0, 1000.0]), generator=seeded())
    ratio = (y[0].var() / y[1].var()).item()
    assert ratio == pytest.approx(100, rel=5 * math.sqrt(4 / 10_000))
    assert (add_poisson(-x, 10.0, generator=seeded()) == 0).all()


def test_sigma_of_the_two_together():
    x = torch.rand(2, 1, 17, 24, generator=seeded())
    _, sigma = PoissonGaussian(photons=50, sigma=0.03)(x, generator=seeded())
    torch.testing.assert_close(sigma, (x.mean((1, 2, 3)) / 50 + 0.03**2).sqrt())


@pytest.mark.parametrize(
    "make",
    [
        lambda: Poisson(0),
        lambda: Poisson(-5),
        lambda: PoissonGaussian([0, 10], 0.1),
        lambda: add_poisson(torch.ones(1, 1, 2, 2), 0.0, generator=seeded()),
    ],
)
def test_photons_must_be_positive(make):
    with pytest.raises(ValueError, match=r"photons must be .*(above 0|>= 0)"):
        make()
