"""A photograph through a turning camera: its motion is found, kernels and restored image are better than one kernel's."""

from __future__ import annotations

import math

import torch
from shaken import scene

from blurlab.blind.camera_motion import CameraMotion, middles
from blurlab.blind.varying import VaryingShake, correlating, kernel_grid, patches
from blurlab.core.rng import generator
from blurlab.deconvolver import TV, Tiled
from blurlab.metric import isnr, kernel_correlation
from blurlab.noise import Power

SIDE = 160
RESPONSE = Power(1.0)


def motion() -> CameraMotion:
    """A turn of 3 degrees while the camera moved by a few pixels."""
    t = torch.linspace(-1, 1, 9)
    return CameraMotion(torch.stack([2 * t, 3 * t**2 - 1, math.radians(1.5) * t], 1), torch.full((9,), 1 / 9))


def test_motion_is_found() -> None:
    true = motion()
    operator = true.operator((SIDE, SIDE), (5, 5))
    margin = operator.psf.shape[-1] // 2
    x = scene(SIDE + 2 * margin)
    y = operator.A(x)
    y = y + 0.003 * torch.randn(y.shape, generator=generator("varying"))
    x = x[..., margin:-margin, margin:-margin]
    one = true.kernels(torch.zeros(1, 2), 11)
    found = VaryingShake(response=RESPONSE, angle_deg=2.0, rounds=2).from_kernel(y, one[0])

    places, size = middles((SIDE, SIDE), (4, 4)), 19
    kernels, uniform = found.kernels(places, size)[:, None], one[:, None].expand(16, -1, -1, -1)
    expected = true.kernels(places, size)[:, None]
    corners = torch.tensor([0, 3, 12, 15])
    before, after = (kernel_correlation(one[corners], expected[corners]).mean() for one in (uniform, kernels))
    assert after > before + 0.1
    tiled = Tiled(TV(), tile=64, overlap=12)
    restored = tiled(y, found.operator((SIDE, SIDE), (5, 5)), 0.003).image
    assert isnr(x, y, restored) > isnr(x, y, TV()(y, one[:, None], 0.003).image) + 1


def test_a_normal_matrix_is_that_of_the_shifted_squares() -> None:
    """Correlation with an autocorrelation is the sum over pixels of shifted images."""
    x = torch.randn(9, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    grid = (16, 16)
    lags = torch.fft.irfft2(torch.fft.rfft2(x, s=grid).abs().square(), s=grid).roll((4, 4), (0, 1))[:9, :9]
    h = torch.rand(1, 5, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    blurred = torch.fft.irfft2(torch.fft.rfft2(x, s=grid) * torch.fft.rfft2(h[0], s=grid), s=grid)
    energy = (h * correlating(lags[None], 0.5)(h)).sum()
    torch.testing.assert_close(energy, blurred.square().sum() + 0.5 * h.square().sum())


def test_patches_overlap_by_half_and_kernels_stand_apart() -> None:
    found = patches((100, 30), 40)
    assert [rows for rows, _ in found] == [(0, 40), (20, 60), (40, 80), (60, 100)]
    assert {cols for _, cols in found} == {(0, 30)}
    assert kernel_grid((320, 480)) == (5, 8) and kernel_grid((20, 20)) == (1, 1)
