"""A photograph in a sharp frame: the frame stays as it came, the picture is restored as if there were none."""

from __future__ import annotations

import pytest
import skimage.data
import torch
from torch.nn.functional import pad

import blurlab
from blurlab.blur import disk_psf
from blurlab.metric import psnr
from blurlab.noise import light_to_srgb, srgb_to_light
from blurlab.physics import Convolution


@pytest.mark.slow
@pytest.mark.parametrize("grey", [0.0, 1.0])
def test_a_blurred_photograph_in_a_frame_becomes_better_and_its_frame_stays(grey: float) -> None:
    sharp = torch.from_numpy(skimage.data.coffee()[:304, 100:420].copy()).permute(2, 0, 1)[None].float() / 255
    light = Convolution(disk_psf(torch.tensor([4.0]), 11), "replicate").A(srgb_to_light(sharp))
    noise = 0.004 * torch.randn(sharp.shape, generator=torch.Generator().manual_seed(0))
    x, y = (pad(one, (40,) * 4, value=grey) for one in (sharp, (light_to_srgb(light) + noise).clamp(0, 1)))
    result = blurlab.deblur(y)
    assert result.kind == "defocus" and result.restored
    assert float(psnr(result.image, x)) > float(psnr(y, x)) + 2
    frame = torch.ones(y.shape[-2:], dtype=torch.bool)
    frame[40:-40, 40:-40] = False
    assert torch.equal(result.image[..., frame], y[..., frame])
