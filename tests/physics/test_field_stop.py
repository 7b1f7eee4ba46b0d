"""The stop of a fundus camera: sharp itself, whatever blurs the eye behind it."""

from __future__ import annotations

import pytest
import skimage.data
import torch
from torch import Tensor

from blurlab.blur import Defocus, Mixture, disk_psf
from blurlab.dataset import Degrade, FundusSynthetic
from blurlab.noise import Camera, NoNoise, Srgb, light_to_srgb, srgb_to_light
from blurlab.physics import Convolution
from blurlab.physics.field_stop import behind_stops, field

PSF = disk_psf(torch.tensor([4.0]), 11)


@pytest.fixture(scope="module")
def eye() -> Tensor:
    source = FundusSynthetic(n=1, seed=3, size=300)
    return torch.from_numpy(source.load(source.photos()[0])).permute(2, 0, 1)[None].float()


def distance(image: Tensor) -> Tensor:
    """Of each pixel from the rim of the field, positive inside (H, W) [px]."""
    circle = field(image[0])
    assert circle is not None
    down, across = torch.meshgrid(*(torch.arange(side) for side in image.shape[-2:]), indexing="ij")
    return circle.radius - torch.hypot(down - circle.row, across - circle.col)


@pytest.mark.parametrize(("boundary", "margin"), [("replicate", 0), ("valid", 5)])
def test_what_is_outside_is_sharp_and_what_is_well_inside_is_blurred(boundary: str, margin: int, eye: Tensor) -> None:
    blur = Convolution(PSF, boundary)
    seen, plain = behind_stops(blur.A, eye, eye), blur.A(eye)
    whole = slice(margin, eye.shape[-1] - margin)
    rim, kept = distance(eye)[whole, whole], eye[..., whole, whole]
    assert seen.shape == plain.shape == kept.shape
    assert torch.equal(seen[..., rim < 0], kept[..., rim < 0])
    torch.testing.assert_close(seen[..., rim > 14], plain[..., rim > 14], rtol=0, atol=1e-5)
    blurred_rim = (rim > 3) & (rim < 5)  # what is beyond the stop is dark, and is no part of the eye
    assert float(seen[..., blurred_rim].mean()) > float(plain[..., blurred_rim].mean()) + 0.01


def test_each_image_has_its_own_stop_or_none(eye: Tensor) -> None:
    other = torch.from_numpy(skimage.data.astronaut()[:300, :300].copy()).permute(2, 0, 1)[None].float() / 255
    blur = Convolution(PSF, "replicate")
    both = behind_stops(blur.A, torch.cat([other, eye]), torch.cat([other, eye]))
    torch.testing.assert_close(both[:1], blur.A(other), rtol=0, atol=1e-6)
    torch.testing.assert_close(both[1:], behind_stops(blur.A, eye, eye), rtol=0, atol=1e-6)


def test_a_degradation_blurs_light_behind_stops(eye: Tensor) -> None:
    family = Mixture({"defocus": Defocus(4.0)})
    degrade = Degrade(family, Camera(Srgb(), file=[NoNoise()]), "valid", stops=True)
    here = degrade.with_noise(Camera(Srgb(), file=[NoNoise()])).with_family(family)
    done = here(eye, generator=[torch.Generator().manual_seed(0)])
    expected = light_to_srgb(behind_stops(done.blur.A, srgb_to_light(eye), eye).clamp(0, 1))
    torch.testing.assert_close(done.y, expected, rtol=0, atol=1e-5)
    seen = here.without_truth()(eye, generator=[torch.Generator().manual_seed(0)])
    torch.testing.assert_close(seen.y, done.y, rtol=0, atol=1e-6)
    smeared = Degrade(family, Camera(Srgb(), file=[NoNoise()]))(eye, generator=[torch.Generator().manual_seed(0)])
    assert float((smeared.y - done.y).abs().max()) > 0.1
