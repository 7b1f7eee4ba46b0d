from __future__ import annotations

import math

import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from blurlab.metric import bsnr, isnr, isnr_border


def test_is_the_gain_in_psnr():
    x, y, x_hat = torch.rand(3, 4, 3, 17, 24, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    gains = [
        peak_signal_noise_ratio(x[i].numpy(), x_hat[i].numpy(), data_range=1)
        - peak_signal_noise_ratio(x[i].numpy(), y[i].numpy(), data_range=1)
        for i in range(4)
    ]
    torch.testing.assert_close(isnr(y, x_hat, x), torch.tensor(gains, dtype=torch.float64))


def test_extremes():
    x = torch.zeros(1, 1, 4, 4)
    assert isnr(x + 0.1, x, x).item() == math.inf
    assert isnr(x, x + 0.1, x).item() == -math.inf
    assert isnr(x + 0.1, x + 0.1, x).item() == 0
    assert isnr(x, x, x).item() == 0


def test_bsnr_takes_one_sigma_or_one_an_image():
    blurred = torch.rand(2, 1, 17, 24, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    sigma = torch.tensor([0.01, 0.1], dtype=torch.float64)
    expected = [10 * math.log10(image.numpy().var() / float(s) ** 2) for image, s in zip(blurred, sigma, strict=True)]
    torch.testing.assert_close(bsnr(blurred, sigma), torch.tensor(expected, dtype=torch.float64))
    torch.testing.assert_close(bsnr(blurred, 0.1)[1], bsnr(blurred, sigma)[1])
    assert math.isinf(bsnr(blurred, 0.0)[0])


def test_frame_and_inside_together_are_the_whole() -> None:
    x, y, x_hat = torch.rand(3, 2, 3, 17, 24, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    outside = torch.ones(17, 24, dtype=torch.bool)
    outside[4:-4, 4:-4] = False
    before, after = ((image - x)[..., outside].square().sum((1, 2)) for image in (y, x_hat))
    torch.testing.assert_close(isnr_border(y, x_hat, x, border=4), 10 * torch.log10(before / after))
    x_hat[..., 4:-4, 4:-4] += 1  # no matter to the frame
    torch.testing.assert_close(isnr_border(y, x_hat, x, border=4), 10 * torch.log10(before / after))
    with pytest.raises(ValueError, match="leave pixels"):
        isnr_border(y, x_hat, x, border=9)
