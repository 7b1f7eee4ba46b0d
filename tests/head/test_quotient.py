"""The quotient layers: against least squares, their derivatives against the formulas, the window against SciPy's."""

from __future__ import annotations

import pytest
import scipy.signal.windows
import torch
from torch import Tensor

from blurlab.blur import Gaussian, Motion
from blurlab.core.fourier import fast_size, psf_to_otf
from blurlab.head.quotient import as_kernel, barthann, border_window, image_quotient, kernel_quotient
from blurlab.physics import Convolution

SHAPE = (15, 12)  # sides without a prime factor above 5: the grid is the image
BETA = 0.3


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def spectra(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """X, Y, D and K of the formulas, whole spectra."""
    sharp, blurred = torch.fft.fft2(x), torch.fft.fft2(y)
    below = sharp.abs().square().sum(1, keepdim=True) + BETA
    return sharp, blurred, below, (sharp.conj() * blurred).sum(1, keepdim=True) / below


def test_kernels_and_images_minimise_what_the_paper_says() -> None:
    x, y = noise(1, 2, *SHAPE), noise(1, 2, *SHAPE, seed=1)
    for place in [(0, 0), (3, -2)]:
        k = torch.zeros(1, 1, *SHAPE, dtype=torch.float64, requires_grad=True)
        full = torch.fft.irfft2(
            (torch.fft.rfft2(x).conj() * torch.fft.rfft2(y)).sum(1, keepdim=True)
            / (torch.fft.rfft2(x).abs().square().sum(1, keepdim=True) + BETA),
            SHAPE,
        )
        again = torch.fft.irfft2(torch.fft.rfft2(full + k) * torch.fft.rfft2(x), SHAPE)
        cost = (again - y).square().sum() + BETA * (full + k).square().sum()
        (slope,) = torch.autograd.grad(cost, k)
        assert float(slope.abs().max()) < 1e-9
        cut = kernel_quotient(x, y, BETA, 7)[0, 0]
        assert float((cut[3 + place[0], 3 + place[1]] - full[0, 0, place[0], place[1]]).abs()) < 1e-12
    psf = Motion(4, 30, size=7).sample(1, generator=torch.Generator().manual_seed(0)).psf.double()
    blurred = noise(1, 1, *SHAPE, seed=2)
    image = image_quotient(psf, blurred, BETA).requires_grad_()
    cost = (Convolution(psf, "circular").A(image) - blurred).square().sum() + BETA * image.square().sum()
    (slope,) = torch.autograd.grad(cost, image)
    assert float(slope.abs().max()) < 1e-9


def test_the_true_sharp_images_give_the_kernel_and_the_kernel_the_sharp_image() -> None:
    psf = Gaussian(0.8, size=7).sample(2, generator=torch.Generator().manual_seed(0)).psf.double()
    x = noise(2, 3, 24, 20)
    y = Convolution(psf, "circular").A(x)
    assert fast_size(24) == 24 and fast_size(20) == 20
    torch.testing.assert_close(kernel_quotient(x, y, 1e-9, 7), psf, rtol=0, atol=1e-8)
    assert float(psf_to_otf(psf, (24, 20)).abs().min()) > 1e-3
    torch.testing.assert_close(image_quotient(psf, y, 1e-12), x, rtol=0, atol=1e-4)


def test_autograd_agrees_with_differences() -> None:
    x, y = noise(1, 2, 7, 6).requires_grad_(), noise(1, 2, 7, 6, seed=1).requires_grad_()
    beta = torch.tensor(BETA, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda *all: kernel_quotient(*all, 5), (x, y, beta))
    psf = as_kernel(noise(1, 1, 3, 3, seed=2)).requires_grad_()
    assert torch.autograd.gradcheck(image_quotient, (psf, y, beta))


def test_autograd_agrees_with_the_derivatives_of_the_paper() -> None:
    x, y = noise(1, 2, *SHAPE).requires_grad_(), noise(1, 2, *SHAPE, seed=1).requires_grad_()
    beta = torch.tensor(BETA, dtype=torch.float64, requires_grad=True)
    upstream = noise(1, 1, 9, 9, seed=3)
    (kernel_quotient(x, y, beta, 9) * upstream).sum().backward()
    whole = torch.zeros(1, 1, *SHAPE, dtype=torch.float64)
    whole[..., :9, :9] = upstream
    arriving = torch.fft.fft2(whole.roll((-4, -4), (-2, -1)))
    sharp, blurred, below, ratio = spectra(x.detach(), y.detach())
    by_y = torch.fft.ifft2(sharp * arriving / below).real
    first = arriving.conj() * (blurred - ratio * sharp)
    by_x = torch.fft.ifft2((first - arriving * ratio.conj() * sharp) / below).real
    by_beta = -(arriving.conj() * ratio / below).real.sum() / (SHAPE[0] * SHAPE[1])
    torch.testing.assert_close(y.grad, by_y, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(x.grad, by_x, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(beta.grad, by_beta, rtol=1e-9, atol=1e-12)


def test_a_kernel_has_no_negative_pixel_and_sum_one_even_where_all_are_negative() -> None:
    made = as_kernel(torch.tensor([[[[2.0, -1.0, 2.0]]], [[[-1.0, -1.0, -1.0]]]]))
    assert made[0].flatten().tolist() == [0.5, 0.0, 0.5] and made[1].flatten().tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("size", [7, 18])
def test_the_window_is_scipys(size: int) -> None:
    expected = torch.from_numpy(scipy.signal.windows.barthann(size))
    torch.testing.assert_close(barthann(size), expected, rtol=0, atol=1e-12)


def test_only_the_border_fades() -> None:
    window = border_window((20, 30), 5)
    assert window.shape == (20, 30) and bool((window[5:-5, 5:-5] == 1).all())
    assert bool((window[:5, 10].diff() > 0).all()) and torch.equal(window, window.flip(0, 1))
    small = border_window((5, 5), 9)
    assert float(small[2, 2]) == 1 and float(small[0, 2]) < 1
