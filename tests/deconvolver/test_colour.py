"""What is kept of a restoration in each colour."""

from __future__ import annotations

import skimage.data
import torch
from torch import Tensor

from blurlab.blur import disk_psf
from blurlab.deconvolver import InLight
from blurlab.deconvolver.colour import with_sure_colour
from blurlab.metric import isnr
from blurlab.noise import Camera, Jpeg, Srgb, light_to_srgb, srgb_to_light
from blurlab.physics import Convolution

PSF = disk_psf(torch.tensor([3.0]), 9)
BLUE_DB = 0.3


def photograph() -> Tensor:
    return torch.from_numpy(skimage.data.astronaut()[:168, 100:268].copy()).permute(2, 0, 1)[None].float() / 255


def test_a_change_that_channels_share_is_kept_and_one_of_a_single_channel_is_not() -> None:
    before = photograph().mul(0.5).add(0.2)
    shared, single = torch.full_like(before, 0.1), torch.zeros_like(before)
    single[:, 2] = 0.1
    kept = [
        float((with_sure_colour(before, before + one, 0.3) - before).norm() / one.norm()) for one in (shared, single)
    ]
    assert kept[0] > 0.9 and 0.3 < kept[1] < 0.8
    untouched = with_sure_colour(before, before + single, 1.0)
    assert torch.equal(untouched, before + single)


def test_channels_that_have_nothing_to_do_with_one_another_keep_all() -> None:
    """As those of dyes: what is restored in one does not leak into another."""
    before = torch.rand(1, 3, 200, 200, generator=torch.Generator().manual_seed(0)).mul(0.5).add(0.2)
    after = before.clone()
    after[:, 0] += 0.1
    changed = with_sure_colour(before, after.clone(), 0.3)
    torch.testing.assert_close(changed, after, atol=2e-3, rtol=0)


def test_each_image_of_a_batch_has_its_own_colours_and_single_channels_and_grey_ones_keep_all() -> None:
    one, other = photograph(), photograph().flip(-1).roll(1, 1)
    both = with_sure_colour(torch.cat([one, other]), torch.cat([one, other]).square(), 0.3)
    torch.testing.assert_close(both[1:], with_sure_colour(other, other.square(), 0.3))
    grey = one.mean(1, keepdim=True)
    assert torch.equal(with_sure_colour(grey, grey.square(), 0.0), grey.square())
    flat = torch.full((1, 3, 20, 20), 0.5)
    assert bool(with_sure_colour(flat, flat + 0.1, 0.3).isfinite().all())


def test_a_file_of_a_camera_gains() -> None:
    sharp = photograph()
    light = Convolution(PSF, "valid").A(srgb_to_light(sharp))
    x, generator = sharp[..., 4:-4, 4:-4], torch.Generator().manual_seed(0)
    y = Camera(Srgb(), file=[Jpeg(quality=80)]).seen(light, generator=[generator])
    all_of_it, less = (InLight(colour=share)(y, PSF).image for share in (1.0, 0.3))
    assert float(isnr(y, less, x)) > float(isnr(y, all_of_it, x))
    assert float(isnr(y[:, 2:], less[:, 2:], x[:, 2:])) > float(isnr(y[:, 2:], all_of_it[:, 2:], x[:, 2:])) + BLUE_DB
    assert float((light_to_srgb(light) - y).abs().max()) > 0
