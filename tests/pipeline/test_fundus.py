"""Photographs of the back of the eye: which are taken for such, and what is done about the rim of their field."""

from __future__ import annotations

import pytest
import skimage.data
import torch
from torch import Tensor

import blurlab
from blurlab.blur import disk_psf, gaussian_psf
from blurlab.dataset import FundusSynthetic
from blurlab.metric import psnr
from blurlab.noise import light_to_srgb, srgb_to_light
from blurlab.physics import Convolution
from blurlab.pipeline.fundus import field, inside, is_fundus, mirrored, square_within


@pytest.fixture(scope="module")
def eye() -> Tensor:
    source = FundusSynthetic(n=1, seed=3, size=240)
    return torch.from_numpy(source.load(source.photos()[0])).permute(2, 0, 1)[None].float()


def blurred(image: Tensor) -> Tensor:
    return Convolution(gaussian_psf(torch.tensor([4.0]), 25), "replicate").A(image)


@pytest.mark.parametrize(
    "change",
    [
        lambda eye: eye,
        lambda eye: 0.6 * eye,
        blurred,
        lambda eye: (eye + 0.02 * torch.randn(eye.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1),
        lambda eye: eye[..., 25:-25, :],  # many cameras cut the field above and below
        lambda eye: torch.nn.functional.pad(eye, (60, 60, 0, 0)),
    ],
)
def test_an_eye_is_known_whatever_the_camera_did(change, eye: Tensor) -> None:  # type: ignore[no-untyped-def]
    assert is_fundus(change(eye)).tolist() == [True]


@pytest.mark.parametrize(
    "change",
    [
        lambda eye: eye.mean(1, keepdim=True),  # grey, as an angiogram
        lambda eye: eye.mean(1, keepdim=True).expand(-1, 3, -1, -1),
        lambda eye: eye.flip(1),  # blue
        lambda eye: 0.3 + 0.7 * eye,  # no black surroundings
        lambda eye: eye[..., 70:170, 70:170],  # a part of the field
        torch.zeros_like,
        torch.ones_like,
    ],
)
def test_what_is_not_a_whole_eye_is_none(change, eye: Tensor) -> None:  # type: ignore[no-untyped-def]
    assert is_fundus(change(eye)).tolist() == [False]


def test_photographs_are_none_and_each_image_is_asked_for_itself(eye: Tensor) -> None:
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        photograph = torch.from_numpy(getattr(skimage.data, name)().copy()).permute(2, 0, 1)[None].float() / 255
        assert is_fundus(photograph).tolist() == [False]
    cut = photograph[..., :240, :240]
    assert is_fundus(torch.cat([eye, cut, eye])).tolist() == [True, False, True]
    moon = torch.from_numpy(skimage.data.moon().copy())[None, None].float().expand(-1, 3, -1, -1) / 255
    assert is_fundus(moon).tolist() == [False]


def behind_a_stop(sharp: Tensor) -> Tensor:
    """A field that was out of focus behind a stop that was not, with noise (1, 3, H, W)."""
    circle = field(sharp[0])
    assert circle is not None
    light = Convolution(disk_psf(torch.tensor([4.0]), 11), "replicate").A(
        srgb_to_light(mirrored(sharp, circle.within(3)))
    )
    stop = inside(circle.within(1), sharp.shape[-2:], 1.0)
    noise = 0.004 * torch.randn(sharp.shape, generator=torch.Generator().manual_seed(1))
    return (torch.where(stop > 0, light_to_srgb(light.clamp(0, 1)), sharp) + noise).clamp(0, 1)


def test_a_circle_is_that_of_the_field_and_its_mirror_goes_on_beyond_it(eye: Tensor) -> None:
    circle = field(eye[0])
    assert circle is not None
    lit = eye[0].amax(0) > 0.15
    rows = lit.any(1).nonzero()
    assert abs(circle.row - float(rows.float().mean())) < 3 and abs(2 * circle.radius - len(rows)) < 8
    beyond = mirrored(eye, circle.within(4))
    kept = inside(circle.within(4), eye.shape[-2:], 1e-3) > 0
    assert torch.equal(beyond[..., kept], eye[..., kept]) and float(beyond.amax(1).min()) > 0.1
    large = torch.nn.functional.interpolate(eye, scale_factor=2, mode="bilinear")[0]
    top, bottom, left, right = square_within(large) or (0, 0, 0, 0)
    assert bool((large.amax(0) > 0.15)[top:bottom, left:right].all())
    assert min(bottom - top, right - left) > 1.3 * 2 * circle.radius
    assert square_within(eye[0]) is None  # vessels are too near together


def test_what_is_blurred_behind_a_sharp_stop_is_named_and_becomes_better() -> None:
    source = FundusSynthetic(n=1, seed=3, size=420)
    sharp = torch.from_numpy(source.load(source.photos()[0])).permute(2, 0, 1)[None].float()
    y = behind_a_stop(sharp)
    result = blurlab.deblur(y)
    assert result.found.network == "fundus" and result.kind == "defocus" and result.restored
    assert abs(result.found.strength_px - 8) < 1.5
    top, bottom, left, right = square_within(sharp[0]) or (0, 0, 0, 0)
    for part in ((..., slice(None), slice(None)), (..., slice(top, bottom), slice(left, right))):
        assert float(psnr(result.image[part], sharp[part])) > float(psnr(y[part], sharp[part])) + 0.2
    circle = field(y[0])
    assert circle is not None
    outside = inside(circle.within(2), y.shape[-2:], 1.0) == 0
    assert torch.equal(result.image[..., outside], y[..., outside])
