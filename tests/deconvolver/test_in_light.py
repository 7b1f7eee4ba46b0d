"""A photograph's light restored: against the deconvolver applied to the light by hand, told the noise or not."""

from __future__ import annotations

import pytest
import skimage.data
import torch
from torch import Tensor

from blurlab.blur import Defocus
from blurlab.deconvolver import TV, InLight, Tiled, by_tiles
from blurlab.deconvolver.in_light import BRIGHTEST
from blurlab.metric import isnr
from blurlab.noise import Power, effective_sigma, light_to_srgb, srgb_to_light
from blurlab.physics import Convolution

PSF = Defocus(2.5).psf(torch.tensor([[2.5]]))


def photographed() -> tuple[Tensor, Tensor]:
    """A sharp photograph and the same blurred in light, with noise."""
    sharp = torch.from_numpy(skimage.data.astronaut()[60:166, 170:276].copy()).permute(2, 0, 1)[None] / 255
    blurred = light_to_srgb(Convolution(PSF, "valid").A(srgb_to_light(sharp)))
    y = blurred + 0.002 * torch.randn(blurred.shape, generator=torch.Generator().manual_seed(0))
    return sharp[..., 2:-2, 2:-2], y.clamp(0, 1)


def test_the_light_is_restored_with_so_many_times_its_own_noise() -> None:
    _, y = photographed()
    light = srgb_to_light(y)
    expected = light_to_srgb(TV(upper=BRIGHTEST)(light, PSF, 3 * effective_sigma(light)).image)
    torch.testing.assert_close(InLight(caution=3)(y, PSF).image, expected)


def test_what_was_blurred_in_light_gains_more_there_than_in_the_values_of_the_file() -> None:
    x, y = photographed()
    assert float(isnr(y, InLight()(y, PSF).image, x)) > float(isnr(y, TV()(y, PSF).image, x)) + 0.3


def test_a_straight_curve_is_the_deconvolver_itself_and_noise_that_is_told_is_not_multiplied() -> None:
    _, y = photographed()
    restored = InLight(TV(), Power(1.0), caution=5)(y, PSF, 0.004).image
    torch.testing.assert_close(restored, TV()(y, PSF, 0.004).image.clamp(0, 1), atol=1e-4, rtol=0)


def test_tiles_lie_within_the_curve() -> None:
    _, y = photographed()
    tiled = by_tiles(InLight(), 64)
    assert isinstance(tiled, InLight) and isinstance(tiled.deconvolver, Tiled)
    assert isinstance(by_tiles(TV(), 64), Tiled)
    apart = (tiled(y, PSF, 0.004).image - InLight()(y, PSF, 0.004).image).abs()
    assert float(apart.mean()) < 2e-3 and float(apart[..., 24:-24, 24:-24].max()) < 0.05


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="caution"):
        InLight(caution=0)
