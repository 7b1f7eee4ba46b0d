"""A photograph through a turning camera: its motion is found, and undone better than one kernel is."""

from __future__ import annotations

import math

import pytest
import torch
from fast_set import first_fast
from shaken import scene
from torch.nn.functional import avg_pool2d

from blurlab.blind.camera_motion import CameraMotion, middles
from blurlab.blind.varying import (
    VaryingShake,
    correlating,
    kernel_grid,
    local_kernels,
    patches,
    smaller_kernel,
)
from blurlab.core.rng import generator
from blurlab.deconvolver import TV, Tiled
from blurlab.metric import isnr, kernel_correlation
from blurlab.noise import Power
from blurlab.physics import Convolution, patch_windows

SIDE = 192
RESPONSE = Power(1.0)


def motion() -> CameraMotion:
    """A turn of 2 degrees while the camera moved by a few pixels."""
    t = torch.linspace(-1, 1, 61)
    return CameraMotion(torch.stack([2 * t, 3 * t**2 - 1, math.radians(1.0) * t], 1), torch.full((61,), 1 / 61))


@pytest.mark.parametrize("side", first_fast([144, SIDE]))
def test_motion_is_found(side: int) -> None:
    true = motion()
    operator = true.operator((side, side), (6, 6))
    margin = operator.psf.shape[-1] // 2
    x = scene(side + 2 * margin)
    y = operator.A(x)
    y = y + 0.003 * torch.randn(y.shape, generator=generator("varying"))
    x = x[..., margin:-margin, margin:-margin]
    one = true.kernels(torch.zeros(1, 2), 11)
    found = VaryingShake(response=RESPONSE).from_kernel(y, one[0])

    places, size = middles((side, side), (4, 4)), 21
    expected = true.kernels(places, size)[:, None]
    before = kernel_correlation(one[:, None].expand(16, -1, -1, -1), expected).mean()
    assert kernel_correlation(found.kernels(places, size)[:, None], expected).mean() > before + 0.05
    restored = Tiled(TV(), tile=84, overlap=16)(y, found.operator((side, side), (6, 6)), 0.005).image
    assert isnr(y, restored, x) > isnr(y, TV()(y, one[:, None], 0.003).image, x) + 2


def test_local_kernels_are_those_of_their_patches() -> None:
    operator = motion().operator((SIDE, SIDE), (2, 2))
    margin = operator.psf.shape[-1] // 2
    x = scene(SIDE + 2 * margin)
    y = operator.A(x)[0, 0]
    local = local_kernels(x[0, 0, margin:-margin, margin:-margin], y, (2, 2), 11, 0.01)
    expected = operator.psf.reshape(4, 1, *operator.psf.shape[-2:])
    assert kernel_correlation(local.reshape(4, 1, 11, 11), expected).min() > 0.9
    torch.testing.assert_close(local.sum((-2, -1)), torch.ones(2, 2))


def test_a_normal_matrix_is_that_of_the_shifted_squares() -> None:
    """Correlation with an autocorrelation is the sum over pixels of shifted images."""
    x = torch.randn(9, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    grid = (16, 16)
    lags = torch.fft.irfft2(torch.fft.rfft2(x, s=grid).abs().square(), s=grid).roll((4, 4), (0, 1))[:9, :9]
    h = torch.rand(1, 5, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    blurred = torch.fft.irfft2(torch.fft.rfft2(x, s=grid) * torch.fft.rfft2(h[0], s=grid), s=grid)
    energy = (h * correlating(lags[None], 0.5)(h)).sum()
    torch.testing.assert_close(energy, blurred.square().sum() + 0.5 * h.square().sum())


def test_patches_are_those_of_the_windows() -> None:
    windows = patch_windows((100, 30), (4, 1)) > 0
    for window, (rows, cols) in zip(windows, patches((100, 30), (4, 1)), strict=True):
        inside = window.nonzero()
        assert inside[:, 0].min() >= rows[0] and inside[:, 0].max() < rows[1] and cols == (0, 30)
        assert len(inside) >= 30 * (rows[1] - rows[0] - 2)
    assert kernel_grid((320, 480)) == (10, 15) and kernel_grid((10, 10)) == (1, 1)


def test_a_small_copy_has_a_small_kernel() -> None:
    """An image blurred and made smaller, or made smaller and blurred by the smaller kernel."""
    x = scene(120)
    psf = torch.ones(1, 1, 9, 9) / 81
    before = avg_pool2d(Convolution(psf, "valid").A(x), 2)
    small = smaller_kernel(psf[0, 0], 2)
    margin = small.shape[0] // 2
    after = Convolution(small[None, None], "valid").A(avg_pool2d(x, 2))
    crop = (after.shape[-1] - before.shape[-1]) // 2
    after = after[..., crop : crop + before.shape[-2], crop : crop + before.shape[-1]]
    assert margin == 2 and (after - before).abs().mean() < 0.02
