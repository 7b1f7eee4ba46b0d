"""From posteriors to the strength that is handed on."""

from __future__ import annotations

import pytest
import torch

from blurlab.blur import AnisotropicGaussian, Defocus, Gaussian, Mixture, Motion, NoBlur, Taps, identity_psf
from blurlab.pipeline import (
    Direct,
    Hierarchical,
    RiskTable,
    conformal_halfwidth,
    credible_classes,
    most_probable,
)

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


def test_conformal_interval_covers_new_items_as_often_as_it_says() -> None:
    generator = torch.Generator().manual_seed(0)
    hits = []
    for _ in range(400):
        errors = torch.randn(120, generator=generator).abs()
        hits.append(float((errors[:60] <= conformal_halfwidth(errors[60:])).float().mean()))
    assert 0.89 < sum(hits) / len(hits) < 0.93


def test_classes_of_an_interval_hold_the_asked_mass() -> None:
    posterior = torch.tensor([[0.0, 1.0, 0.0], [0.3, 0.4, 0.3], [0.93, 0.04, 0.03]])
    assert credible_classes(posterior, GRID).tolist() == [[6.0, 6.0], [4.0, 8.0], [4.0, 6.0]]


class Says(torch.nn.Module):
    """A head that has made up its mind."""

    def __init__(self, probability: list[float]) -> None:
        super().__init__()
        self.logits = torch.tensor(probability).clamp_min(1e-9).log()

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        return self.logits.expand(len(y), -1)


def test_direct_names_the_most_probable_class_and_hands_on_the_least_risky_kernel() -> None:
    identifier = Direct(Taps([4, 6]))
    taps = identifier.taps_px
    loss = torch.tensor([[0.0, 2.0, 2.0], [9.0, 0.0, 1.0], [12.0, 4.0, 0.0]])  # sharp spoilt by any kernel
    found = identifier.identify(
        torch.zeros(2, 1, 64, 64), {"taps": Says([0.45, 0.55, 0.0])}, {"taps": RiskTable(taps, taps, loss)}
    )
    label = found.label
    assert label is not None and label.kind.tolist() == [1, 1]
    assert label.strength_map_px.tolist() == [4.0, 4.0]
    assert label.strength_px.tolist() == [0.0, 0.0]
    assert not found.blurred.any() and label.most_probable.blurred.all()
    assert torch.equal(found.psf, identity_psf(2, 7)) and float(label.most_probable.psf.max()) == 0.25
    assert torch.allclose(label.probability[0], torch.tensor([0.45, 0.55]))


def test_hierarchy_takes_a_family_of_one_kind_and_its_own_range() -> None:
    identifier = Hierarchical(Gaussian([0.5, 2.5]))
    assert identifier.family.kinds == ("none", "gaussian")
    assert [task.name for task in identifier.tasks] == ["type", "strength_gaussian"]
    assert identifier.grids["gaussian"][[0, -1]].tolist() == [0.5, 2.5]
    longer, shorter = identifier.scorer.neighbours_px(torch.tensor([1, 1, 0]), torch.tensor([0.6, 2.45, 0.0]))
    assert longer.isnan().tolist() == [False, True, True]
    assert shorter.isnan().tolist() == [True, False, True]


def test_a_parameter_that_no_question_asks_for_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="no one parameter for its strength"):
        Hierarchical(AnisotropicGaussian([1, 2], [1, 2], 0))
    for family in (
        Motion([1, 10], [0, 180]),
        Mixture({"none": NoBlur(), "motion": Motion([1, 10], [0, 90]), "defocus": Defocus([1, 5])}),
    ):
        with pytest.raises(ValueError, match="only strengths are learned; fix it"):
            Hierarchical(family)
