"""Trajectories of camera shake: against the published recursion written out, and what holds of any of them."""

from __future__ import annotations

import cmath
import math

import pytest
import torch

from blurlab.blur import Trajectory, camera_path, centroid, trajectory_psf
from blurlab.blur.trajectory import STEPS, exposed, splat

SEEDS = torch.arange(40.0)


def written_out(seed: int, anxiety: float) -> list[complex]:
    """createTrajectory.m of [Boracchi2012] in complex numbers, one step a time, with the draws of ``camera_path``."""
    generator = torch.Generator().manual_seed(seed)
    u = torch.rand(4, generator=generator, dtype=torch.float64).tolist()
    turns = torch.rand(2, STEPS - 1, generator=generator, dtype=torch.float64).tolist()
    normal = torch.randn(STEPS - 1, 2, generator=generator, dtype=torch.float64).tolist()
    centripetal, gaussian, probability = 0.7 * u[0], 10 * u[1], 0.2 * u[2]
    step = 64 / (STEPS - 1)
    v = cmath.exp(2j * math.pi * u[3]) * (anxiety if anxiety else step)
    x = [0j]
    for t in range(STEPS - 1):
        shake = 2 * v * cmath.exp(1j * (math.pi + turns[1][t] - 0.5)) if turns[0][t] < probability * anxiety else 0
        dv = shake + anxiety * (gaussian * complex(*normal[t]) - centripetal * x[-1]) * step
        v = v + dv
        v = v / abs(v) * step
        x.append(x[-1] + v)
    return x


@pytest.mark.parametrize(("seed", "anxiety"), [(0, 0.005), (5, 0.005), (6, 0.05), (7, 0.0)])
def test_path_is_the_published_recursion(seed: int, anxiety: float) -> None:
    expected = torch.tensor(written_out(seed, anxiety), dtype=torch.complex128)
    path = camera_path(torch.tensor([float(seed)]), anxiety)[0]
    torch.testing.assert_close(torch.complex(path[:, 1], path[:, 0]), expected, rtol=0, atol=1e-9)


def test_no_anxiety_is_a_straight_line() -> None:
    path = camera_path(SEEDS, anxiety=0)
    assert float((path[:, -1].norm(dim=-1) - 64).abs().max()) < 1e-9


def test_paths_turn_shake_and_come_back() -> None:
    path = camera_path(torch.arange(200.0))
    reach = path.norm(dim=-1).amax(1)
    assert 10 < float(reach.median()) < 25, "a pull of .35 at 64 px turns most of them within a quarter of their length"
    assert float(reach.max()) > 50, "some are almost straight"
    heading = torch.view_as_complex(path.diff(dim=1).contiguous()).angle().diff(dim=1)
    sudden = ((heading + math.pi) % (2 * math.pi) - math.pi).abs() > 2
    assert float(sudden.sum(1).double().mean()) == pytest.approx(0.1 * 0.005 * STEPS, rel=0.2)


def test_kernels_of_one_path_are_its_beginnings() -> None:
    path = camera_path(SEEDS[:5])
    part, whole = (splat(path, exposed(torch.full((5,), share).double()), 131) for share in (0.5, 1.0))
    assert bool((part <= whole + 1e-12).all())
    torch.testing.assert_close(part.sum((1, 2)), torch.full((5,), STEPS / 2).double())
    torch.testing.assert_close(whole - part, splat(path[:, STEPS // 2 :], torch.ones(5, STEPS // 2).double(), 131))


def test_kernels_have_sum_one_and_stand_on_their_centre_of_mass() -> None:
    exposure = torch.linspace(0.1, 1, len(SEEDS)).double()
    psf = trajectory_psf(exposure, torch.full_like(exposure, 64), SEEDS.double(), 67)
    torch.testing.assert_close(psf.sum((1, 2, 3)), torch.ones(len(SEEDS)).double())
    assert float(centroid(psf).abs().max()) < 1e-9
    assert bool((psf[..., 0, :] == 0).all()), "66 px hold every path of 64"


def test_a_longer_path_is_the_same_one_enlarged() -> None:
    near, far = (
        trajectory_psf(torch.ones(1).double(), torch.tensor([px]).double(), torch.ones(1).double(), 67)[0, 0]
        for px in (20.0, 60.0)
    )
    places = torch.arange(67.0).double() - 33
    spread = [(psf.sum(0) * places**2).sum() + (psf.sum(1) * places**2).sum() for psf in (near, far)]
    assert float(spread[1] / spread[0]) == pytest.approx(9, rel=0.05)


def test_gradients_are_those_of_differences() -> None:
    exposure, length = (torch.tensor([value], dtype=torch.float64, requires_grad=True) for value in (0.3007, 31.3))
    weight = torch.linspace(-1, 1, 35 * 35, dtype=torch.float64).reshape(35, 35).square()
    seed = torch.tensor([4.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda e, px: (trajectory_psf(e, px, seed, 35) * weight).sum(), (exposure, length), eps=1e-7, atol=1e-5
    )


def test_sizes() -> None:
    assert Trajectory().size == 35 and not Trajectory().symmetric
    assert Trajectory(exposure=0.125).size == 9 and Trajectory(exposure=0.125).symmetric
    wide = Trajectory().with_size(65)
    assert wide.symmetric and not wide.with_size(35).symmetric
    assert wide.scaled(torch.tensor([[0.5, 64.0, 9.0]]), 0.5).tolist() == [[0.5, 32.0, 9.0]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"exposure": [0, 1]}, "exposure must be in"),
        ({"exposure": 1.5}, "exposure must be in"),
        ({"path_seed": 2**24}, "seed must be whole"),
        ({"path_seed": 0.5}, "seed must be whole"),
        ({"anxiety": -1.0}, "anxiety must be"),
        ({"size": 34}, "odd"),
    ],
)
def test_bad_options_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Trajectory(**options)  # type: ignore[arg-type]


def test_bad_values_are_named() -> None:
    one = torch.ones(1)
    with pytest.raises(ValueError, match="exposure must be in"):
        trajectory_psf(0 * one, one, one, 5)
    with pytest.raises(ValueError, match="seed must be whole"):
        trajectory_psf(one, one, one / 2, 5)
    with pytest.raises(ValueError, match="not be negative"):
        trajectory_psf(one, -one, one, 5)
