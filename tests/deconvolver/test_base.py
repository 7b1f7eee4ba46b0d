"""What every deconvolver refuses, and what it makes of types."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from blurlab.deconvolver import Deconvolver, Restored, Wiener
from blurlab.deconvolver.laws import kernels
from blurlab.deconvolver.scale import image_level
from blurlab.physics import Convolution, Gradient, LinearOperator

IMAGES = torch.full((3, 1, 17, 24), 0.5)
PSF = kernels(3)


@pytest.mark.parametrize(
    ("y", "psf", "sigma", "said"),
    [
        (IMAGES, torch.ones(3, 1, 8, 8) / 64, 0.01, "psf must have odd sides, got 8x8"),
        (IMAGES, torch.ones(3, 1, 19, 19) / 361, 0.01, "psf 19x19 is larger than the image 17x24"),
        (IMAGES, PSF[:2], 0.01, "psf must hold 1 or 3 kernels for 3 images, got 2"),
        (IMAGES, 2 * PSF, 0.01, "psf must sum to 1, got a sum 1 away from it; divide"),
        (IMAGES, PSF * torch.nan, 0.01, "psf has NaN or infinite values"),
        (IMAGES, PSF, -0.01, "finite and >= 0, got"),
        (IMAGES, PSF, torch.tensor([0.01, torch.nan, 0.01]), "finite and >= 0"),
        (IMAGES, PSF, torch.tensor([0.01, 0.02]), r"sigma must be a number or of shape \(3,\)"),
        (IMAGES * torch.nan, PSF, 0.01, "y has NaN"),
        (IMAGES[0], PSF, 0.01, r"y must be \(B, C, H, W\)"),
    ],
)
def test_refuses_in_one_line(y: Tensor, psf: Tensor, sigma: float | Tensor, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        Wiener()(y, psf, sigma)
    assert "\n" not in str(caught.value)


def test_refuses_integers() -> None:
    with pytest.raises(TypeError, match="floating-point"):
        Wiener()(IMAGES.to(torch.uint8), PSF, 0.01)


@pytest.mark.parametrize(
    ("came", "computed"),
    [(torch.float32, torch.float32), (torch.float64, torch.float64), (torch.float16, torch.float32)],
)
def test_types(came: torch.dtype, computed: torch.dtype) -> None:
    assert Wiener()(IMAGES.to(came), PSF, 0.01).image.dtype == computed


def test_no_noise_and_no_gradient() -> None:
    restored = Wiener()(IMAGES.clone().requires_grad_(), PSF, 0.0).image
    assert torch.isfinite(restored).all()
    assert not restored.requires_grad


def test_a_result_that_is_not_finite_never_leaves() -> None:
    class Diverging(Deconvolver):
        def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
            return Restored(y / 0)

    with pytest.raises(ArithmeticError, match="Diverging diverged"):
        Diverging()(IMAGES, PSF, 0.01)


@pytest.mark.parametrize("boundary", ["valid", "circular"])
def test_a_convolution_is_its_kernels(boundary: str) -> None:
    y = IMAGES + 0.1 * torch.rand(IMAGES.shape, generator=torch.Generator().manual_seed(0))
    expected = Wiener()(y, PSF, 0.01).image
    assert torch.equal(Wiener()(y, Convolution(PSF, boundary), 0.01).image, expected)
    with pytest.raises(ValueError, match="psf must sum to 1"):
        Wiener()(y, Convolution(2 * PSF, boundary), 0.01)


def test_an_operator_that_a_class_does_not_take_is_refused_in_one_line() -> None:
    with pytest.raises(TypeError, match=r"Wiener takes kernels \(B, 1, k, k\), got a Gradient; use Tiled") as caught:
        Wiener()(IMAGES, Gradient(), 0.01)
    assert "\n" not in str(caught.value)


class Scaled(LinearOperator):
    """y = gain x, cropped by as many pixels as are named: any operator, not a blur."""

    def __init__(self, gain: float = 0.5, crop: tuple[int, int, int, int] = (0, 0, 0, 0)) -> None:
        self.gain, self.crop = gain, crop

    def forward(self, x: Tensor) -> Tensor:
        left, right, top, bottom = self.crop
        return self.gain * x[..., top : x.shape[-2] - bottom, left : x.shape[-1] - right]

    def adjoint(self, y: Tensor) -> Tensor:
        return self.gain * torch.nn.functional.pad(y, self.crop)


class Dividing(Deconvolver):
    takes = (Scaled,)

    def restore(self, y: Tensor, psf: Scaled, sigma: Tensor) -> Restored:
        return Restored(y / psf.gain)


@pytest.mark.parametrize(
    ("operator", "said"),
    [
        (Scaled(crop=(1, 0, 0, 0)), "Scaled makes images of 17x24 from 17x25; a deconvolver needs y's own size"),
        (Scaled(gain=torch.nan), "Scaled has NaN or infinite values; replace"),
    ],
)
def test_an_operator_that_cannot_be_is_refused_in_one_line(operator: LinearOperator, said: str) -> None:
    torch.testing.assert_close(Dividing()(IMAGES, Scaled(0.5), 0.01).image, 2 * IMAGES)
    with pytest.raises(ValueError, match=said) as caught:
        Dividing()(IMAGES, operator, 0.01)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("upper", [1.0, 2.0, float("inf")])
def test_the_level_is_that_of_the_brightest_place_wherever_it_lies(upper: float) -> None:
    images = torch.full((4, 2, 300, 24), 0.01)
    images[0, 1, 298:, 22:] = 0.9  # the last corner alone
    images[1, 0, :2, :2] = 0.9
    images[2, 0, 64:66, 10:12] = 0.2  # across the edge of two bands of rows
    images[3, 0, 100, 10] = 0.9  # one hot pixel
    found = image_level(images, upper).flatten().tolist()
    assert found == [1.0, 1.0, 0.25, 1 / 64]
    assert [float(image_level(one[None], upper)) for one in images] == found
