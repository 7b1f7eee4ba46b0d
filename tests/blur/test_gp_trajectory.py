"""Paths of Gaussian processes: their covariance against scikit-learn's, and what holds of every kernel."""

from __future__ import annotations

import pytest
import torch
from sklearn.gaussian_process.kernels import Matern

from blurlab.blur import GPTrajectory, centroid, gp_path, gp_trajectory_psf
from blurlab.blur.gp_trajectory import POINTS, matern

SEEDS = torch.arange(400.0)


def test_the_covariance_is_of_smoothness_five_halves() -> None:
    t = torch.linspace(0, 1, 12, dtype=torch.float64)[:, None]
    expected = 0.25**2 * torch.from_numpy(Matern(length_scale=0.3, nu=2.5)(t.numpy()))
    torch.testing.assert_close(matern(t - t.T), expected, rtol=1e-12, atol=0)


def test_paths_have_that_covariance() -> None:
    path = gp_path(SEEDS)
    assert path.shape == (400, POINTS, 2)
    torch.testing.assert_close(path.mean(1), torch.zeros(400, 2, dtype=torch.float64), rtol=0, atol=1e-12)
    step = POINTS // 4  # differences of points know nothing of the mean that was taken away
    found = (path[:, step:] - path[:, :-step]).square().mean()
    distance = torch.tensor(step / (POINTS - 1), dtype=torch.float64)
    expected = 2 * (matern(torch.zeros((), dtype=torch.float64)) - matern(distance))
    assert float(found) == pytest.approx(float(expected), rel=0.1)
    both = (path[..., 0] * path[..., 1]).mean() / path.square().mean()
    assert abs(float(both)) < 0.1  # rows and columns are independent


def test_no_kernel_is_cut_and_each_has_its_mass_in_the_middle() -> None:
    psf = gp_trajectory_psf(torch.full((400,), 17.0, dtype=torch.float64), SEEDS.double(), 17)
    torch.testing.assert_close(psf.sum((1, 2, 3)), torch.ones(400, dtype=torch.float64), rtol=0, atol=1e-12)
    assert float(centroid(psf).abs().max()) < 1e-9
    rows = (psf.sum(-1) > 0).sum(-1)
    assert int(rows.max()) == 17 and int(rows.min()) < 9  # as wide as paths are; those too wide are made smaller
    larger = gp_trajectory_psf(torch.full((3,), 17.0), torch.arange(3.0), 21)
    torch.testing.assert_close(larger[..., 2:-2, 2:-2], psf[:3].float(), rtol=0, atol=1e-6)


def test_draws_are_of_their_seed_and_ranges() -> None:
    family = GPTrajectory([9, 17], path_seed=[5, 7])
    _, params = family.draw(50, generator=torch.Generator().manual_seed(0))
    assert family.size == 17 and family.free == [0]
    assert set(params[:, 1].tolist()) == {5.0, 6.0, 7.0} and float(params[:, 0].min()) >= 9
    assert torch.equal(family.scaled(params, 0.5)[:, 0], 0.5 * params[:, 0])


def test_wrong_values_are_refused() -> None:
    with pytest.raises(ValueError, match="needs a size of 17, got 15"):
        GPTrajectory(17, size=15)
    with pytest.raises(ValueError, match="whole numbers from 0"):
        GPTrajectory(17, path_seed=2**24)
    with pytest.raises(ValueError, match="whole numbers from 0"):
        gp_path(torch.tensor([0.5]))
    with pytest.raises(ValueError, match="does not fit a 9x9 kernel"):
        gp_trajectory_psf(torch.tensor([11.0]), torch.tensor([0.0]), 9)
