from __future__ import annotations

import math

import torch
from skimage.metrics import peak_signal_noise_ratio

from blurlab.metric import psnr


def test_agrees_with_scikit_image():
    x, x_hat = torch.rand(2, 4, 3, 17, 24, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = [peak_signal_noise_ratio(a.numpy(), b.numpy(), data_range=1.0) for a, b in zip(x, x_hat, strict=True)]
    torch.testing.assert_close(psnr(x_hat, x), torch.tensor(expected, dtype=torch.float64))


def test_perfect_restoration_is_infinite_for_that_image_alone():
    x = torch.zeros(2, 1, 4, 4)
    value = psnr(torch.cat([x[:1], x[1:] + 0.1]), x)
    assert math.isinf(value[0]) and value[0] > 0
    torch.testing.assert_close(value[1], torch.tensor(20.0))
