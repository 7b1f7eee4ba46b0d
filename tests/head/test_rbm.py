"""Machines so small that every state can be counted."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch

from blurlab.head import RBM

DATA = torch.tensor([[1, 1, 0, 0, 1.0], [0, 0, 1, 1, 0.0], [1, 1, 0, 0, 0.0]]).repeat(20, 1)


def states(units: int) -> torch.Tensor:
    return torch.tensor(list(product([0.0, 1.0], repeat=units)))


def machine(visible: int, hidden: int, gaussian: bool, scale: float = 1.0) -> RBM:
    torch.manual_seed(4)
    made = RBM(visible, hidden, gaussian)
    with torch.no_grad():
        for weight in made.parameters():
            weight.copy_(scale * torch.randn(weight.shape))
    return made


def energy(made: RBM, v: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    """E (n visible states, m hidden states), written out."""
    coupled = v @ made.weight.T @ h.T + h @ made.hidden_bias
    if made.gaussian_visible:
        return (v - made.visible_bias).square().sum(1, keepdim=True) / 2 - coupled
    return -(v @ made.visible_bias)[:, None] - coupled


def log_partition(made: RBM) -> torch.Tensor:
    """log Z, by the hidden states: the visible units are summed or integrated out in closed form."""
    h = states(len(made.hidden_bias))
    total = h @ made.weight
    if made.gaussian_visible:
        visible = total @ made.visible_bias + total.square().sum(1) / 2 + total.shape[1] / 2 * math.log(2 * math.pi)
    else:
        visible = torch.nn.functional.softplus(total + made.visible_bias).sum(1)
    return (h @ made.hidden_bias + visible).logsumexp(0)


@torch.no_grad()
def log_likelihood(made: RBM, v: torch.Tensor) -> float:
    return float((-made.free_energy(v) - log_partition(made)).mean())


@torch.no_grad()
def test_probabilities_and_free_energy_are_those_of_all_states() -> None:
    made = machine(4, 3, gaussian=False)
    v, h = states(4), states(3)
    joint = -energy(made, v, h)
    torch.testing.assert_close(made.free_energy(v), -joint.logsumexp(1))
    torch.testing.assert_close(made.hidden_probability(v), joint.softmax(1) @ h)
    torch.testing.assert_close(made.visible_mean(h), joint.T.softmax(1) @ v)
    torch.testing.assert_close(log_partition(made), joint.flatten().logsumexp(0))


@torch.no_grad()
def test_gaussian_probabilities_and_free_energy_agree_with_sums_over_states_and_a_grid() -> None:
    made = machine(2, 3, gaussian=True, scale=0.5)
    line = torch.linspace(-8, 8, 401)
    v, h = torch.cartesian_prod(line, line), states(3)
    joint = -energy(made, v, h)
    torch.testing.assert_close(made.free_energy(v), -joint.logsumexp(1), rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(made.hidden_probability(v), joint.softmax(1) @ h, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(made.visible_mean(h), joint.T.softmax(1) @ v, rtol=1e-4, atol=1e-4)
    cell = 2 * math.log(float(line[1] - line[0]))
    torch.testing.assert_close(log_partition(made), joint.flatten().logsumexp(0) + cell, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("gaussian", [False, True])
def test_the_gradient_is_the_difference_of_correlations(gaussian: bool) -> None:
    made = machine(5, 4, gaussian)
    v = DATA + 0.1
    loss, error = made.contrastive_divergence(v, generator=torch.Generator().manual_seed(1))
    loss.backward()
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        h = made.hidden_probability(v)
        mean = made.visible_mean(torch.bernoulli(h, generator=draw))
        after = mean + torch.randn(mean.shape, generator=draw) if gaussian else mean
        expected = (made.hidden_probability(after).T @ after - h.T @ v) / len(v)
    torch.testing.assert_close(made.weight.grad, expected)
    torch.testing.assert_close(made.visible_bias.grad, (after - v).mean(0))
    torch.testing.assert_close(made.hidden_bias.grad, (made.hidden_probability(after) - h).mean(0).detach())
    torch.testing.assert_close(error, (v - mean).square().mean())


@pytest.mark.parametrize("gaussian", [False, True])
@pytest.mark.parametrize("steps", [1, 3])
def test_it_raises_the_likelihood_and_lowers_the_error(gaussian: bool, steps: int) -> None:
    torch.manual_seed(0)
    made, draw = RBM(5, 4, gaussian), torch.Generator().manual_seed(0)
    noise = 0.3 * torch.randn(DATA.shape, generator=draw)
    v = 4 * (DATA - DATA.mean(0)) + noise if gaussian else DATA
    optimizer = torch.optim.SGD(made.parameters(), lr=0.02 if gaussian else 0.2)
    likelihoods, errors = [log_likelihood(made, v)], []
    for _ in range(300):
        loss, error = made.contrastive_divergence(v, steps, generator=draw)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        errors.append(float(error))
        likelihoods.append(log_likelihood(made, v))
    assert likelihoods[-1] > likelihoods[0] + 1.5
    assert sum(errors[-20:]) < 0.5 * sum(errors[:20])
    if not gaussian:  # three patterns: no model of them has more than the entropy's negative
        assert -math.log(3) - 0.7 < likelihoods[-1] < -math.log(3)


def test_a_gaussian_machine_learns_nothing_from_white_noise() -> None:
    torch.manual_seed(0)
    made, draw = RBM(20, 10, gaussian_visible=True), torch.Generator().manual_seed(0)
    optimizer = torch.optim.SGD(made.parameters(), lr=0.02)
    before = float(made.weight.detach().norm())
    for _ in range(500):
        v = torch.randn(100, 20, generator=draw)
        optimizer.zero_grad()
        made.contrastive_divergence(v, generator=draw).loss.backward()
        optimizer.step()
    assert float(made.weight.detach().norm()) < before


def test_it_takes_one_step_at_least_and_float32_under_autocast() -> None:
    made, draw = RBM(5, 4), torch.Generator()
    with pytest.raises(ValueError, match="one step or more"):
        made.contrastive_divergence(DATA, 0, generator=draw)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = made.contrastive_divergence(DATA.bfloat16(), generator=draw.manual_seed(3))
    outside = made.contrastive_divergence(DATA, generator=draw.manual_seed(3))
    assert inside.loss.dtype == torch.float32 and torch.equal(inside.loss, outside.loss)
