"""Questions and their targets."""

from __future__ import annotations

import pytest
import torch
from truths import truth

from blurlab.head import KindLabels, StrengthLabels


def test_two_hot_target_keeps_the_strength_as_its_mean() -> None:
    labels = StrengthLabels([1.0, 1.25, 2.0, 10.0])
    strength = torch.tensor([1.0, 1.1, 1.25, 1.9, 7.3, 10.0])
    target = labels.probabilities(torch.zeros(6, dtype=torch.long), strength)
    assert torch.allclose(target.sum(1), torch.ones(6))
    assert torch.allclose(target @ labels.grid_px, strength, atol=1e-6)
    assert int((target > 0).sum(1).max()) == 2


def test_strengths_beyond_the_grid_go_to_its_ends() -> None:
    target = StrengthLabels([4.0, 6.0]).probabilities(torch.zeros(2, dtype=torch.long), torch.tensor([0.0, 99.0]))
    assert target.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_kind_target_is_one_hot() -> None:
    labels = KindLabels(("none", "defocus", "motion"))
    assert labels.probabilities(torch.tensor([2, 0]), torch.zeros(2)).tolist() == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]


def test_accuracy_counts_the_nearest_class() -> None:
    labels = StrengthLabels([1.0, 2.0, 4.0])
    output = torch.tensor([[0.0, 3.0, 1.0], [0.0, 3.0, 1.0]])
    known = truth(torch.zeros(2, dtype=torch.long), strength_px=torch.tensor([2.4, 3.9]))
    assert labels.figures(output, known)["accuracy"].tolist() == [1.0, 0.0]
    expected = torch.nn.functional.cross_entropy(output, labels.probabilities(known.kind, known.strength_px))
    torch.testing.assert_close(labels.loss(output, known).mean(), expected)


@pytest.mark.parametrize("grid", [[1.0], [2.0, 1.0], [1.0, 1.0]])
def test_a_grid_that_does_not_increase_is_refused(grid: list[float]) -> None:
    with pytest.raises(ValueError, match="increasing"):
        StrengthLabels(grid)
