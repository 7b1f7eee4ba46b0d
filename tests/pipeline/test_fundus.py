"""Which images are taken for photographs of the back of the eye."""

from __future__ import annotations

import pytest
import skimage.data
import torch
from torch import Tensor

from blurlab.blur import gaussian_psf
from blurlab.dataset import FundusSynthetic
from blurlab.physics import Convolution
from blurlab.pipeline.fundus import is_fundus


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
