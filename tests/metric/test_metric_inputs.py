from __future__ import annotations

import pytest
import torch

from blurlab.metric import bsnr, isnr, psnr, ssim

X = torch.rand(3, 2, 25, 32, generator=torch.Generator().manual_seed(0))
Y = (X + 0.1 * torch.randn(X.shape, generator=torch.Generator().manual_seed(1))).clamp(0, 1)
Z = 0.5 * (X + Y)


@pytest.mark.parametrize(
    ("function", "images"),
    [(psnr, (Y, X)), (ssim, (Y, X)), (isnr, (Y, Z, X)), (lambda b, **k: bsnr(b, 0.1, **k), (X,))],
)
def test_border_is_the_same_crop_of_every_image_and_a_batch_is_its_images(function, images):
    cropped = function(*(image[..., 4:-4, 4:-4] for image in images))
    torch.testing.assert_close(function(*images, border=4), cropped)
    single = torch.cat([function(*(image[i : i + 1] for image in images)) for i in range(3)])
    torch.testing.assert_close(function(*images), single, rtol=1e-5, atol=1e-5)
    assert function(*images).shape == (3,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: psnr(X, X[..., :-1]), "images must have one shape"),
        (lambda: psnr(X, X, border=13), "border must be >= 0 and leave pixels of 25x32, got 13"),
        (lambda: psnr(X, X, border=-1), "border must be >= 0"),
        (lambda: ssim(X, X, border=8), "at least 11 px after the border, got 9x16"),
        (lambda: isnr(X, X * float("nan"), X), "x_hat has NaN"),
        (lambda: bsnr(X, -0.1), "must be finite and >= 0"),
    ],
)
def test_bad_input_is_told_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_whole_numbers_are_refused():
    with pytest.raises(TypeError, match="divide integers by their range"):
        psnr(X, (X * 255).to(torch.uint8))
