"""Kinds of which no one parameter is the strength: what regression and a GRNN answer, and who refuses them."""

from __future__ import annotations

import pytest
import torch
from knowing import Knows, textures
from torch import Tensor, nn

from blurlab.blur import AnisotropicGaussian, CorrelatedGaussian, Mixture, Motion, NoBlur, Recorded, Trajectory
from blurlab.likelihood import Refiner
from blurlab.pipeline import BlurEstimate, GeneralRegression, Hierarchical, KindEstimate, Likelihood, Regression
from blurlab.pipeline.calibration import PosteriorCalibration

ELLIPSE = AnisotropicGaussian([0.8, 2.5], [0.8, 2.5], [0, 180])
CORRELATED = CorrelatedGaussian([0.8, 2.5], [0.8, 2.5], [-0.8, 0.8])


def labelled(estimate: BlurEstimate) -> KindEstimate:
    assert estimate.label is not None
    return estimate.label


def believed(identifier: Regression) -> PosteriorCalibration:
    count = len(identifier.family.names)
    return PosteriorCalibration(torch.full((count,), 2.0), torch.ones(count))


@pytest.mark.slow
@pytest.mark.parametrize("family", [ELLIPSE, CORRELATED], ids=["ellipse", "correlated"])
def test_the_likelihood_goes_on_from_the_networks_estimate(family: AnisotropicGaussian | CorrelatedGaussian) -> None:
    identifier = Regression(family, refine=lambda member: Refiner(member))
    example = textures(family, 12)
    learned = {"blur": Knows(identifier, example, 0.15)}
    scale = identifier.fitted_parts[-1].learn([example], learned)
    estimate = identifier.identify(example.y, {**learned, "scale": scale}, {})
    found = labelled(estimate)
    assert found.before is not None and found.halfwidth is not None
    has = family.measurable(example.params)
    before = family.apart(example.params, found.before[1]).abs()
    after = family.apart(example.params, found.params).abs()
    medians = [[float(error[:, place][has[:, place]].median()) for place in range(3)] for error in (before, after)]
    assert all(now < 0.6 * then for then, now in zip(*medians, strict=True)), medians
    torch.testing.assert_close(estimate.psf, family.psf(found.params))
    assert torch.equal(estimate.psf, found.most_probable.psf)
    assert found.interval_px.isnan().all() and (found.halfwidth[:, :2] > 0).all()


def test_a_signed_parameter_is_read_with_its_sign() -> None:
    identifier = Regression(CORRELATED)
    example = textures(CORRELATED, 6)
    assert (example.params[:, 2] < 0).any() and (example.params[:, 2] > 0).any()
    nets = {"blur": Knows(identifier, example, 0.0), "scale": believed(identifier)}
    found = labelled(identifier.identify(example.y, nets, {}))
    torch.testing.assert_close(found.params, example.params, rtol=1e-4, atol=1e-3)


def test_kinds_with_and_without_a_strength_stand_side_by_side() -> None:
    family = Mixture({"none": NoBlur(), "motion": Motion([3, 12], [0, 180]), "correlated": CORRELATED})
    identifier = Regression(family)
    example = textures(family, 12)
    nets = {"blur": Knows(identifier, example, 0.0), "scale": believed(identifier)}
    estimate = identifier.identify(example.y, nets, {})
    found, scorer = labelled(estimate), identifier.scorer
    motion, correlated = example.kind == 1, example.kind == 2
    assert motion.any() and correlated.any() and torch.equal(found.kind, example.kind)
    assert found.interval_px[motion].isfinite().all() and found.interval_px[correlated].isnan().all()
    assert (found.strength_px[motion] > 2).all() and (found.strength_px[correlated] == 0).all()
    torch.testing.assert_close(estimate.psf, family.psf(example.params, example.kind), atol=1e-4, rtol=0)
    longer, shorter = scorer.neighbours_px(example.kind, found.strength_px)
    assert longer[correlated].isnan().all() and shorter[correlated].isnan().all()
    assert (longer[motion].isfinite() | shorter[motion].isfinite()).all()
    assert scorer.strength_errors() == {"motion": ("length_mae_px", 1.0)}


def test_what_no_image_tells_is_passed_over_and_no_kernel_is_made_up() -> None:
    family = Trajectory([0.2, 1], [4, 20], size=21)
    identifier = Regression(family)
    assert not any("path_seed" in name for name in identifier.target.names)
    example = textures(family, 3)
    nets = {"blur": Knows(identifier, example, 0.0), "scale": believed(identifier)}
    estimate = identifier.identify(example.y, nets, {})
    found = labelled(estimate)
    torch.testing.assert_close(found.params[:, :2], example.params[:, :2], rtol=1e-3, atol=1e-3)
    assert found.params[:, 2].isnan().all() and found.halfwidth is not None and found.halfwidth[:, 2].isnan().all()
    assert not estimate.blurred.any() and (estimate.psf[:, 0, 10, 10] == 1).all()
    with pytest.raises(ValueError, match="no image tells the path_seed of trajectory"):
        Regression(family, refine=lambda member: Refiner(member))
    fixed = Regression(Trajectory([0.2, 1], 12, path_seed=5, size=15))
    one = textures(fixed.family, 2)
    kernel = fixed.identify(one.y, {"blur": Knows(fixed, one, 0.0), "scale": believed(fixed)}, {}).psf
    torch.testing.assert_close(kernel, fixed.family.psf(one.params, one.kind), atol=1e-3, rtol=0)


def test_recorded_kernels_are_named() -> None:
    family = Mixture({"row": Recorded(torch.ones(1, 5)), "column": Recorded(torch.ones(5, 1))})
    identifier = Regression(family)
    example = textures(family, 4)
    scale = PosteriorCalibration(torch.ones(0), torch.ones(0))
    found = identifier.identify(example.y, {"blur": Knows(identifier, example, 0.0), "scale": scale}, {})
    assert found.blurred.all() and torch.equal(found.psf, family.psf(example.params, example.kind))


class Flat(nn.Module):
    """The same logit for one kind."""

    def forward(self, y: Tensor) -> Tensor:
        return torch.zeros(len(y), 1)


@pytest.mark.parametrize("family", [CORRELATED, Trajectory([0.2, 1], [4, 20], size=21)], ids=["correlated", "path"])
def test_a_grnn_remembers_what_an_image_tells(family: CorrelatedGaussian | Trajectory) -> None:
    shrink = nn.Sequential(nn.AdaptiveAvgPool2d(6), nn.Flatten())
    identifier = GeneralRegression(family, feature=shrink)
    seen = textures(identifier.family, 8)
    part = identifier.fitted_parts[0]
    learned = part.learn([seen], {})
    learned.spread.fill_(1e-3)  # type: ignore[operator,union-attr]  # so narrow that each image remembers itself alone
    nets: dict[str, nn.Module] = {"type": Flat(), part.name: learned, "scale": believed(identifier)}
    found = labelled(identifier.identify(seen.y, nets, {}))
    told = [not one.is_hidden for one in identifier.family.parameters]
    torch.testing.assert_close(found.params[:, told], seen.params[:, told], rtol=1e-3, atol=0.02)
    assert found.params[:, [not one for one in told]].isnan().all()


@pytest.mark.parametrize("pipeline", [Likelihood, Hierarchical])
def test_who_needs_a_strength_says_so(pipeline: type[Likelihood | Hierarchical]) -> None:
    for family in (ELLIPSE, CORRELATED):
        with pytest.raises(ValueError, match="has no one parameter for its strength; use pipeline=regression"):
            pipeline(Mixture({"none": NoBlur(), "blurred": family}))
