"""Photographs of the back of the eye: which are taken for such, and what is done about the rim of their field."""

from __future__ import annotations

import pytest
import skimage.data
import torch
from scipy.ndimage import binary_erosion, binary_fill_holes, distance_transform_edt
from torch import Tensor

import blurlab
from blurlab.api import Deblurrer
from blurlab.blur import disk_psf, gaussian_psf
from blurlab.dataset import FundusSynthetic
from blurlab.metric import psnr
from blurlab.noise import light_to_srgb, srgb_to_light
from blurlab.physics import Convolution
from blurlab.physics.field_stop import Circle, field, inside, is_fundus, mirrored
from blurlab.pipeline.content import square_within


@pytest.fixture(scope="module")
def eye() -> Tensor:
    source = FundusSynthetic(n=1, seed=3, size=240)
    return torch.from_numpy(source.load(source.photos()[0])).permute(2, 0, 1)[None].float()


def blurred(image: Tensor) -> Tensor:
    return Convolution(gaussian_psf(torch.tensor([4.0]), 25), "replicate").A(image)


def circle_of(eye: Tensor) -> Circle:
    circle = field(eye[0])
    assert circle is not None
    return circle


def captioned(eye: Tensor) -> Tensor:
    """Two lines of white letters in a corner of the black surroundings."""
    changed = eye.clone()
    for top in (8, 22):
        changed[..., top : top + 8, 6:60:3] = 0.9
    return changed


def ball(eye: Tensor, highlight: float) -> Tensor:
    """A red ball on black: it shines at most in one place, and has no detail."""
    down, across = torch.meshgrid(*(torch.arange(240.0) - 120 for _ in range(2)), indexing="ij")
    light = (1 - (down**2 + across**2) / 110**2).clamp_min(0).sqrt()
    shine = highlight * torch.exp(-((down + 40) ** 2 + (across + 40) ** 2) / 400)
    noise = 0.004 * torch.randn(1, 3, 240, 240, generator=torch.Generator().manual_seed(0))
    return (light * torch.tensor([0.8, 0.3, 0.2])[:, None, None] + shine + noise).clamp(0, 1)


@pytest.mark.parametrize(
    "change",
    [
        lambda eye: eye,
        lambda eye: 0.6 * eye,
        blurred,
        lambda eye: (eye + 0.02 * torch.randn(eye.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1),
        lambda eye: eye[..., 25:-25, :],  # many cameras cut the field above and below
        lambda eye: torch.nn.functional.pad(eye, (60, 60, 0, 0)),
        lambda eye: captioned(torch.nn.functional.pad(eye, (60, 60, 0, 0))),
        lambda eye: torch.nn.functional.pad(eye, (90, 40, 20, 60), value=1.0),  # on a white page
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
        lambda eye: torch.where(inside(circle_of(eye), eye.shape[-2:], 1.0) > 0, eye, 1.0),  # cut out on white
        lambda eye: ball(eye, 0.0),
        lambda eye: ball(eye, 0.6),
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
    lit = (sharp[0].amax(0) > 0.15).numpy()
    opened = binary_erosion(binary_fill_holes(lit), iterations=2)
    rows, cols = distance_transform_edt(~opened, return_distances=False, return_indices=True)
    light = Convolution(disk_psf(torch.tensor([4.0]), 11), "replicate").A(srgb_to_light(sharp[..., rows, cols]))
    noise = 0.004 * torch.randn(sharp.shape, generator=torch.Generator().manual_seed(1))
    return (torch.where(torch.from_numpy(opened), light_to_srgb(light.clamp(0, 1)), sharp) + noise).clamp(0, 1)


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
    wide = field(large)
    assert wide is not None
    top, bottom, left, right = square_within(wide, large.shape[-2:]) or (0, 0, 0, 0)
    assert bool((large.amax(0) > 0.15)[top:bottom, left:right].all())
    assert min(bottom - top, right - left) > 1.3 * 2 * circle.radius
    assert square_within(circle, eye.shape[-2:]) is None  # vessels are too near together


def test_what_is_blurred_behind_a_sharp_stop_is_named_and_becomes_better() -> None:
    source = FundusSynthetic(n=1, seed=3, size=420)
    sharp = torch.from_numpy(source.load(source.photos()[0])).permute(2, 0, 1)[None].float()
    y = behind_a_stop(sharp)
    result = blurlab.deblur(y)
    assert result.found.network == "fundus" and result.kind == "defocus" and result.restored
    assert abs(result.found.strength_px - 8) < 1.5
    circle = field(y[0])
    assert circle is not None
    top, bottom, left, right = square_within(circle, y.shape[-2:]) or (0, 0, 0, 0)
    for part in ((..., slice(None), slice(None)), (..., slice(top, bottom), slice(left, right))):
        assert float(psnr(result.image[part], sharp[part])) > float(psnr(y[part], sharp[part])) + 0.2
    outside = inside(circle.within(2), y.shape[-2:], 1.0) == 0
    assert torch.equal(result.image[..., outside], y[..., outside])


def test_a_pipeline_does_about_the_rim_what_the_tool_does() -> None:
    source = FundusSynthetic(n=1, seed=3, size=420)
    y = behind_a_stop(torch.from_numpy(source.load(source.photos()[0])).permute(2, 0, 1)[None].float())
    tool = Deblurrer()
    assert tool.of_fundus is not None
    estimate = tool.of_fundus.identify(y)
    assert estimate.stop is not None and estimate.alone.tolist() == [True]
    both = torch.cat([y, y])
    twice = tool.of_fundus.restore(both, estimate.take(torch.tensor([0, 0])), None).clamp(0, 1)
    alone = torch.from_numpy(tool.deblur(y[0].permute(1, 2, 0).numpy())[0]).permute(2, 0, 1)
    assert torch.equal(twice[0], alone) and torch.equal(twice[1], alone)
