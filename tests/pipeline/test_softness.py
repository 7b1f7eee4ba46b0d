"""Photographs that are soft, no one can say in which way: a narrow Gaussian is undone, and nothing is named."""

from __future__ import annotations

import math

import numpy as np
import pytest
import skimage.data
import torch
from torch import Tensor, nn

import blurlab
from blurlab.blur import Defocus, Gaussian, Mixture, Motion, NoBlur, deviation_px, disk_psf, gaussian_psf
from blurlab.metric import psnr
from blurlab.noise import Jpeg, light_to_srgb, srgb_to_light
from blurlab.physics import Convolution
from blurlab.pipeline import Photograph
from blurlab.pipeline.calibration import PosteriorCalibration
from blurlab.pipeline.regression import SCALE

FAMILY = Mixture({
    "none": NoBlur(), "gaussian": Gaussian([1, 4]), "defocus": Defocus([1.5, 7]), "motion": Motion([4, 12], [0, 180]),
})  # fmt: skip


class Says(nn.Module):
    """Says of every image how likely some kinds are; of the rest, and of parameters, the middle."""

    def __init__(self, tool: Photograph, **said: float) -> None:
        super().__init__()
        self.out = torch.tensor([said.get(name, 0.0) for name in tool.target.names])

    def forward(self, y: Tensor) -> Tensor:
        return self.out.expand(len(y), -1)


def photograph(side: int = 90) -> Tensor:
    return torch.from_numpy(skimage.data.camera()[100 : 100 + side, 150 : 150 + side].copy())[None, None] / 255


def identified(**said: float):  # type: ignore[no-untyped-def]
    tool = Photograph(FAMILY)
    count = len(FAMILY.names)
    nets = {"blur": Says(tool, **said), SCALE: PosteriorCalibration(torch.ones(count), torch.ones(count))}
    return tool.identify(photograph(), nets, {})


def test_a_deviation_is_that_of_its_kernel() -> None:
    assert float(deviation_px(gaussian_psf(torch.tensor([2.0]), 31))) == pytest.approx(2.0, abs=0.03)
    assert float(deviation_px(disk_psf(torch.tensor([6.0]), 31))) == pytest.approx(3.0, abs=0.03)


def test_where_gaussian_and_defocus_are_as_likely_a_gaussian_is_undone_and_none_is_named() -> None:
    found = identified(gaussian=3.0, defocus=3.1)
    assert not found.label.can_tell and bool(found.blurred)
    width = float(found.label.soft_px)
    torch.testing.assert_close(found.psf, gaussian_psf(torch.tensor([width]), found.psf.shape[-1]).to(found.psf))
    assert 0.5 < width < 1.8  # the middle of the ranges is a disk of 4.25 px, the interval is wide


def test_a_kind_that_is_named_unsurely_keeps_its_name() -> None:
    found = identified(gaussian=4.0, defocus=3.0)
    assert bool(found.label.can_tell) and FAMILY.kinds[int(found.label.kind)] == "gaussian"
    assert bool(found.blurred) and math.isfinite(found.label.soft_px)
    assert float(found.label.soft_px) < float(found.label.strength_map_px)


@pytest.mark.parametrize("said", [{"gaussian": 2.0, "none": 2.0}, {"gaussian": 2.0, "motion": 2.0}, {"none": 4.0}])
def test_where_it_may_be_sharp_or_moved_nothing_is_undone(said: dict[str, float]) -> None:
    found = identified(**said)
    assert not bool(found.blurred) and math.isnan(found.label.soft_px)


@pytest.mark.parametrize("psf", [gaussian_psf(torch.tensor([1.2]), 9), disk_psf(torch.tensor([2.2]), 9)])
def test_a_slightly_soft_file_becomes_better(psf: Tensor) -> None:
    sharp = torch.from_numpy(skimage.data.astronaut()[:404, :404].copy()).permute(2, 0, 1)[None] / 255
    light = Convolution(psf, "valid").A(srgb_to_light(sharp))
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(light.shape, generator=generator)
    y, _ = Jpeg(92)(light_to_srgb((light + 0.002 * noise).clamp(0, 1)), generator=generator)
    file = (y[0].permute(1, 2, 0) * 255).round().byte().numpy()
    result = blurlab.deblur(file)
    seen = sharp[..., 4:-4, 4:-4]
    before, after = (torch.from_numpy(one.copy()).permute(2, 0, 1)[None] / 255 for one in (file, result.image))
    assert result.restored and not np.array_equal(result.image, file)
    assert float(psnr(after, seen)) > float(psnr(before, seen)) + 0.3
    if not math.isnan(result.found.softness_px):
        assert f"a Gaussian of {result.found.softness_px:.2f} px" in result.explain()
