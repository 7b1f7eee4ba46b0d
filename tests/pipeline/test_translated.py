"""An identifier tried on more kinds than it knows: its own answers, in the names of these."""

from __future__ import annotations

import pytest
import torch
import yaml
from test_by_likelihood import observed

from blurlab.blur import Defocus, Mixture, Motion, NoBlur, Trajectory
from blurlab.core.rng import generator
from blurlab.deconvolver import Wiener
from blurlab.pipeline import FreeKernel, Likelihood, Photograph, Pipeline, Translated
from blurlab.run.command.names import conf_dir
from blurlab.run.setup.build import build
from blurlab.run.stage.load import untrained

OWN = Mixture({"none": NoBlur(), "defocus": Defocus([1, 6]), "motion": Motion([3, 12], [0, 180])})
TRIED = Mixture({
    "shake": Trajectory(1.0, 20.0), "motion": Motion([3, 30], [0, 180]), "none": NoBlur(), "defocus": Defocus([1, 4]),
})  # fmt: skip
KIND = torch.tensor([2, 3, 1])


def test_kinds_and_parameters_are_found_by_their_names() -> None:
    own = Pipeline(Likelihood(OWN), {}, {}, Wiener()).identify(observed())
    found = Pipeline(Translated(TRIED, identifier=Likelihood(OWN)), {}, {}, Wiener()).identify(observed())
    assert own.label is not None and found.label is not None
    assert found.label.kind.tolist() == KIND.tolist()
    assert torch.equal(found.psf, own.psf) and torch.equal(found.blurred, own.blurred)
    for mine, theirs in ((found.label.params, own.label.params), (found.label.halfwidth, own.label.halfwidth)):
        assert mine is not None and theirs is not None
        for name in TRIED.names:
            column = mine[:, TRIED.names.index(name)]
            if name in OWN.names:
                assert torch.equal(column.nan_to_num(-1), theirs[:, OWN.names.index(name)].nan_to_num(-1))
            else:
                assert bool(column.isnan().all())
    assert bool((found.label.probability[:, 0] == 0).all())
    order = [OWN.kinds.index(kind) for kind in TRIED.kinds[1:]]
    assert torch.equal(found.label.probability[:, 1:], own.label.probability[:, order])
    assert bool(found.label.can_tell.all())


def test_what_cannot_be_told_is_as_likely_for_every_kind_tried() -> None:
    identifier = Translated(TRIED, identifier=Likelihood(OWN))
    flat = torch.full((1, 1, 128, 128), 0.5)
    stripes = torch.rand(1, 1, 1, 128, generator=generator("stripes")).expand(1, 1, 128, 128)
    found = Pipeline(identifier, {}, {}, Wiener()).identify(torch.cat([flat, stripes, observed()[:1, :, :128, :128]]))
    assert found.label is not None
    assert torch.equal(found.label.probability[:2], torch.full((2, 4), 0.25))
    assert found.label.can_tell.tolist() == [False, False, True] and not bool(found.blurred[:2].any())


def test_the_scorer_is_that_of_the_blurs_tried() -> None:
    scorer = Translated(TRIED, identifier=Likelihood(OWN)).scorer
    assert scorer.labels == TRIED.kinds and set(scorer.strength_errors()) == {"motion", "defocus"}


def test_the_likelihood_is_tried_on_the_five_kinds_of_a_camera() -> None:
    read = {path: yaml.safe_load((conf_dir() / path).read_text())
            for path in ("pipeline/likelihood_release.yaml", "blur/camera_kinds.yaml")}  # fmt: skip
    tried = build(read["pipeline/likelihood_release.yaml"], build(read["blur/camera_kinds.yaml"]))
    assert isinstance(tried, Translated) and isinstance(tried.identifier, Likelihood)
    assert tried.identifier.family.kinds == ("none", "gaussian", "defocus", "motion")


def test_the_tool_knows_the_blurs_of_camera_kinds() -> None:
    family = build(yaml.safe_load((conf_dir() / "blur" / "camera_kinds.yaml").read_text()))
    shipped = untrained().pipeline.identifier
    assert isinstance(shipped, Photograph) and shipped.tasks == ()
    assert shipped.family.kinds == family.kinds and shipped.family.parameters == family.parameters
    assert shipped.family.size == family.size


def test_what_cannot_be_translated_is_refused() -> None:
    with pytest.raises(ValueError, match="lack none"):
        Translated(Mixture({"motion": Motion([3, 12], [0, 180])}), identifier=Likelihood(Mixture({"none": NoBlur()})))
    with pytest.raises(TypeError, match="must be mixtures"):
        Translated(Motion([3, 12], 0), identifier=Likelihood(OWN))
    with pytest.raises(TypeError, match="must be an Identifier"):
        Translated(TRIED, identifier=OWN)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="networks"):
        Translated(TRIED, identifier=FreeKernel(TRIED))
