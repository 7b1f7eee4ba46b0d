"""What is found of a blur: rows put together, what there is to undo, and how labels are scored."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from blurlab.blur import BlurFamily, Defocus, Field, Gaussian, Mixture, Motion, NoBlur, Recorded, Taps, Trajectory
from blurlab.deconvolver import InLight
from blurlab.noise import Power, Srgb
from blurlab.physics import Degraded, Gradient
from blurlab.pipeline import BlurEstimate, KindEstimate
from blurlab.pipeline.estimate import by_parameters, no_kind_found, nothing_found
from blurlab.pipeline.kind_scorer import KindScorer
from blurlab.pipeline.strengths import Strengths
from blurlab.pipeline.taps_scorer import TapsScorer

FAMILY = Mixture({"none": NoBlur(), "motion": Motion([1, 10], 0), "defocus": Defocus([0.5, 5])})
KIND = torch.tensor([1, 0, 2])
STRENGTH = torch.tensor([6.0, 0.0, 4.0])
Y = torch.zeros(3, 1, 16, 16)


def labelled(before: bool = False) -> BlurEstimate:
    params = FAMILY.at_strength(STRENGTH, KIND)
    label = KindEstimate(
        kind=KIND,
        probability=torch.eye(3)[KIND],
        strength_px=STRENGTH,
        strength_map_px=STRENGTH,
        strength_mean_px=STRENGTH,
        interval_px=torch.stack([STRENGTH - 1, STRENGTH + 1], 1),
        params=params,
        most_probable=by_parameters(FAMILY, params, KIND),
        halfwidth=torch.ones_like(params),
        before=(KIND.flip(0), params.flip(0)) if before else None,
    )
    return by_parameters(FAMILY, params, KIND, torch.full((3,), 0.01), label)


@pytest.mark.parametrize("before", [False, True])
def test_some_rows_are_those_of_another_estimate_in_every_field(before: bool) -> None:
    nothing = replace(nothing_found(FAMILY, torch.zeros(5, 1, 16, 16)), label=no_kind_found(FAMILY, torch.zeros(5, 1)))
    rows, other = torch.tensor([0, 2, 3]), labelled(before)
    found = nothing.with_rows(rows, other)
    left = torch.tensor([1, 4])
    assert found.label is not None and other.label is not None and found.sigma is not None and other.sigma is not None
    assert torch.equal(found.psf[rows], other.psf) and torch.equal(found.psf[left], nothing.psf[left])
    assert found.blurred.tolist() == [True, False, False, True, False]
    assert torch.equal(found.sigma[rows], other.sigma) and bool(found.sigma[left].isnan().all())
    for name in ("kind", "probability", "strength_px", "strength_map_px", "strength_mean_px", "interval_px", "params"):
        torch.testing.assert_close(getattr(found.label, name)[rows], getattr(other.label, name), equal_nan=True)
    assert torch.equal(found.label.most_probable.psf[rows], other.label.most_probable.psf)
    assert torch.equal(found.label.halfwidth[rows], other.label.halfwidth)  # type: ignore[index,arg-type]
    assert bool(found.label.probability[left].eq(1 / 3).all()) and bool(found.label.params[left].isnan().all())
    assert (found.label.before is not None) == before
    if found.label.before is not None:
        assert found.label.before[0][rows].tolist() == KIND.flip(0).tolist()


def test_what_only_one_of_two_estimates_has_is_left_out() -> None:
    plain = replace(labelled(), label=None, sigma=None)
    found = nothing_found(FAMILY, Y).with_rows(torch.arange(3), plain)
    assert found.label is None and found.sigma is None and torch.equal(found.psf, plain.psf)


def test_rows_may_have_an_operator_that_varies_over_the_image() -> None:
    field = Field(Defocus([1, 3]), growth=[2, 2])
    blur = field.operator(torch.tensor([[2.0, 2.0]]), shape=(16 + field.size - 1,) * 2)
    varying = BlurEstimate(blur, torch.ones(1, dtype=torch.bool))
    found = nothing_found(field, Y).with_rows(torch.tensor([1]), varying)
    x = torch.rand(3, 1, 16 + field.size - 1, 16 + field.size - 1, generator=torch.Generator().manual_seed(0))
    seen, edge = found.blur.forward(x), field.size // 2
    torch.testing.assert_close(seen[[0, 2]], x[[0, 2], :, edge:-edge, edge:-edge])
    torch.testing.assert_close(seen[1:2], blur.forward(x[1:2]))
    assert found.blurred.tolist() == [False, True, False]


def test_an_operator_that_is_no_convolution_has_no_kernel() -> None:
    with pytest.raises(TypeError, match="only a convolution has one kernel an image, got Gradient"):
        BlurEstimate(Gradient(), torch.ones(1, dtype=torch.bool)).psf  # noqa: B018


def values(*rows: float) -> Tensor:
    return torch.tensor([*rows])[:, None]


@pytest.mark.parametrize(
    ("family", "params", "changed"),
    [
        (Motion([0.5, 10], 0), torch.tensor([[0.7, 0.0], [1.0, 0.0], [1.05, 0.0]]), [False, False, True]),
        (Defocus([0.3, 5]), values(0.4, 0.5, 0.55), [False, False, True]),  # a radius
        (Gaussian([0.1, 2]), values(0.1, 0.2, 2.0), [False, True, True]),
        (Taps([3, 5]), values(math.nan, 3.0), [False, True]),
        (NoBlur(), torch.zeros(2, 0), [False, False]),
        (Recorded(torch.ones(3, 3)), torch.zeros(1, 0), [True]),
        (Trajectory([0.5, 1], 8), torch.tensor([[0.5, 8.0, 3.0]]), [True]),
    ],
    ids=["motion", "defocus", "gaussian", "taps", "none", "recorded", "trajectory"],
)
def test_a_blur_within_one_pixel_changes_nothing(family: BlurFamily, params: Tensor, changed: list[bool]) -> None:
    assert family.changes(params).tolist() == changed


def truth(kind: Tensor, strength_px: Tensor, params: Tensor) -> Degraded:
    n = len(kind)
    image, nothing = torch.zeros(n, 1, 1, 1), torch.zeros(n)
    return Degraded(image, image, image, kind, params, strength_px, nothing, torch.arange(n), torch.ones(n))


def test_kinds_are_scored_by_kind_and_stand_beside_others_of_their_own_range() -> None:
    scorer = KindScorer(FAMILY, Strengths(FAMILY).members, 1 / 9)
    kind, strength = torch.tensor([1, 1, 0, 2]), torch.tensor([1.5, 9.5, 0.0, 4.0])
    known = truth(kind, strength, FAMILY.at_strength(strength, kind))
    beside = scorer.neighbours(known)
    assert beside["one_longer"][0].tolist() == [0, 3] and beside["one_shorter"][0].tolist() == [1, 3]
    longer = beside["one_longer"][1]
    expected = FAMILY.psf_at(torch.tensor([2.5, 5.0]), torch.tensor([1, 2]))
    torch.testing.assert_close(longer.psf, expected)
    label = labelled().label
    assert label is not None
    assert scorer.is_correct(label, truth(torch.tensor([1, 1, 2]), STRENGTH, label.params)).tolist() == [
        True,
        False,
        True,
    ]
    assert scorer.labels == FAMILY.kinds and len(scorer.rivals()) == 0
    assert scorer.strength_errors() == {"motion": ("length_mae_px", 1.0), "defocus": ("radius_mae_px", 0.5)}


def test_taps_are_scored_by_their_number_and_none_is_never_a_shorter_class() -> None:
    family = Taps([3, 5])
    scorer = TapsScorer(family)
    assert scorer.labels == ("none", "3 taps", "5 taps") and scorer.accuracy == "strength3_accuracy"
    assert TapsScorer(Taps(20)).accuracy == "binary_accuracy"
    strength = torch.tensor([0.0, 3.0, 5.0])
    kind = (strength > 0).long()
    assert scorer.classes(kind, strength).tolist() == [0, 1, 2]
    beside = scorer.neighbours(truth(kind, strength, family.at_strength(strength, kind)))
    assert beside["one_longer"][0].tolist() == [1] and beside["one_shorter"][0].tolist() == [2]
    torch.testing.assert_close(beside["one_shorter"][1].psf, family.psf_at(torch.tensor([3.0]), torch.tensor([1])))
    rivals = scorer.rivals()
    assert len(rivals) == 3 and float(rivals[0].max()) == 1.0


def test_light_and_values_are_undone_each_in_its_own_way() -> None:
    error = torch.tensor([0.1, 0.2, 0.3])
    found = replace(labelled(), of_values=torch.tensor([True, False, True]), error_px=error)
    rows = found.take(torch.tensor([2, 1])).of_values
    assert rows is not None and rows.tolist() == [True, False]
    put = found.with_rows(torch.tensor([0]), replace(found, of_values=None).take(torch.tensor([1]))).of_values
    assert put is not None and put.tolist() == [False, False, True]
    ((index, values),) = found.suited(InLight())  # the second one is not blurred
    assert index.tolist() == [0, 2] and isinstance(values, InLight) and isinstance(values.response, Power)
    assert values.kernel_error_px is not None and torch.equal(values.kernel_error_px, error[[0, 2]])
    ((index, light),) = replace(found, of_values=None).suited(InLight())
    assert index.tolist() == [0, 2] and isinstance(light, InLight) and isinstance(light.response, Srgb)
