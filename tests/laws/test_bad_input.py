"""What may come in by mistake, for every deconvolver: one line that says what to do, or a correct result."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from fast_set import first_fast
from test_deconvolver_laws import DEAR, MEMBERS
from torch import Tensor

from blurlab.deconvolver import Deconvolver, RichardsonLucy, Tiled, Wiener
from blurlab.deconvolver.laws import kernels, made_up
from blurlab.metric import isnr
from blurlab.physics import Convolution

slow = pytest.mark.slow
Y = made_up(2, (17, 24), generator=torch.Generator().manual_seed(0))
PSF = kernels(2)
LONG = torch.ones(1, 1, 1, 5) / 5
HUGE = torch.ones(1, 1, 31, 31) / 961
EMPTY = torch.zeros(0, 1, 17, 24)

every = pytest.mark.parametrize("deconvolver", MEMBERS.values(), ids=MEMBERS.keys())
most = pytest.mark.parametrize(
    "deconvolver", [pytest.param(one, id=name, marks=slow if name in DEAR else ()) for name, one in MEMBERS.items()]
)
"""The same, those that are dear among the slow tests."""
FEW = ("wiener", "richardson_lucy", "tikhonov", "tv", "implicit_tv")
few = pytest.mark.parametrize(
    "deconvolver", [pytest.param(one, id=name, marks=() if name in FEW else slow) for name, one in MEMBERS.items()]
)
"""The same, one of a kind of solver among the fast tests: for what the class that they share does for all."""


def finite(restored: Tensor, y: Tensor) -> Tensor:
    assert restored.shape == y.shape and torch.isfinite(restored).all()
    assert restored.abs().max() < 10
    return restored


REFUSED = {
    "zero kernel": (Y, 0 * PSF, 0.01, "psf must sum to 1, got a sum 1 away from it; divide"),
    "kernel of another sum": (Y, 255 * PSF, 0.01, "psf must sum to 1, got a sum 254 away from it; divide"),
    "even kernel": (Y, torch.ones(1, 1, 8, 7) / 56, 0.01, "psf must have odd sides, got 8x7; pad it"),
    "kernel without batch": (Y, PSF[0], 0.01, r"psf must be \(B, 1, k, k\), got \(1, 5, 5\)"),
    "kernel per channel": (Y, PSF.expand(-1, 3, -1, -1), 0.01, r"psf must be \(B, 1, k, k\), got \(2, 3, 5, 5\)"),
    "kernels for other images": (Y, kernels(3), 0.01, "psf must hold 1 or 2 kernels for 2 images, got 3"),
    "kernel with NaN": (Y, PSF * torch.nan, 0.01, "psf has NaN or infinite values; replace"),
    "NumPy kernel": (Y, PSF.numpy(), 0.01, "psf must be a real tensor .*, got ndarray; make one"),
    "complex kernel": (Y, PSF.to(torch.complex64), 0.01, "psf must be a real tensor .*, got torch.complex64; make one"),
    "NaN": (Y.where(Y > 0.4, torch.nan), PSF, 0.01, "y has NaN or infinite values; replace"),
    "infinity": (Y.where(Y > 0.4, torch.inf), PSF, 0.01, "y has NaN or infinite values; replace"),
    "integers": ((255 * Y).byte(), PSF, 0.01, "y must be a floating-point tensor .*, got torch.uint8; divide"),
    "NumPy image": (Y.numpy(), PSF, 0.01, "y must be a floating-point tensor .*, got ndarray"),
    "image without batch": (Y[0], PSF[:1], 0.01, r"y must be \(B, C, H, W\) .*, got \(1, 17, 24\)"),
    "no image": (EMPTY, PSF[:1], 0.01, r"y must be \(B, C, H, W\) with no empty side, got \(0, 1, 17, 24\)"),
    "empty image": (Y[..., :0], PSF, 0.01, r"y must be \(B, C, H, W\) with no empty side, got \(2, 1, 17, 0\)"),
    "negative noise": (Y, PSF, -0.01, "sigma .* must be finite and >= 0, got"),
    "noise with NaN": (Y, PSF, torch.tensor([0.01, torch.nan]), "sigma .* must be finite and >= 0, got"),
    "noise of other images": (Y, PSF, torch.full((3,), 0.01), r"sigma must be a number or of shape \(2,\)"),
}


@every
def test_is_refused_in_one_line(deconvolver: Deconvolver) -> None:
    for y, psf, sigma, said in REFUSED.values():
        with pytest.raises((ValueError, TypeError), match=f"^{said}") as caught:
            deconvolver(y, psf, sigma)
        assert "\n" not in str(caught.value)


@most
def test_a_kernel_larger_than_the_image(deconvolver: Deconvolver) -> None:
    if deconvolver.estimates_outside:
        finite(deconvolver(Y, HUGE, 0.01).image, Y)
        return
    with pytest.raises(ValueError, match="psf 31x31 is larger than the image 17x24; crop the kernel or use a larger"):
        deconvolver(Y, HUGE, 0.01)


@most
@pytest.mark.parametrize("sigma", first_fast([0, None, 0.5, torch.zeros(2)], 2), ids=["0", "None", "0.5", "tensor"])
def test_noise_none_unknown_and_huge(deconvolver: Deconvolver, sigma: float | Tensor | None) -> None:
    finite(deconvolver(Y, PSF, sigma).image, Y)


@most
@pytest.mark.parametrize("sigma", first_fast([None, 0.01]))
def test_a_constant_image_stays_constant(deconvolver: Deconvolver, sigma: float | None) -> None:
    y = torch.tensor([0.0, 0.3, 1.0])[:, None, None, None].repeat(1, 3, 17, 24)
    torch.testing.assert_close(deconvolver(y, PSF[:1], sigma).image, y, atol=5e-3, rtol=0)


@most
def test_saturated_images(deconvolver: Deconvolver) -> None:
    y = (5 * Y - 2).clamp(0, 1)
    assert ((y == 0) | (y == 1)).float().mean() > 0.3
    finite(deconvolver(y, PSF, None).image, y)


@slow
@every
@pytest.mark.parametrize("shape", [(1, 24), (17, 1), (1, 1)], ids=str)
def test_images_one_pixel_wide(deconvolver: Deconvolver, shape: tuple[int, int]) -> None:
    y = Y[..., : shape[0], : shape[1]]
    one = torch.ones(1, 1, 1, 1)
    for psf in (one, LONG if shape[1] > 1 else LONG.mT, PSF):
        if deconvolver.estimates_outside or (psf.shape[-2] <= shape[0] and psf.shape[-1] <= shape[1]):
            finite(deconvolver(y, psf, 0.01).image, y)
    finite(deconvolver(y, one).image, y)  # the noise is estimated from the image alone
    torch.testing.assert_close(deconvolver(y, one, 0.0).image, y, atol=1e-2, rtol=0)


@few
def test_half_precision_is_computed_in_float32(deconvolver: Deconvolver) -> None:
    for half in (torch.float16, torch.bfloat16):
        y, psf = Y.to(half), PSF.to(half)
        restored = finite(deconvolver(y, psf, 0.01).image, Y)
        assert restored.dtype == torch.float32
        exact = deconvolver(y.float(), PSF, 0.01).image
        torch.testing.assert_close(restored, exact, atol=2e-2, rtol=0)
        torch.testing.assert_close(restored.mean(), exact.mean(), atol=2e-4, rtol=0)


@slow
@every
def test_types_of_kernel_and_noise_do_not_matter(deconvolver: Deconvolver) -> None:
    plain = deconvolver(Y, PSF, 0.0625).image
    levels = torch.full((2,), 0.0625)
    for sigma in (levels.double(), levels.half(), levels[:1], levels[0], np.float32(0.0625)):
        torch.testing.assert_close(deconvolver(Y, PSF.double(), sigma).image, plain)
    assert deconvolver(Y.double(), PSF, 0.0625).image.dtype == torch.float64
    delta = torch.zeros(1, 1, 3, 3, dtype=torch.long)
    delta[..., 1, 1] = 1
    torch.testing.assert_close(deconvolver(Y, delta, 0.01).image, deconvolver(Y, delta.float(), 0.01).image)


@few
def test_one_kernel_for_many_images(deconvolver: Deconvolver) -> None:
    together = deconvolver(Y, PSF[1:], 0.01).image
    torch.testing.assert_close(together, deconvolver(Y, PSF[1:].repeat(2, 1, 1, 1), 0.01).image, atol=1e-5, rtol=0)


@few
def test_kernels_need_not_be_square(deconvolver: Deconvolver) -> None:
    # In double precision: the factor alpha of the accelerated Richardson-Lucy, over 100 steps that nothing stops here,
    # magnifies float32's rounding to 1.05e-4 (1.1e-6 where it is not accelerated, 1.6e-13 in double precision). What is
    # left, 3e-5 at most, is where the conjugate gradients of a Wiener filter end.
    y, wide = Y.double(), LONG.double().repeat(1, 1, 3, 1) / 3
    restored = finite(deconvolver(y, wide, 0.01).image, y)
    turned = deconvolver(y.mT.contiguous(), wide.mT.contiguous(), 0.01).image
    torch.testing.assert_close(turned.mT, restored, atol=1e-4, rtol=0)
    square = torch.nn.functional.pad(wide, (0, 0, 1, 1))
    torch.testing.assert_close(deconvolver(y, square, 0.01).image, restored, atol=1e-4, rtol=0)


@most
def test_kernels_with_negative_values(deconvolver: Deconvolver) -> None:
    psf = torch.tensor([[0, -0.1, 0], [-0.1, 1.4, -0.1], [0, -0.1, 0]])[None, None]
    if isinstance(deconvolver, RichardsonLucy):
        with pytest.raises(ValueError, match="psf has values down to"):
            deconvolver(Y, psf, 0.01)
        return
    restored = finite(deconvolver(Y, psf, 0.01).image, Y)
    torch.testing.assert_close(restored.mean((1, 2, 3)), Y.mean((1, 2, 3)), rtol=0, atol=0.05)


@most
def test_an_image_of_another_scale(deconvolver: Deconvolver) -> None:
    with pytest.raises(ValueError, match=r"^y reaches 2\d\d(\.\d)?, but its scale is \[0, 1\]; divide it"):
        deconvolver(255 * Y, PSF, 255 * 0.01)
    with pytest.raises(
        ValueError, match=r"^sigma is a standard deviation on the \[0, 1\] scale, at most 0.5, .* got 3"
    ):
        deconvolver(Y, PSF, 3.0)
    assert torch.isfinite(deconvolver(1.2 * Y - 0.02, PSF, 0.01).image).all()  # a little overshoot is legal
    if math.isinf(deconvolver.upper):
        assert torch.isfinite(deconvolver(2 * Y - 1, PSF, 0.01).image).all()
        return
    with pytest.raises(ValueError, match=r"^\d\d% of an image y lies below 0 \(down to -.*Wiener or Tikhonov$"):
        deconvolver(2 * Y - 1, PSF, 0.01)
    with pytest.raises(ValueError, match=r"^\d\d% of an image y lies above 1 \(up to 2.*divide it by its white$"):
        deconvolver(3 * Y, PSF, 0.01)


@most
def test_an_exact_image_with_a_black_corner(deconvolver: Deconvolver) -> None:
    x = made_up(2, (48, 64), generator=torch.Generator().manual_seed(3))
    x[..., :16, :16] = 0
    psf = kernels(2)
    y = Convolution(psf, "valid").A(x)
    inner = x[..., 2:-2, 2:-2]
    for sigma in (0.0, 0.004):
        observed = y + sigma * torch.randn(y.shape, generator=torch.Generator().manual_seed(4))
        assert float(isnr(observed, deconvolver(observed, psf, sigma).image, inner).mean()) > 0


@pytest.mark.parametrize("what", REFUSED)
def test_tiles_refuse_the_same(what: str) -> None:
    y, psf, sigma, said = REFUSED[what]
    with pytest.raises((ValueError, TypeError), match=f"^{said}"):
        Tiled(Wiener(), tile=16)(y, psf, sigma)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@every
def test_kernel_and_noise_follow_the_image_to_its_device(deconvolver: Deconvolver) -> None:
    sigma = torch.tensor([0.01, 0.02])
    on_cpu = deconvolver(Y, PSF, sigma).image
    on_gpu = deconvolver(Y.cuda(), PSF, sigma).image
    assert on_gpu.is_cuda
    torch.testing.assert_close(on_gpu.cpu(), on_cpu, atol=2e-3, rtol=0)
    assert deconvolver(Y, PSF.cuda(), sigma.cuda()).image.device.type == "cpu"
