"""From posteriors to the strength that is handed on."""

from __future__ import annotations

import torch

from blurlab.pipeline import RiskTable, credible_interval, most_probable

GRID = torch.tensor([4.0, 6.0, 8.0])


def test_expected_risk_prefers_the_shorter_kernel_when_the_longer_one_costs_more() -> None:
    loss = torch.tensor([[0.0, 3.0, 6.0], [11.0, 0.0, 3.0], [19.0, 8.0, 0.0]])  # papers.md: too long costs far more
    table = RiskTable(GRID, GRID, loss)
    posterior = torch.tensor([[0.4, 0.6, 0.0], [0.0, 0.1, 0.9], [1.0, 0.0, 0.0]])
    assert most_probable(posterior, GRID).tolist() == [6.0, 8.0, 4.0]
    assert table.choose(posterior).tolist() == [4.0, 8.0, 4.0]


def test_choice_is_the_argmin_of_the_expected_loss() -> None:
    generator = torch.Generator().manual_seed(0)
    loss = torch.rand(7, 3, generator=generator)
    posterior = torch.rand(50, 3, generator=generator).softmax(1)
    candidates = torch.linspace(4, 8, 7)
    expected = [
        float(candidates[min(range(7), key=lambda c: sum(float(p[m] * loss[c, m]) for m in range(3)))])
        for p in posterior
    ]
    assert RiskTable(candidates, GRID, loss).choose(posterior).tolist() == expected


def test_interval_holds_the_asked_mass_of_a_known_posterior() -> None:
    grid = torch.linspace(1, 10, 181)
    centre, spread = 5.0, 0.5
    posterior = torch.exp(-0.5 * ((grid - centre) / spread) ** 2)[None]
    low, high = credible_interval(posterior / posterior.sum(), grid)[0].tolist()
    assert abs(low - (centre - 1.6449 * spread)) < 0.02
    assert abs(high - (centre + 1.6449 * spread)) < 0.02


def test_interval_of_a_sure_answer_is_no_wider_than_its_class() -> None:
    low, high = credible_interval(torch.tensor([[0.0, 1.0, 0.0]]), GRID)[0].tolist()
    assert 5.0 <= low <= high <= 7.0
