from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from blurlab.metric import align, error_ratio, kernel_correlation, norm_ratio, psnr

DRAW = np.random.default_rng(5)
X, GOOD, POOR = (torch.from_numpy(0.5 + 0.1 * DRAW.standard_normal((2, 1, 21, 26))) for _ in range(3))


def test_error_ratio_is_what_the_psnr_differ_by() -> None:
    ratio = error_ratio(X + POOR, X + GOOD, X, border=3)
    lost = psnr(X + GOOD, X, border=3) - psnr(X + POOR, X, border=3)
    torch.testing.assert_close(10 * ratio.log10(), lost)


def test_norm_ratio_is_that_of_numpys_spectral_norms() -> None:
    for row, value in enumerate(norm_ratio(X + POOR, X + GOOD, X, border=2).tolist()):
        poor, good = (np.linalg.norm(one[row, 0, 2:-2, 2:-2].numpy(), 2) for one in (POOR, GOOD))
        assert value == pytest.approx(poor / good)
    with pytest.raises(ValueError, match="grey images, got 3 channels"):
        norm_ratio(*(one.expand(-1, 3, -1, -1) for one in (POOR, GOOD, X)))


def test_correlation_is_the_best_over_all_shifts() -> None:
    a, b = DRAW.random((7, 5)), DRAW.random((9, 11))
    best = correlate2d(a, b).max() / np.sqrt((a**2).sum() * (b**2).sum())
    found = kernel_correlation(torch.from_numpy(a)[None, None], torch.from_numpy(b)[None, None])
    assert float(found) == pytest.approx(best)
    moved = torch.zeros(1, 1, 15, 15, dtype=torch.float64)
    moved[..., 8:, 10:] = 3 * torch.from_numpy(a)
    assert float(kernel_correlation(moved, torch.from_numpy(a)[None, None])) == pytest.approx(1)
    assert float(kernel_correlation(torch.zeros(1, 1, 3, 3), moved)) == 0


def test_aligned_images_of_a_shifted_restoration_lose_nothing() -> None:
    wide = torch.nn.functional.interpolate(X, scale_factor=3, mode="bilinear")
    moved = align(wide.roll(2, -1), wide, reach_px=4, border=8)
    assert float(error_ratio(moved.x_hat + 0.1, moved.x + 0.1, moved.x)[0]) == pytest.approx(1)
