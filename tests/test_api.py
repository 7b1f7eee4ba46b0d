"""A run as a tool, with a network whose answer is known; only the training is left out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import skimage.data
import torch
from stand_in_run import Says, photo, tool, trained
from torch import Tensor

from blurlab import api
from blurlab.blur import Defocus, Field, Motion, trimmed
from blurlab.cli.line import describe
from blurlab.dataset.prepare import GREY_WEIGHTS
from blurlab.deconvolver import DouglasRachford, Wiener
from blurlab.metric import isnr
from blurlab.noise import effective_sigma, estimate_sigma
from blurlab.pipeline import BlurEstimate, FreeKernel, KnownKernel, Pipeline
from blurlab.run.stage.load import Trained


@pytest.mark.parametrize(("channel", "weights"), [("grey", GREY_WEIGHTS), ("green", (0, 1, 0))], ids=["grey", "green"])
def test_the_network_sees_the_channel_it_was_trained_on(
    monkeypatch: pytest.MonkeyPatch, channel: str, weights: tuple[float, ...]
) -> None:
    net = Says(0.1, 0.2, 0.7)
    tool(monkeypatch, trained(net, channel)).identify(photo())
    assert net.seen[0].shape == (1, 1, 70, 81)
    np.testing.assert_allclose(net.seen[0][0, 0], photo() @ np.array(weights, np.float32), atol=1e-6)


def test_a_grey_photograph_is_shown_three_times_to_a_network_of_rgb(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Says(0.1, 0.2, 0.7)
    tool(monkeypatch, trained(net, "rgb")).identify(photo(1))
    np.testing.assert_array_equal(net.seen[0][0].permute(1, 2, 0), photo(1).repeat(3, 2))
    with pytest.raises(ValueError, match=r"got \(70, 81, 4\)"):
        tool(monkeypatch, trained(net, "rgb")).identify(photo(4))


@pytest.mark.parametrize("image", [(255 * photo(3)).astype(np.uint8), 255 * photo(3)], ids=["uint8", "of 255"])
def test_values_of_another_scale_are_refused(monkeypatch: pytest.MonkeyPatch, image: np.ndarray) -> None:
    net = Says(0.1, 0.2, 0.7)
    with pytest.raises(ValueError, match=r"floats in \[0, 1\].*blurlab\.deblur"):
        tool(monkeypatch, trained(net, "rgb")).deblur(image)


def test_the_probability_is_that_of_the_kind_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = tool(monkeypatch, trained(Says(0.4, 0.3, 0.3))).identify(photo())
    assert found.kind == "none" and found.probability == pytest.approx(0.4)
    assert found.strength_px == 0 and math.isnan(found.interval_px[0])


@pytest.mark.parametrize("sigma", [-0.1, math.nan, math.inf])
@pytest.mark.parametrize("net", [Says(0.1, 0.2, 0.7), Says(0.8, 0.1, 0.1)], ids=["blurred", "sharp"])
def test_a_wrong_sigma_is_refused_before_the_network_is_asked(
    monkeypatch: pytest.MonkeyPatch, net: Says, sigma: float
) -> None:
    net.seen.clear()
    with pytest.raises(ValueError, match="sigma is a standard deviation"):
        tool(monkeypatch, trained(net)).deblur(photo(), sigma)
    assert net.seen == []


def test_a_blurred_photograph_is_restored_and_a_sharp_one_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    image = photo()
    restored, found = tool(monkeypatch, trained(Says(0.1, 0.2, 0.7))).deblur(image)
    assert found.kind == "taps" and found.strength_px == 5 and found.probability == pytest.approx(0.9)
    assert restored.shape == image.shape and not np.array_equal(restored, image)
    same, _ = tool(monkeypatch, trained(Says(0.8, 0.1, 0.1))).deblur(image)
    np.testing.assert_array_equal(same, image)


def test_a_run_whose_network_gives_a_kernel_restores_with_it_and_names_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    family, image = Motion([3, 5], 0), photo()
    psf = family.psf(torch.tensor([[5.0, 0.0]]))
    net = Says(*psf.clamp_min(1e-9).flatten().tolist())
    made = Trained(Pipeline(FreeKernel(family), {"kernel": net}, {}, Wiener()), "grey", 64, 0.01)
    restored, found = tool(monkeypatch, made).deblur(image)
    assert found.kind == "kernel" and math.isnan(found.probability)
    assert describe(found).startswith("a kernel of 5x5 px, noise 0.")
    np.testing.assert_allclose(found.psf, psf[0, 0], atol=1e-5)
    assert restored.shape == image.shape and not np.array_equal(restored, image)
    flat = np.full((70, 81, 3), 0.4, np.float32)
    same, nothing = api.Deblurrer("a run").deblur(flat)
    assert np.array_equal(same, flat) and not nothing.can_tell


class KnowsField(KnownKernel):
    """Estimates the field that images were made with."""

    def identify(self, y: Tensor, nets: object, risks: object) -> BlurEstimate:
        family, margins = self.family, 2 * (self.family.size // 2)
        params = torch.tensor([[one.high for one in family.parameters]])
        field = family.operator(params, shape=(y.shape[-2] + margins, y.shape[-1] + margins))
        return BlurEstimate(field, torch.ones(len(y), dtype=torch.bool))


@pytest.mark.slow
def test_an_estimate_that_is_a_field_is_undone_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in tiles, and by a pipeline; with the mean kernel in its place the corners would stay blurred."""
    family = Field(Defocus([1, 1.0]), growth=[4, 4.0])
    sharp, margin = skimage.data.astronaut()[40:140, 160:290, 1].astype(np.float32) / 255, family.size // 2
    x = torch.from_numpy(sharp)[None, None]
    operator = family.operator(torch.tensor([[1.0, 4.0]]), shape=(100, 130))
    y = operator.A(x) + 0.002 * torch.randn(1, 1, 100 - 2 * margin, 130 - 2 * margin)
    x = x[..., margin:-margin, margin:-margin]
    pipeline = Pipeline(KnowsField(family), {}, {}, DouglasRachford(iterations=20))
    direct = pipeline(y, 0.002).image
    torch.testing.assert_close(pipeline.deconvolver(y, operator, 0.002).image, direct)
    made = tool(monkeypatch, Trained(pipeline, "grey", 64, 0.002))
    image = y[0].permute(1, 2, 0).numpy()
    restored, found = made.deblur(image)
    assert float(isnr(y, torch.from_numpy(restored).permute(2, 0, 1)[None], x)) > 3
    np.testing.assert_allclose(restored, direct[0].permute(1, 2, 0).clamp(0, 1), atol=1e-5)
    middle = trimmed(operator.psf_at(image.shape[0] // 2, image.shape[1] // 2))
    np.testing.assert_allclose(found.psf, middle[0, 0], atol=1e-6)
    tiled, _ = api.Deblurrer("a run", tile=72).deblur(image)
    assert float(isnr(y, torch.from_numpy(tiled).permute(2, 0, 1)[None], x)) > 3


def test_a_photograph_larger_than_a_tile_is_restored_alike_in_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    image = skimage.data.astronaut()[:150, :190].astype(np.float32) / 255
    whole, _ = tool(monkeypatch, trained(Says(0.1, 0.2, 0.7))).deblur(image)
    shares: list[float] = []
    restored, _ = api.Deblurrer("a run", tile=96).deblur(image, progress=shares.append)
    assert shares[-1] == 1 and len(shares) > 3
    np.testing.assert_allclose(restored[48:-48, 48:-48], whole[48:-48, 48:-48], atol=2e-3)


def test_a_run_without_one_sigma_lets_the_deconvolver_measure_it(monkeypatch: pytest.MonkeyPatch) -> None:
    image = skimage.data.astronaut()[:150, :190].astype(np.float32) / 255
    y = torch.from_numpy(image).permute(2, 0, 1)[None]
    made = trained(Says(0.1, 0.2, 0.7), sigma=None)
    restored, found = tool(monkeypatch, made).deblur(image)
    psf = torch.from_numpy(found.psf)[None, None]
    expected = Wiener()(y, psf, effective_sigma(y)).image[0].permute(1, 2, 0).clamp(0, 1)
    np.testing.assert_allclose(restored, expected, atol=1e-6)
    bare = Wiener()(y, psf, estimate_sigma(y)).image[0].permute(1, 2, 0).clamp(0, 1)
    assert np.abs(restored - bare.numpy()).max() > 1e-3  # the two noises are told apart by this photograph
