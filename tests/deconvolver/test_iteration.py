"""The loop: each image stops by itself, and one that diverges is named."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from blurlab.deconvolver import EPLL, Deconvolver, DouglasRachford, HyperLaplacian, RichardsonLucy
from blurlab.deconvolver.iteration import BatchState, iterate
from blurlab.deconvolver.laws import kernels, made_up
from blurlab.physics import Convolution


@dataclass
class Problem(BatchState):
    factor: Tensor


@dataclass
class State(BatchState):
    u: Tensor


def grow(problem: Problem, state: State) -> State:
    return State(1 + problem.factor * (state.u - 1))


def run(*factors: float, iterations: int = 200, first: float = 2.0) -> tuple[Tensor, dict[str, list[float]]]:
    problem = Problem(torch.tensor(factors).reshape(-1, 1, 1, 1))
    return iterate(
        grow, problem, State(torch.full((len(factors), 1, 2, 3), first)), iterations, 1e-4,
        lambda p, s: {"error": (s.u - 1).abs().amax((1, 2, 3))},
    )  # fmt: skip


def test_each_image_stops_by_itself() -> None:
    both, history = run(0.5, 0.9)
    torch.testing.assert_close(both, torch.cat([run(0.5)[0], run(0.9)[0]]), atol=0, rtol=0)
    assert [len(run(factor)[1]["error"]) for factor in (0.5, 0.9)] == [3, 14]
    assert set(history) == {"relative_change", "error"} and len(history["error"]) == 14
    assert history["error"][0] == pytest.approx((0.5**5 + 0.9**5) / 2, rel=1e-4)
    assert history["error"][-1] == pytest.approx(0.9**70, rel=1e-2)  # the mean of those still going


@pytest.mark.parametrize("factor", [3.0, -3.0, float("inf"), float("nan")])
def test_images_that_diverge_are_named(factor: float) -> None:
    with pytest.raises(ArithmeticError, match=r"diverged by iteration \d+ on images 1, 3 of the batch"):
        run(0.9, factor, 0.5, factor)


def test_a_large_image_that_stays_so_has_not_diverged() -> None:
    assert float(run(0.999, iterations=20, first=1e6)[0].max()) > 9e5


def test_a_window_is_what_counts() -> None:
    def drift(problem: Problem, state: State) -> State:
        return State(state.u + problem.factor * torch.tensor([0.0, 1, 1]))

    problem, state = Problem(torch.ones(1, 1, 1, 1)), State(torch.ones(1, 1, 2, 3))
    assert len(iterate(drift, problem, state, 50, 1e-4)[1]["relative_change"]) == 10
    assert len(iterate(drift, problem, state, 50, 1e-4, window=(2, 1))[1]["relative_change"]) == 1


@pytest.mark.parametrize("solver", [HyperLaplacian(), DouglasRachford(), RichardsonLucy(), EPLL()])
def test_solvers_come_down_to_the_noise(solver: Deconvolver) -> None:
    x = made_up(2, (48, 48), generator=torch.Generator().manual_seed(0))
    psf, sigma = kernels(2), 0.02
    y = Convolution(psf, "valid").A(x)
    y = y + sigma * torch.randn(y.shape, generator=torch.Generator().manual_seed(1))
    misfits = solver(y, psf, sigma).history["misfit"]
    assert misfits[-1] == pytest.approx(sigma, rel=0.3)
