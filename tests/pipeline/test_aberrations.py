"""An objective's coefficients with and without a network."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
import torch
import yaml
from torch import nn

from blurlab.blur import Gaussian, Zernike
from blurlab.head import AberrationTarget, SpectrumAndEdges
from blurlab.likelihood import Microscopes, OrientedRefiner
from blurlab.pipeline import Aberrations, NoiseCurve
from blurlab.pipeline.aberrations import PROBE, TASK, Optics, at_noise
from blurlab.pipeline.shipped import save_nets

FAMILY = Zernike(pixel_nm=100)
HEAD = partial(SpectrumAndEdges, width=2, hidden=4)
FIT = partial(OrientedRefiner, starts=2, iterations=2, draws=4)


def weights(folder: Path) -> str:
    torch.manual_seed(0)
    net = HEAD(num_classes=len(AberrationTarget(FAMILY)))
    path = folder / "net.safetensors"
    save_nets({TASK: net, PROBE: Optics(FAMILY)}, path, {})
    return str(path)


def image() -> torch.Tensor:
    return torch.rand(2, 1, 72, 80, generator=torch.Generator().manual_seed(0))


@pytest.mark.slow
def test_a_share_of_the_networks_kernel_is_handed_on_and_intervals_are_widened(tmp_path: Path) -> None:
    found = []
    for share, widen in ((0.0, 1.0), (1.0, 2.0), (0.25, 1.0)):
        curves = {"share": NoiseCurve([1.0], [share]), "widen": NoiseCurve([1.0], [widen])}
        asked = Aberrations(FAMILY, fit=FIT, head=HEAD, weights=weights(tmp_path), **curves)
        assert asked.tasks == ()
        found.append(asked.identify(image(), {}, {}))
    none, whole, quarter = found
    assert none.label is not None and whole.label is not None and whole.label.network_psf is not None
    torch.testing.assert_close(whole.psf, whole.label.network_psf)
    torch.testing.assert_close(quarter.psf, 0.75 * none.psf + 0.25 * whole.psf)
    assert not torch.allclose(none.psf, whole.psf)
    assert none.label.halfwidth is not None and whole.label.halfwidth is not None
    torch.testing.assert_close(whole.label.halfwidth, 2 * none.label.halfwidth)


def test_each_prior_has_a_curve_of_its_own(tmp_path: Path) -> None:
    fit, curves = partial(FIT, others=[Microscopes()]), [NoiseCurve([1.0], [0.0]), NoiseCurve([1.0], [1.0])]
    asked = Aberrations(FAMILY, fit=fit, head=HEAD, weights=weights(tmp_path), share=curves)
    assert asked.refiner is not None
    hint, own = asked.believed(image())
    found = asked.refiner(image(), hint)
    torch.testing.assert_close(at_noise(asked.share, found), found.prior.double())
    expected = torch.where((found.prior == 1)[:, None, None, None], own, found.psf)
    torch.testing.assert_close(asked.identify(image(), {}, {}).psf, expected)
    with pytest.raises(ValueError, match="as many as the priors, got 3"):
        Aberrations(FAMILY, fit=fit, head=HEAD, weights=weights(tmp_path), share=[*curves, curves[0]])


def test_without_a_network_nothing_of_one_is_said() -> None:
    found = Aberrations(FAMILY, fit=FIT).identify(image(), {}, {})
    assert found.label is not None and found.label.network_psf is None


def test_a_head_without_weights_is_a_task_of_the_run() -> None:
    asked = Aberrations(FAMILY, fit=FIT, head=HEAD)
    (task,) = asked.tasks
    net: nn.Module = HEAD(num_classes=len(task.target)).eval()
    label = asked.identify(image(), {task.name: net}, {}).label
    assert label is not None and label.network_psf is not None


def test_a_network_alone_hands_on_its_own_kernel_coefficients_and_intervals(tmp_path: Path) -> None:
    file = weights(tmp_path)
    alone = Aberrations(FAMILY, fit=None, head=HEAD, weights=file)
    found = alone.identify(image(), {}, {})
    hint, psf = alone.believed(image())
    assert not alone.finds_noise and found.sigma is None and found.label is not None
    torch.testing.assert_close(found.psf, psf)
    torch.testing.assert_close(found.label.params, hint.mean.float())
    covariance = torch.linalg.inv(hint.root @ hint.root.mT)
    half = 1.645 * covariance.diagonal(dim1=1, dim2=2).sqrt().float()
    torch.testing.assert_close(found.label.halfwidth, half)
    with pytest.raises(ValueError, match="give it a head"):
        Aberrations(FAMILY, fit=None)


def test_weights_of_other_optics_or_heads_are_refused(tmp_path: Path) -> None:
    file = weights(tmp_path)
    for other in (Zernike(pixel_nm=90), Zernike(0.1, pixel_nm=100), Zernike([0.1, 0.1], [4, 7], pixel_nm=100)):
        with pytest.raises(ValueError, match="other optics or polynomials"):
            Aberrations(other, fit=FIT, head=HEAD, weights=file)
    with pytest.raises(ValueError, match="holds another network"):
        Aberrations(FAMILY, fit=FIT, head=partial(SpectrumAndEdges, width=3, hidden=4), weights=file)
    with pytest.raises(ValueError, match="give the head"):
        Aberrations(FAMILY, fit=FIT, weights=file)
    with pytest.raises(ValueError, match="use blur=zernike"):
        Aberrations(Gaussian([1, 3]))


def test_the_shipped_network_fits_the_blur_as_it_is_configured() -> None:
    label = Aberrations(FAMILY, fit=FIT, head=SpectrumAndEdges, weights="zernike").identify(image(), {}, {}).label
    assert label is not None and label.network_psf is not None
    torch.testing.assert_close(label.network_psf.sum((1, 2, 3)), torch.ones(2))


def test_the_configured_curves_are_the_fitted_ones() -> None:
    root = Path(__file__).parents[2]
    files = (root / "conf" / "pipeline" / f"{name}.yaml" for name in ("aberrations", "aberrations_network"))
    asked = {key: value for file in files for key, value in yaml.safe_load(file.read_text()).items()}
    levels = json.loads((root / "experiments" / "deepblur2024" / "results" / "fit.json").read_text())["levels"]
    for name in ("share", "widen"):
        for curve, of_prior in zip(asked[name], levels.values(), strict=True):
            assert curve["sigma"] == [float(sigma) for sigma in of_prior]
            assert curve["value"] == [level[name] for level in of_prior.values()]


@pytest.mark.parametrize(("sigma", "value"), [([], []), ([0.1, 0.01], [1, 2]), ([0.1], [1, 2]), ([0.0, 0.1], [1, 2])])
def test_noise_curves_that_cannot_be_are_refused(sigma: list[float], value: list[float]) -> None:
    with pytest.raises(ValueError, match="sigma must rise"):
        NoiseCurve(sigma, value)
