"""Pipelines that measure: scales, what refinement adds, what a GRNN remembers."""

from __future__ import annotations

import pytest
import torch
from knowing import Knows, textures
from torch import Tensor, nn

from blurlab.blur import Defocus, Mixture, Motion
from blurlab.deconvolver import TV
from blurlab.head import Compact
from blurlab.likelihood import Refiner
from blurlab.pipeline import BlurEstimate, GeneralRegression, Pipeline, Regression
from blurlab.pipeline.calibration import PosteriorCalibration

FAMILY = Mixture({"motion": Motion([3, 12], [0, 180]), "defocus": Defocus([1, 6])})


def test_refinement_lowers_the_networks_error_and_keeps_its_word() -> None:
    identifier = Regression(FAMILY, refine=lambda member: Refiner(member))
    example = textures(FAMILY, 10)
    nets = {"blur": Knows(identifier, example, 0.08), "scale": PosteriorCalibration(torch.ones(3), torch.ones(3))}
    estimate = identifier.identify(example.y, nets, {})
    found = estimate.label
    assert found is not None and found.before is not None and estimate.sigma is not None
    right = found.kind == example.kind
    assert bool(right.all())
    before = (found.before[1] - example.params).abs()[:, [0, 2]].nan_to_num(0).sum(1)
    after = (found.params - example.params).abs()[:, [0, 2]].nan_to_num(0).sum(1)
    assert after.median() < before.median() / 3


def test_without_a_refiner_the_networks_estimate_stands() -> None:
    identifier = Regression(FAMILY)
    example = textures(FAMILY, 4)
    nets = {
        "blur": Knows(identifier, example, 0.0),
        "scale": PosteriorCalibration(torch.full((3,), 2.0), torch.ones(3)),
    }
    estimate = identifier.identify(example.y, nets, {})
    found = estimate.label
    assert found is not None
    torch.testing.assert_close(found.params, example.params, rtol=1e-4, atol=1e-3, equal_nan=True)
    assert found.before is None and estimate.sigma is None
    half = 2 * torch.exp(torch.tensor(-2.0)) * torch.where(example.kind == 0, 4.5, 2 * 2.5)
    torch.testing.assert_close((found.interval_px[:, 1] - found.strength_px), half, rtol=1e-4, atol=1e-3)


def test_the_scale_learned_holds_nine_tenths() -> None:
    g = torch.Generator().manual_seed(1)
    n = 2000
    spread = torch.rand(n, 1, generator=g) + 0.1
    off = 3 * spread * torch.randn(n, 1, generator=g)
    kind = torch.randint(2, (n,), generator=g)
    logits = torch.nn.functional.one_hot(kind, 2) * 5.0
    flipped = torch.rand(n, generator=g) < 0.1
    logits[flipped] = logits[flipped].flip(1)
    scale = PosteriorCalibration.fit(logits, None, kind, [spread], [off])
    assert float(scale.multiple[0]) == pytest.approx(3 * 1.645, rel=0.06)
    sure = scale(logits).amax(1).mean()
    assert float(sure) == pytest.approx(1 - float(flipped.float().mean()), abs=0.01)


def test_evidence_counts_as_much_as_it_is_worth() -> None:
    g = torch.Generator().manual_seed(2)
    kind = torch.randint(2, (500,), generator=g)
    told = torch.nn.functional.one_hot(kind, 2) * 40.0 + 10 * torch.randn(500, 2, generator=g)
    nothing = torch.randn(500, 2, generator=g)
    spread = torch.ones(500, 1)
    good = PosteriorCalibration.fit(nothing, told, kind, [spread], [spread])
    useless = PosteriorCalibration.fit(told, nothing, kind, [spread], [spread])
    assert float((good(nothing, told).argmax(1) == kind).float().mean()) > 0.98
    assert float((useless(told, nothing).argmax(1) == kind).float().mean()) > 0.98


def test_the_better_of_two_estimates_is_heard_more() -> None:
    g = torch.Generator().manual_seed(8)
    exact, rough = 0.1 * torch.randn(900, 2, generator=g), torch.randn(900, 2, generator=g)
    first = torch.stack([rough[:, 0], exact[:, 1]], 1)
    second = torch.stack([exact[:, 0], rough[:, 1]], 1)
    ones = torch.ones(900, 2)
    scale = PosteriorCalibration.fit(
        torch.zeros(900, 2), None, torch.zeros(900, dtype=torch.long), [ones, ones], [first, second]
    )
    assert float(scale.share[0]) > 0.9 and float(scale.share[1]) < 0.1


def test_a_share_of_an_angle_goes_the_shorter_way_round() -> None:
    apart = FAMILY.apart(torch.tensor([[5.0, 178.0, 2.0]]), torch.tensor([[6.0, 4.0, 2.5]]))
    torch.testing.assert_close(apart, torch.tensor([[1.0, 6.0, 0.5]]))


def test_scale_comes_back_from_its_state() -> None:
    scale = PosteriorCalibration(torch.tensor([1.0, 2.0]), torch.tensor([0.5, 1.0]), 1.7, 0.2)
    back = Regression(FAMILY).fitted_parts[-1].restore(scale.state_dict())
    logits = torch.randn(4, 2, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(back(logits, logits), scale(logits, logits))


def test_a_grnn_for_each_kind_measures_what_it_has_seen() -> None:
    shrink = nn.Sequential(nn.AdaptiveAvgPool2d(6), nn.Flatten())
    identifier = GeneralRegression(FAMILY, feature=shrink)
    seen = textures(FAMILY, 24)
    fitted_parts = identifier.fitted_parts
    assert [part.name for part in fitted_parts] == ["grnn_motion", "grnn_defocus", "scale"]
    nets: dict[str, nn.Module] = {"type": Truth(seen.kind), "scale": SCALE}
    for part, kind in zip(fitted_parts, (0, 1), strict=False):
        rows = seen.kind == kind
        learned = part.learn([seen.take(rows.nonzero().squeeze(1))], nets)
        again = part.restore(learned.state_dict())
        torch.testing.assert_close(again(shrink(seen.y)), learned(shrink(seen.y)), rtol=1e-4, atol=1e-3)
        assert bool((again.residual == learned.residual).all()) and bool((learned.residual > 0.05).all())  # type: ignore[operator,union-attr]
        learned.spread.fill_(1e-3)  # type: ignore[operator,union-attr]  # so narrow that each image remembers itself alone
        nets[part.name] = learned
    found = identifier.identify(seen.y, nets, {}).label
    assert found is not None
    torch.testing.assert_close(found.params, seen.params, rtol=1e-3, atol=0.05, equal_nan=True)


class Truth(nn.Module):
    """Logits that name these kinds."""

    def __init__(self, kind: Tensor) -> None:
        super().__init__()
        self.logits = 9.0 * torch.nn.functional.one_hot(kind, 2)

    def forward(self, y: Tensor) -> Tensor:
        return self.logits


def test_taps_are_refused() -> None:
    from blurlab.blur import Taps

    with pytest.raises(ValueError, match="pipeline=direct"):
        Regression(Taps([3, 5]))


def estimated(y: Tensor) -> BlurEstimate:
    torch.manual_seed(0)
    identifier = Regression(FAMILY)
    nets = {"blur": Compact(len(identifier.target), width=4, hidden=8, window=32, hop=16).eval(), "scale": SCALE}
    return Pipeline(identifier, nets, {}, TV()).identify(y)


SCALE = PosteriorCalibration(torch.ones(3), torch.ones(3))


@pytest.mark.parametrize("level", [0.0, 0.4, 1.0, "clipped"])
def test_of_a_constant_or_saturated_patch_every_kind_is_as_likely(level: float | str) -> None:
    y = torch.rand(3, 1, 48, 48, generator=torch.Generator().manual_seed(4))
    y[1] = (40 * y[1] - 20).clamp(0, 1) if level == "clipped" else level
    estimate, others = estimated(y), estimated(y[[0, 2]])
    found, same = estimate.label, others.label
    assert found is not None and same is not None
    assert found.probability[1].tolist() == [0.5, 0.5] and bool(found.params[1].isnan().all())
    assert estimate.blurred.tolist() == [True, False, True] and float(estimate.psf[1].max()) == 1.0
    for name in ("kind", "probability", "params", "interval_px", "strength_px"):
        torch.testing.assert_close(getattr(found, name)[[0, 2]], getattr(same, name), equal_nan=True)
    torch.testing.assert_close(estimate.psf[[0, 2]], others.psf)
    torch.testing.assert_close(found.most_probable.psf[[0, 2]], same.most_probable.psf)


def test_of_nothing_but_constant_patches_nothing_is_told() -> None:
    estimate = estimated(torch.full((2, 1, 48, 48), 0.7))
    found = estimate.label
    assert found is not None and found.before is None and not estimate.blurred.any()
    assert bool(found.interval_px.isnan().all()) and found.probability.tolist() == [[0.5, 0.5]] * 2


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (torch.full((1, 1, 48, 48), torch.nan), "NaN or infinite"),
        (torch.rand(1, 1, 20, 20, generator=torch.Generator().manual_seed(5)), "at least window=32"),
        (torch.randint(255, (1, 1, 48, 48), generator=torch.Generator().manual_seed(6)), "floating-point"),
    ],
)
def test_what_cannot_be_an_observed_image_is_refused_with_the_reason(y: Tensor, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        estimated(y)


def test_a_patch_smaller_than_the_kernel_is_measured_and_restored() -> None:
    wide = Mixture({"motion": Motion([3, 40], [0, 180]), "defocus": Defocus([1, 6])})
    identifier = Regression(wide)
    nets = {"blur": Compact(len(identifier.target), width=4, hidden=8, window=32, hop=16).eval(), "scale": SCALE}
    y = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(7))
    assert wide.size > 32
    done = Pipeline(identifier, nets, {}, TV())(y, 0.01)
    assert done.image.shape == y.shape and bool(done.image.isfinite().all())
