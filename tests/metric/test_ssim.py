from __future__ import annotations

import pytest
import torch
from skimage.metrics import structural_similarity

from blurlab.metric import ssim

SETTINGS = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}


def pair(dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.rand(4, 3, 17, 24, generator=torch.Generator().manual_seed(0), dtype=dtype)
    return x, (x + 0.2 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1), dtype=dtype)).clamp(0, 1)


def test_agrees_with_scikit_image():
    x, x_hat = pair()
    expected = [
        structural_similarity(a.numpy(), b.numpy(), channel_axis=0, **SETTINGS) for a, b in zip(x, x_hat, strict=True)
    ]
    torch.testing.assert_close(ssim(x_hat, x), torch.tensor(expected, dtype=torch.float64), rtol=1e-7, atol=1e-7)


def test_smallest_image_has_one_window():
    x, x_hat = (image[:1, :1, :11, :11] for image in pair())
    full = structural_similarity(x[0, 0].numpy(), x_hat[0, 0].numpy(), full=True, **SETTINGS)[1]
    torch.testing.assert_close(ssim(x_hat, x).item(), float(full[5, 5]))


def test_autocast_changes_nothing():
    x, x_hat = pair(torch.float32)
    plain = ssim(x_hat, x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(ssim(x_hat, x), plain, rtol=0, atol=0)
    torch.testing.assert_close(ssim(x, x), torch.ones(4))
    torch.testing.assert_close(plain.double(), ssim(x_hat.double(), x.double()), rtol=0, atol=1e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_tf32_on_the_device_changes_nothing():
    x, x_hat = pair(torch.float32)
    x_hat = x + 0.01 * (x_hat - x)
    torch.testing.assert_close(ssim(x_hat.cuda(), x.cuda()).cpu(), ssim(x_hat, x), rtol=0, atol=1e-5)
