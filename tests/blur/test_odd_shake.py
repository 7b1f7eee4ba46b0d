"""Arcs, hooks, double images and ellipses: their extents, their light, and that they take a trajectory's place."""

from __future__ import annotations

import pytest
import torch

from blurlab.blur import Mixture, NoBlur, OddShake, Trajectory, odd_shake_psf
from blurlab.blur.odd_shake import ELLIPSE_SIGMAS, RATIO, SHAPES, WIDTH, odd_shape, shape_of

SEEDS = {shape: [seed for seed in range(80) if shape_of(seed) == shape] for shape in SHAPES}


@pytest.mark.parametrize("shape", ["arc", "hook", "double"])
def test_a_line_is_as_wide_as_it_says(shape: str) -> None:
    for seed in SEEDS[shape]:
        points, weight = odd_shape(seed)
        assert float(torch.cdist(points[::16], points[::16]).max()) == pytest.approx(1, abs=0.02)
        assert float(weight.sum()) == pytest.approx(1) and float(weight.min()) >= 0
        assert float((weight[:, None] * points).sum(0).abs().max()) < 1e-9


def test_an_ellipse_has_the_axes_that_it_says() -> None:
    ratios = []
    for seed in SEEDS["ellipse"]:
        points, weight = odd_shape(seed)
        spread = torch.linalg.eigvalsh(points.T @ (weight[:, None] * points)).sqrt()
        assert float(spread[1]) == pytest.approx(1 / ELLIPSE_SIGMAS, rel=0.05)
        ratios.append(float(spread[1] / spread[0]))
    assert RATIO[0] * 0.99 < min(ratios) < 2 < 3 < max(ratios) < RATIO[1] * 1.01


def test_a_double_image_has_two_places() -> None:
    for seed in SEEDS["double"]:
        _, weight = odd_shape(seed)
        brightest = weight.topk(2).values
        assert float(brightest.sum()) > 0.59 and float(brightest[1]) > 0.1


def test_the_width_follows_the_length() -> None:
    seeds = torch.tensor([float(SEEDS["double"][0])] * 2)
    psf = odd_shake_psf(torch.ones(2), torch.tensor([20.0, 40.0]), seeds, 21)
    for one, length in zip(psf[:, 0], (20, 40), strict=True):
        ends = (one.flatten().topk(8).indices[:, None] // torch.tensor([21, 1])) % 21
        assert float(torch.cdist(ends.double(), ends.double()).max()) == pytest.approx(WIDTH * length, abs=1.6)


def test_it_takes_the_place_of_a_trajectory() -> None:
    odd = Mixture({"none": NoBlur(), "shake": OddShake(1, [20, 72])})
    walks = Mixture({"none": NoBlur(), "shake": Trajectory(1, [26, 72], size=31)})
    assert (odd.kinds, odd.names) == (walks.kinds, walks.names)


def test_wrong_values_are_refused() -> None:
    with pytest.raises(ValueError, match=r"exposure must be in \(0, 1\]"):
        OddShake(1.5)
    with pytest.raises(ValueError, match="whole numbers from 0"):
        odd_shake_psf(torch.ones(1), torch.tensor([20.0]), torch.tensor([0.5]), 21)
