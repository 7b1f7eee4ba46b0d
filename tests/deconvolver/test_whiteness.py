"""How much stronger a photograph's noise is where a deconvolver looks than where it is measured."""

from __future__ import annotations

import skimage.data
import torch
from torch import Tensor

from blurlab.blur import disk_psf, motion_psf
from blurlab.deconvolver import InLight, RichardsonLucy
from blurlab.deconvolver.whiteness import excess_noise
from blurlab.metric import isnr
from blurlab.noise import Camera, Jpeg, Srgb, light_to_srgb, srgb_to_light
from blurlab.physics import Convolution

DISK, LINE = disk_psf(torch.tensor([4.0]), 11), motion_psf(torch.tensor([9.0]), torch.tensor([30.0]), 11)


def photographed(psf: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
    """A sharp photograph (1, 3, 246, 246), and the same blurred in light with white noise."""
    sharp = torch.from_numpy(skimage.data.astronaut()[:256, 100:356].copy()).permute(2, 0, 1)[None].float() / 255
    blurred = light_to_srgb(Convolution(psf, "valid").A(srgb_to_light(sharp)))
    y = blurred + sigma * torch.randn(blurred.shape, generator=torch.Generator().manual_seed(0))
    return sharp[..., 5:-5, 5:-5], (255 * y.clamp(0, 1)).round() / 255


def jpeg(y: Tensor) -> Tensor:
    light = srgb_to_light(y)
    return Camera(Srgb(), file=[Jpeg(quality=85)]).seen(light, generator=[torch.Generator().manual_seed(0)])


def test_white_noise_has_no_excess_and_that_of_a_jpeg_file_has() -> None:
    for psf in (DISK, LINE):
        _, y = photographed(psf, 0.006)
        assert 0.9 < float(excess_noise(y, psf)) < 1.4
        assert float(excess_noise(jpeg(y), psf)) > 2.2


def test_of_each_image_of_a_batch_and_of_a_large_one_in_parts() -> None:
    _, y = photographed(DISK, 0.006)
    both = excess_noise(torch.cat([y, jpeg(y)]), torch.cat([DISK, DISK]))
    torch.testing.assert_close(both, torch.cat([excess_noise(y, DISK), excess_noise(jpeg(y), DISK)]))
    large = y.repeat(1, 1, 5, 5)
    assert 0.9 < float(excess_noise(large.double(), DISK.double())) < 1.5


def test_nothing_is_told_where_the_kernel_passes_all_or_there_is_no_noise_or_no_room() -> None:
    _, y = photographed(DISK, 0.006)
    one = torch.zeros(1, 1, 3, 3)
    one[..., 1, 1] = 1.0
    assert torch.isinf(excess_noise(y, one)).all()
    assert torch.isinf(excess_noise(torch.full((1, 3, 64, 64), 0.5), DISK)).all()
    assert torch.isinf(excess_noise(y[..., :9, :9], DISK)).all()


def test_white_noise_needs_less_caution_and_a_jpeg_file_all_of_it() -> None:
    x, y = photographed(LINE, 0.006)
    exact, level = torch.tensor([0.0]), torch.ones(1, 1, 1, 1)
    told = {caution: InLight(caution=caution).allowing(exact) for caution in (1.0, 4.0)}
    white, file = (
        {caution: float(one.measured_sigma(z, level, LINE)) for caution, one in told.items()} for z in (y, jpeg(y))
    )
    assert 1.4 < white[4.0] / white[1.0] < 2.8
    assert abs(file[4.0] / file[1.0] - 4) < 1e-3
    image = told[4.0](y, LINE).image
    assert float(isnr(y, image, x)) > float(isnr(y, told[4.0](y, LINE, 4 * 0.006).image, x)) + 0.5


def test_what_stops_at_the_noise_is_told_it_as_it_is() -> None:
    _, y = photographed(LINE, 0.006)
    solver = InLight(RichardsonLucy()).allowing(torch.tensor([0.0]))
    level = torch.ones(1, 1, 1, 1)
    assert 0.9 < float(solver.measured_sigma(y, level, LINE)) / 0.006 < 1.2
    assert float((solver(y, LINE).image - y).abs().max()) > 0.02
