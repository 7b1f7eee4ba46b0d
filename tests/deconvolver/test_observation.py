"""What a solver asks of a blur: the same answers whether the blur is kernels on a grid or any operator."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from blurlab.deconvolver.border import BOUNDARIES
from blurlab.deconvolver.laws import kernels, made_up
from blurlab.deconvolver.observation import GridObservation, Observation, observe
from blurlab.physics import Convolution, LinearOperator

SHAPE = (17, 24)


def seen_through(how: str) -> Observation:
    """Two images through two kernels, as kernels with a boundary or as the operator of that name."""
    y, psf = made_up(2, SHAPE, generator=torch.Generator().manual_seed(0)).double(), kernels(2).double()
    return observe(y, psf, how) if how in BOUNDARIES else observe(y, Convolution(psf, how.removeprefix("A ")), "")


EVERY = [*BOUNDARIES, "A valid", "A reflect", "A zero"]


def like(image: Tensor, seed: int) -> Tensor:
    return torch.rand(image.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("how", EVERY)
def test_adjoint_is_that_of_the_blur(how: str) -> None:
    seen = seen_through(how)
    u, r = like(seen.first, 1), like(seen.y, 2)
    torch.testing.assert_close((seen.blur(u) * r).sum((1, 2, 3)), (u * seen.adjoint(r)).sum((1, 2, 3)))


@pytest.mark.parametrize("how", EVERY)
def test_the_first_guess_lies_under_what_was_handed_in(how: str) -> None:
    seen = seen_through(how)
    assert seen.crop(seen.first).shape[-2:] == SHAPE
    if how != "edgetaper":
        assert torch.equal(
            seen.crop(seen.first), made_up(2, SHAPE, generator=torch.Generator().manual_seed(0)).double()
        )


@pytest.mark.parametrize("how", EVERY)
def test_repeated_steps_reach_the_minimum(how: str) -> None:
    """``A* (A r - y) + weight (r - v) = 0``, which no other r fulfils."""
    seen, weight = seen_through(how), torch.tensor([0.2, 0.5], dtype=torch.float64).reshape(2, 1, 1, 1)
    v = r = like(seen.first, 1)
    for _ in range(150 if how == "unknown" else 12):
        r = seen.prox(v, r, weight)
    slope = seen.adjoint(seen.blur(r) - seen.y) + weight * (r - v)
    assert slope.abs().max() < 1e-6
    torch.testing.assert_close(seen.prox(v, r, weight), r, rtol=0, atol=1e-6)


@pytest.mark.parametrize("how", EVERY)
def test_rows_are_those_of_the_images(how: str) -> None:
    seen, keep = seen_through(how), torch.tensor([False, True])
    u = like(seen.first, 1)
    torch.testing.assert_close(seen.rows(keep).blur(u[keep]), seen.blur(u)[keep])
    torch.testing.assert_close(seen.rows(keep).misfit(u[keep]), seen.misfit(u)[keep])


def test_misfit_is_what_is_left_of_y() -> None:
    seen = seen_through("A reflect")
    u = like(seen.first, 1)
    noisy = observe(seen.blur(u) + 0.25, Convolution(kernels(2).double(), "reflect"), "")
    torch.testing.assert_close(noisy.misfit(u), torch.full((2,), 0.25, dtype=torch.float64))


def test_a_valid_operator_is_an_unknown_border() -> None:
    """Both look for the pixels beyond y: from one image on either grid they see the same, and agree where it counts."""
    grid, operator = seen_through("unknown"), seen_through("A valid")
    assert isinstance(grid, GridObservation)
    whole = like(operator.first, 3)
    rolled = torch.zeros_like(grid.first)
    rolled[..., : SHAPE[0] + 4, : SHAPE[1] + 4] = whole  # the operator's grid begins two pixels above and left of y
    torch.testing.assert_close(operator.blur(whole), grid.blur(rolled.roll((-2, -2), (-2, -1))))


class Blind(LinearOperator):
    """Sees nothing but one weight per image."""

    def __init__(self, gain: Tensor) -> None:
        self.gain = gain

    def rows(self, keep: Tensor) -> Blind:
        return Blind(self.gain[keep])

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * x

    def adjoint(self, y: Tensor) -> Tensor:
        return self.gain * y


def test_any_operator_will_do() -> None:
    gain = torch.tensor([0.5, 2.0]).reshape(2, 1, 1, 1)
    y = made_up(2, SHAPE, generator=torch.Generator().manual_seed(0))
    seen = observe(y, Blind(gain), "")
    v, weight = like(y, 1).float(), torch.full((2, 1, 1, 1), 0.1)
    torch.testing.assert_close(seen.prox(v, y, weight), (gain * y + weight * v) / (gain**2 + weight), rtol=0, atol=1e-2)
