"""The start of the unrolled network: is it the minimiser that its docstring names?"""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.deconvolver import TV
from blurlab.deconvolver.laws import kernels, made_up
from blurlab.deconvolver.observation import GridObservation
from blurlab.deconvolver.second_order import second_order

ALPHA, OMEGA = 2e-3, 0.5


def seen(sigma: float = 0.01) -> GridObservation:
    generator = torch.Generator().manual_seed(5)
    sharp, psf = made_up(2, (21, 28), generator=generator).double(), kernels(2).double()
    y = torch.nn.functional.conv2d(sharp.transpose(0, 1), psf.flip(-2, -1), groups=2).transpose(0, 1)
    noise = sigma * torch.randn(y.shape, generator=generator, dtype=torch.float64)
    return GridObservation.of(y + noise, psf, "unknown")


def objective(u: Tensor, what: GridObservation) -> Tensor:
    """``1/2 |M H u - y|^2 + alpha sum |grad u| + omega |grad grad u|``, periodic, by rolls; (B,)."""

    def slopes(x: Tensor) -> Tensor:
        return torch.cat([x.roll(-1, axis) - x for axis in (-1, -2)], 1)

    first = slopes(u)
    lengths = first.square().sum(1).sqrt() + OMEGA * slopes(first).square().sum(1).sqrt()
    return (what.blur(u) - what.y).square().sum((1, 2, 3)) / 2 + ALPHA * lengths.sum((1, 2))


def minimum(what: GridObservation, iterations: int) -> Tensor:
    return second_order(what, torch.full((2, 1, 1, 1), ALPHA, dtype=torch.float64), OMEGA, iterations)


def test_nothing_near_is_lower() -> None:
    what, generator = seen(), torch.Generator().manual_seed(1)
    u = minimum(what, 800)
    least = objective(u, what)
    for size in (1e-1, 1e-2, 1e-3):
        for _ in range(8):
            aside = u + size * torch.randn(u.shape, generator=generator, dtype=torch.float64)
            assert (objective(aside, what) > least * (1 - 1e-6)).all()
    for factor in (0.99, 1.01):
        assert (objective(factor * u, what) > least).all()
    weights = torch.full((2, 1, 1, 1), ALPHA, dtype=torch.float64)
    tv = TV(iterations=300, tolerance=0).solve(what.y, kernels(2).double(), weights)[0]
    assert (objective(tv, what) > 1.001 * least).all()


def test_a_few_iterations_come_near() -> None:
    what = seen()
    assert (objective(minimum(what, 40), what) < 1.1 * objective(minimum(what, 800), what)).all()
