"""The general regression network: its formula, its blocks, its spread, its angles."""

from __future__ import annotations

import pytest
import torch

from blurlab.blur import Parameter, length, line_angle, parameter
from blurlab.core.rng import generator
from blurlab.head import grnn as module
from blurlab.head.grnn import GRNN, best_spread, decode, encode, grnn, leave_one_out

LENGTHS = [length("a_px", [0, 9]), length("b_px", [0, 9])]


def cloud(n: int, d: int = 3, seed: str = "grnn") -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.randn(n, d, generator=generator(seed), dtype=torch.float64)
    return x, torch.stack([x.sum(1).sin(), x[:, 0] ** 2], 1)


def naive(x: torch.Tensor, patterns: torch.Tensor, targets: torch.Tensor, spread: float) -> torch.Tensor:
    weight = (-(torch.cdist(x, patterns) ** 2) / (2 * spread**2)).exp()
    return weight @ targets / weight.sum(1, keepdim=True)


@pytest.mark.parametrize("at_once", [2**24, 50, 1])
def test_is_spechts_formula_whatever_the_blocks(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(module, "AT_ONCE", at_once)
    patterns, targets = cloud(40)
    x, _ = cloud(7, seed="queries")
    assert torch.allclose(grnn(x, patterns, targets, 0.5), naive(x, patterns, targets, 0.5))
    expected = []
    for i in range(40):
        rest = torch.arange(40) != i
        expected.append((naive(patterns[i : i + 1], patterns[rest], targets[rest], 0.5) - targets[i]).square().mean())
    (error,) = leave_one_out(patterns, targets, [0.5])
    assert float(error.mean()) == pytest.approx(float(torch.stack(expected).mean()))


def test_a_far_query_gets_its_nearest_pattern_and_not_nan() -> None:
    patterns, targets = cloud(20)
    far = 1e3 * torch.ones(1, 3, dtype=torch.float64)
    nearest = torch.cdist(far, patterns).argmin()
    assert torch.allclose(grnn(far, patterns, targets, 0.01), targets[nearest])


def test_the_spread_is_that_of_least_leave_one_out_error() -> None:
    patterns, targets = cloud(300)
    spread, at_best = best_spread(patterns, targets)
    errors = [float(error.sum()) for error in leave_one_out(patterns, targets, [spread / 2, spread, 2 * spread])]
    assert errors[1] == min(errors) and errors[1] == pytest.approx(float(at_best.sum()))
    held_out, truth = cloud(300, seed="new")
    assert (GRNN(patterns, targets, LENGTHS)(held_out) - truth).square().mean() < 0.5 * truth.var()


def test_angles_are_averaged_across_the_half_turn() -> None:
    patterns = torch.tensor([[0.0], [1.0]])
    network = GRNN(
        patterns,
        torch.tensor([[4.0, 178.0], [6.0, 4.0]]),
        [length("length_px", [0, 9]), line_angle("angle_deg", [0, 180])],
        spread=1.0,
    )
    (found,) = network(torch.tensor([[0.5]]))
    assert found.tolist() == pytest.approx([5.0, 1.0], abs=1e-4)
    params = torch.tensor([[3.0, 0.0], [5.0, 91.0], [7.0, 179.5]])
    assert torch.allclose(decode(encode(params, network.measured), network.measured), params, atol=1e-4)


def test_any_period_is_averaged_round_its_own_circle() -> None:
    measured = [Parameter("turn", "", 0, 60, period=60.0), parameter("tilt", "", [-2, 2], signed=True)]
    network = GRNN(torch.tensor([[0.0], [1.0]]), torch.tensor([[58.0, -1.5], [4.0, 0.5]]), measured, spread=1.0)
    (found,) = network(torch.tensor([[0.5]]))
    assert found.tolist() == pytest.approx([1.0, -0.5], abs=1e-4)


@pytest.mark.parametrize("spread", [0.0, -1.0, float("nan")])
def test_a_wrong_spread_is_refused(spread: float) -> None:
    with pytest.raises(ValueError, match="spread must be positive"):
        grnn(torch.zeros(1, 2), torch.zeros(3, 2), torch.zeros(3, 1), spread)


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"queries must be \(B, 2\)"):
        grnn(torch.zeros(1, 3), torch.zeros(3, 2), torch.zeros(3, 1), 1.0)
    with pytest.raises(ValueError, match="patterns must be"):
        grnn(torch.zeros(1, 2), torch.zeros(3, 2), torch.zeros(4, 1), 1.0)
    with pytest.raises(ValueError, match=r"params must be \(n, 2\)"):
        GRNN(torch.zeros(3, 2), torch.zeros(3, 1), LENGTHS)


def test_state_survives_a_round_trip() -> None:
    patterns, targets = cloud(10)
    network = GRNN(patterns, targets, LENGTHS, spread=0.3)
    other = GRNN(torch.zeros_like(patterns), torch.ones_like(targets), LENGTHS, spread=9.0)
    other.load_state_dict(network.state_dict())
    assert torch.equal(other(patterns), network(patterns))
