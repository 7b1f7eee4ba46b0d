from __future__ import annotations

import math

import pytest
import torch

from blurlab.metric import bsnr
from blurlab.noise import Gaussian, Sensor, add_gaussian, bsnr_from_sigma, sigma_from_bsnr

X = torch.rand(4, 2, 17, 24, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_sigma_and_bsnr_are_inverse_and_agree_with_the_metric():
    wanted = torch.tensor([10.0, 20.0, 30.0, 40.0], dtype=torch.float64)
    sigma = sigma_from_bsnr(X, wanted)
    torch.testing.assert_close(bsnr_from_sigma(X, sigma), wanted)
    torch.testing.assert_close(bsnr(X, sigma), wanted)
    assert sigma_from_bsnr(torch.ones(1, 1, 4, 4), 30.0).item() == 0
    assert math.isinf(bsnr_from_sigma(X, 0.0)[0])


def test_bsnr_sets_the_level_of_each_image_from_its_own_variance():
    x = X * torch.tensor([1.0, 0.5, 0.25, 0.1]).reshape(4, 1, 1, 1)
    _, sigma = Gaussian(bsnr_db=30)(x, generator=seeded())
    torch.testing.assert_close(sigma, x.flatten(1).std(1, correction=0) / 10**1.5)


@pytest.mark.parametrize(("option", "low", "high"), [("sigma", 0.001, 0.1), ("bsnr_db", 20.0, 60.0)])
def test_a_range_is_drawn_log_uniformly_per_image(option, low, high):
    x = torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2).repeat(4000, 1, 1, 1)
    _, sigma = Gaussian(**{option: [low, high]})(x, generator=seeded())
    level = sigma.log10() if option == "sigma" else -20 * (2 * sigma).log10()
    start, stop = (math.log10(low), math.log10(high)) if option == "sigma" else (low, high)
    unit = ((level - start) / (stop - start)).sort().values
    assert unit[0] > -1e-4 and unit[-1] < 1 + 1e-4
    assert (unit - (torch.arange(4000) + 0.5) / 4000).abs().max() < 1.95 / math.sqrt(4000)  # Kolmogorov, p = .001


def test_noise_is_white_and_not_shared():
    y = add_gaussian(torch.zeros(2, 2, 100, 101), 0.5, generator=seeded()) / 0.5
    bound = 5 / 100
    assert abs((y[0] * y[1]).mean()) < bound and abs((y[:, 0] * y[:, 1]).mean()) < bound
    assert abs((y[..., 1:] * y[..., :-1]).mean()) < bound and abs((y[..., 1:, :] * y[..., :-1, :]).mean()) < bound


def test_sigma_per_image():
    y = add_gaussian(torch.zeros(2, 1, 100, 100), torch.tensor([0.0, 0.5]), generator=seeded())
    assert (y[0] == 0).all()
    assert y[1].std().item() == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(20_000))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Gaussian(), "one of sigma and bsnr_db, got sigma=None, bsnr_db=None"),
        (lambda: Gaussian(sigma=0.1, bsnr_db=30), "one of sigma and bsnr_db"),
        (lambda: Gaussian(sigma=-0.1), r"sigma must be >= 0, got -0\.1"),
        (lambda: Sensor(sigma=-0.1), r"sigma must be >= 0, got -0\.1"),
        (lambda: Gaussian(sigma=[0.1, 0.01]), "low <= high"),
        (lambda: Gaussian(sigma=[0.0, 0.01]), "log-uniformly"),
        (lambda: Gaussian(sigma=[0.1, 0.2, 0.3]), r"number or \[low, high\]"),
        (lambda: Gaussian(sigma=float("nan")), "finite"),
        (lambda: add_gaussian(X, -1.0, generator=seeded()), r"finite and >= 0, got -1\.0"),
    ],
)
def test_bad_levels_are_told_in_one_line(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "\n" not in str(error.value)


def test_negative_and_zero_bsnr_and_zero_sigma_are_levels():
    assert Gaussian(sigma=0.0)(X, generator=seeded())[0].equal(X)
    dim = 0.1 * X  # nothing in [0, 1] has a standard deviation above 0.5
    _, sigma = Gaussian(bsnr_db=[-10, 0])(dim, generator=seeded())
    assert (sigma >= dim.flatten(1).std(1, correction=0) * 0.999).all()
