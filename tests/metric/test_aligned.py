from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from blurlab.metric import align, psnr

SEED = 3


def smooth(n: int, shape: tuple[int, int]) -> torch.Tensor:
    noise = np.random.default_rng(SEED).standard_normal((n, 2, *shape))
    images = ndimage.gaussian_filter(noise, (0, 0, 1.5, 1.5))
    return torch.from_numpy(0.5 + images / (6 * images.std()))


def brute_force(x_hat: np.ndarray, x: np.ndarray, reach: int, border: int) -> tuple[float, tuple[float, float]]:
    """Least sum of squared errors, every shift interpolated by scipy."""
    inside = (slice(None), slice(border, -border), slice(border, -border))
    steps = np.arange(-reach, reach + 0.125, 0.25)
    errors = {}
    for down in steps:
        for right in steps:
            moved = ndimage.shift(x_hat, (0, -down, -right), order=1, prefilter=False)
            errors[down, right] = float(((moved - x)[inside] ** 2).sum())
    best = min(errors, key=lambda shift: errors[shift])
    return errors[best], best


def test_finds_the_shift_and_error_that_brute_force_finds() -> None:
    x = smooth(3, (29, 34))
    by = [(1.3, -0.6), (0.0, 2.0), (-2.7, -1.1)]
    moved = [
        ndimage.shift(image.numpy(), (0, *shift), order=3, mode="nearest") for image, shift in zip(x, by, strict=True)
    ]
    x_hat = torch.from_numpy(np.stack(moved))
    found = align(x_hat, x, reach_px=3, border=6)
    for i in range(3):
        error, shift = brute_force(moved[i], x[i].numpy(), 3, 6)
        assert tuple(found.shift_px[i].tolist()) == shift
        assert float((found.x_hat[i] - found.x[i]).square().sum()) == pytest.approx(error, rel=1e-9)
        assert max(abs(a - b) for a, b in zip(shift, by[i], strict=True)) <= 0.25


def test_an_image_in_its_place_is_only_cropped() -> None:
    x = smooth(2, (40, 47)).float()
    x_hat = x + 0.01 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    found = align(x_hat, x)
    assert found.x_hat.shape == (2, 2, 10, 17) and not found.shift_px.any()
    torch.testing.assert_close(psnr(found.x_hat, found.x), psnr(x_hat, x, border=15))
    assert found.x_hat.dtype == torch.float32


def test_an_image_is_aligned_by_itself() -> None:
    x = smooth(2, (36, 33))
    x_hat = torch.stack([x[0].roll(1, -1), x[1].roll(-2, -2)])
    both = align(x_hat, x, reach_px=4, border=8)
    assert both.shift_px.tolist() == [[0, 1], [-2, 0]]
    assert torch.equal(align(x_hat[1:], x[1:], reach_px=4, border=8).x_hat, both.x_hat[1:])


@pytest.mark.parametrize(
    ("options", "message"),
    [({"border": 9}, "at least the reach"), ({"step_px": 0.3}, "whole part"), ({"border": 20}, "leave pixels")],
)
def test_what_does_not_fit_is_refused(options: dict[str, float], message: str) -> None:
    x = smooth(1, (30, 30))
    with pytest.raises(ValueError, match=message):
        align(x, x, **options)
