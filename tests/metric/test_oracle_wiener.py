from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve

from blurlab.metric import isnr_oracle_wiener, psnr_oracle_wiener

SHAPES = [(17, 24), (16, 21)]


def scene(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(height)
    x = torch.rand(2, 3, height, width, generator=draw, dtype=torch.float64).cumsum(-1)
    psf = torch.rand(2, 1, 5, 3, generator=draw, dtype=torch.float64)
    return x / x.amax(), psf / psf.sum((-2, -1), keepdim=True)


@pytest.mark.parametrize("shape", SHAPES)
def test_is_what_the_filter_reaches_on_average(shape):
    x, psf = scene(*shape)
    sigma, draw = 0.02, np.random.default_rng(0)
    expected = isnr_oracle_wiener(x, psf, sigma)
    for i in range(2):
        sharp, kernel = x[i].numpy(), psf[i, 0].numpy()
        blurred = np.stack([convolve(channel, kernel, mode="wrap") for channel in sharp])
        delta = np.zeros(shape)
        delta[0, 0] = 1
        otf = np.fft.fft2(convolve(delta, kernel, mode="wrap"))
        power = np.abs(np.fft.fft2(sharp)) ** 2 / sharp[0].size
        wiener = otf.conj() * power / (np.abs(otf) ** 2 * power + sigma**2)
        before = after = 0.0
        for _ in range(300):
            y = blurred + sigma * draw.standard_normal(sharp.shape)
            before += ((y - sharp) ** 2).sum()
            after += ((np.fft.ifft2(wiener * np.fft.fft2(y)).real - sharp) ** 2).sum()
        assert expected[i].item() == pytest.approx(10 * math.log10(before / after), abs=0.1)
        left = psnr_oracle_wiener(x, psf, sigma)[i].item()
        assert left == pytest.approx(-10 * math.log10(after / 300 / sharp.size), abs=0.1)


def test_closed_form_and_no_constant_noise_to_signal_ratio_does_better():
    x, psf = scene(17, 24)
    power = torch.fft.fft2(x).abs().square() / (17 * 24)
    rows, cols = psf.shape[-2:]
    grid = torch.nn.functional.pad(psf, (0, 24 - cols, 0, 17 - rows)).roll((-(rows // 2), -(cols // 2)), (-2, -1))
    otf, sigma = torch.fft.fft2(grid), 0.02
    before = ((1 - otf).abs().square() * power + sigma**2).mean((1, 2, 3))

    def reached(ratio: torch.Tensor | float) -> torch.Tensor:
        wiener = otf.conj() / (otf.abs().square() + ratio)
        after = ((1 - wiener * otf).abs().square() * power + wiener.abs().square() * sigma**2).mean((1, 2, 3))
        return 10 * torch.log10(before / after)

    best = isnr_oracle_wiener(x, psf, sigma)
    torch.testing.assert_close(best, reached(sigma**2 / power))
    for ratio in np.logspace(-5, 1, 13):
        assert (reached(ratio) < best).all()


def test_limits_and_sigma_per_image():
    x, psf = scene(17, 24)
    assert torch.isinf(isnr_oracle_wiener(x, 0.1 * psf + 0.9 * delta_like(psf), 0.0)).all()
    assert (isnr_oracle_wiener(x, delta_like(psf), 0.0) == 0).all()
    assert torch.isinf(isnr_oracle_wiener(torch.zeros_like(x), psf, 0.1)).all()
    both = isnr_oracle_wiener(x, psf, torch.tensor([0.01, 0.1]))
    torch.testing.assert_close(both[0], isnr_oracle_wiener(x, psf, 0.01)[0], rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(both[1], isnr_oracle_wiener(x, psf, 0.1)[1], rtol=1e-6, atol=1e-6)


def test_without_noise_what_a_zero_of_the_kernel_hides_is_lost():
    x = torch.tensor([0.0, 1.0, 0.0, 1.0], dtype=torch.float64).reshape(1, 1, 1, 4)
    psf = torch.tensor([0.25, 0.5, 0.25], dtype=torch.float64).reshape(1, 1, 1, 3)
    assert isnr_oracle_wiener(x, psf, 0.0).item() == 0  # the alternating part is gone before and after


def delta_like(psf: torch.Tensor) -> torch.Tensor:
    delta = torch.zeros_like(psf)
    delta[..., psf.shape[-2] // 2, psf.shape[-1] // 2] = 1
    return delta
