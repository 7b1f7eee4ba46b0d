"""A photograph's light restored: against the deconvolver applied to the light by hand, told the noise or not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import skimage.data
import torch
from torch import Tensor

from blurlab.blur import Defocus
from blurlab.deconvolver import TV, InLight, LightTV, Tiled, by_tiles
from blurlab.deconvolver.light_tv import BRIGHTEST, IN_PIECES, mean_slope
from blurlab.metric import isnr
from blurlab.noise import Power, Srgb, effective_sigma, light_to_srgb, srgb_to_light
from blurlab.physics import Convolution

PSF = Defocus(2.5).psf(torch.tensor([[2.5]]))


def photographed() -> tuple[Tensor, Tensor]:
    """A sharp photograph and the same blurred in light, with noise."""
    sharp = torch.from_numpy(skimage.data.astronaut()[60:166, 170:276].copy()).permute(2, 0, 1)[None] / 255
    blurred = light_to_srgb(Convolution(PSF, "valid").A(srgb_to_light(sharp)))
    y = blurred + 0.002 * torch.randn(blurred.shape, generator=torch.Generator().manual_seed(0))
    return sharp[..., 2:-2, 2:-2], y.clamp(0, 1)


def test_the_light_is_restored_with_so_many_times_the_noise_of_the_file() -> None:
    _, y = photographed()
    noise = mean_slope(Srgb(), y) * effective_sigma(y, kernel_error_px=0.1, caution=3)
    solver = LightTV()
    solver.keeps_hidden = False
    expected = light_to_srgb(solver(srgb_to_light(y), PSF, noise.flatten()).image)
    restored = InLight(caution=3, colour=1).allowing(torch.tensor([0.1]))(y, PSF).image
    torch.testing.assert_close(restored, expected)


def test_what_was_blurred_in_light_gains_more_there_than_in_the_values_of_the_file() -> None:
    x, y = photographed()
    assert float(isnr(y, InLight()(y, PSF).image, x)) > float(isnr(y, TV()(y, PSF).image, x)) + 0.3


def test_a_straight_curve_is_the_deconvolver_itself_and_noise_that_is_told_is_not_multiplied() -> None:
    _, y = photographed()
    restored = InLight(TV(), Power(1.0), caution=5, colour=1)(y, PSF, 0.004).image
    torch.testing.assert_close(restored, TV()(y, PSF, 0.004).image.clamp(0, 1), atol=1e-4, rtol=0)


def test_tiles_lie_within_the_curve() -> None:
    _, y = photographed()
    tiled = by_tiles(InLight(), 64)
    assert isinstance(tiled, InLight) and isinstance(tiled.deconvolver, Tiled)
    assert isinstance(by_tiles(TV(), 64), Tiled)
    apart = (tiled(y, PSF, 0.004).image - InLight()(y, PSF, 0.004).image).abs()
    assert float(apart.mean()) < 4e-3 and float(apart[..., 24:-24, 24:-24].max()) < 0.1


def test_seams_of_a_large_photograph_are_no_more_than_about_a_grey_level() -> None:
    """Beside the untiled result of as many iterations; in the border beyond the kernel each goes on in its own way."""
    sharp = torch.from_numpy(skimage.data.astronaut()[:360, 100:440].copy()).permute(2, 0, 1)[None] / 255
    y = light_to_srgb(Convolution(PSF, "valid").A(srgb_to_light(sharp)))
    y = (255 * y + 0.5 * torch.randn(y.shape, generator=torch.Generator().manual_seed(1))).round().clamp(0, 255) / 255
    tiled = by_tiles(InLight(), 224)(y, PSF).image
    whole = InLight(LightTV(iterations=IN_PIECES, tolerance=0))(y, PSF).image
    apart = (tiled - whole)[..., 24:-24, 24:-24]
    assert float(apart.square().mean().sqrt()) < 0.05 / 255 and float(apart.abs().max()) < 1 / 255
    narrow = InLight()
    narrow.deconvolver = Tiled(narrow.deconvolver, 224, overlap=6)
    assert float((narrow(y, PSF).image - whole)[..., 24:-24, 24:-24].abs().max()) > 6 / 255


def test_pieces_are_restored_by_few_iterations_one_channel_at_a_time() -> None:
    _, y = photographed()
    light, sigma = srgb_to_light(y), torch.full((1, 1, 1, 1), 0.004)
    frozen = LightTV().freeze(light, PSF, sigma)
    assert frozen.iterations == IN_PIECES and LightTV(iterations=7).freeze(light, PSF, sigma).iterations == 7
    together, _ = frozen.solve(light, PSF, frozen.alpha(light, PSF, sigma))
    restored = frozen.restore(light, PSF, sigma).image
    torch.testing.assert_close(restored, together[..., : y.shape[-2], : y.shape[-1]], atol=1e-5, rtol=0)


def test_a_kernel_that_may_be_wrong_is_undone_more_carefully() -> None:
    x, y = photographed()
    wrong = Defocus(4.0).psf(torch.tensor([[4.0]]))
    sure, unsure = (InLight().allowing(torch.tensor([px]))(y, wrong).image for px in (0.0, 0.6))
    assert float(isnr(y, unsure, x)) > float(isnr(y, sure, x)) + 0.5


def test_noise_that_was_raised_hides_no_blur_in_tiles_either() -> None:
    """A photograph that fits one tile is handed on, with the question whether y is nearer left out."""
    _, y = photographed()
    careful = InLight(caution=60).allowing(torch.tensor([0.5]))
    whole = careful(y, PSF).image
    assert float((whole - y).abs().max()) > 0.01
    torch.testing.assert_close(by_tiles(careful, 512)(y, PSF).image, whole)


def test_weights_of_pixels_gain_on_total_variation_with_one_noise_for_all() -> None:
    x, y = photographed()
    plain = InLight(TV(upper=BRIGHTEST))
    assert float(isnr(y, InLight()(y, PSF, 0.003).image, x)) > float(isnr(y, plain(y, PSF, 0.003).image, x)) + 0.1


def test_clipped_light_is_taken_for_more_than_white() -> None:
    light = torch.full((1, 1, 96, 96), 0.05)
    light[..., 40:44, 40:44] = 3.0
    light[..., 60:62, 30:70] = 0.4
    y = light_to_srgb(Convolution(PSF, "valid").A(light).clamp(0, 1))
    x = light_to_srgb(light.clamp(0, 1))[..., 2:-2, 2:-2]
    seen, deaf = LightTV(), LightTV()
    deaf.evidence = lambda y: replace(LightTV.evidence(deaf, y), clipped=torch.zeros_like(y).bool())
    known, unknown = (InLight(one)(y, PSF, 0.004).image for one in (seen, deaf))
    around = (slice(None), slice(None), slice(24, 56), slice(24, 56))
    assert float((known - x)[around].square().mean()) < 0.7 * float((unknown - x)[around].square().mean())


def test_a_dim_photograph_is_weighed_by_its_own_values() -> None:
    """A level is divided out before the light is restored: slopes are those of the file all the same."""
    _, y = photographed()
    light = srgb_to_light(y) / 8
    solver = LightTV()
    level = torch.full((1, 1, 1, 1), 1 / 8)
    whole, scaled = solver.evidence(light), solver.at_level(level).evidence(light / level)
    torch.testing.assert_close(scaled.weight, whole.weight)
    torch.testing.assert_close(scaled.contrast, whole.contrast)


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="caution"):
        InLight(caution=0)


def test_a_blur_of_the_files_values_is_undone_in_them() -> None:
    sharp, _ = photographed()
    y = Convolution(PSF, "valid").A(sharp).mul(255).round().div(255)
    x = sharp[..., 2:-2, 2:-2]
    values, light = InLight().of_values()(y, PSF).image, InLight()(y, PSF).image
    assert float(isnr(y, values, x).mean()) > float(isnr(y, light, x).mean()) + 0.5
    torch.testing.assert_close(values, InLight(LightTV(Power(1.0)), Power(1.0))(y, PSF).image)
