from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import fourier_shift

from blurlab.metric import kernel_error, psf_snr


def bump(rows: float, cols: float, size: int = 15, sigma: float = 1.2) -> torch.Tensor:
    at = torch.arange(size, dtype=torch.float64) - size // 2
    psf = torch.exp(-((at[:, None] - rows) ** 2 + 0.5 * (at - cols) ** 2) / (2 * sigma**2))
    return (psf / psf.sum())[None, None]


def test_subpixel_shift_is_found_and_leaves_no_error():
    error, shift = kernel_error(bump(-0.37, 1.22), bump(0.0, 0.0))
    torch.testing.assert_close(shift, torch.tensor([[0.37, -1.22]], dtype=torch.float64), rtol=0, atol=1e-6)
    assert error.item() < 1e-5 * bump(0, 0).square().sum()


def test_whole_shifts_agree_with_trying_them_all():
    psf_hat, psf = torch.rand(2, 3, 1, 5, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    error, shift = kernel_error(psf_hat, psf, max_shift_px=2, zooms=0)
    for i in range(3):
        a, b = (np.pad(kernel[i, 0].numpy(), 2) for kernel in (psf_hat, psf))
        tried = {(r, c): ((np.roll(a, (r, c), (0, 1)) - b) ** 2).sum() for r in range(-2, 3) for c in range(-2, 3)}
        best = min(tried, key=tried.__getitem__)
        assert tuple(shift[i].int().tolist()) == best
        assert error[i].item() == pytest.approx(tried[best])


def test_subpixel_error_agrees_with_scipy_and_no_near_shift_is_better():
    psf_hat, psf = torch.rand(2, 1, 1, 7, 7, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    error, shift = kernel_error(psf_hat, psf, max_shift_px=3)
    a, b = (np.pad(kernel[0, 0].numpy(), 3) for kernel in (psf_hat, psf))

    def squared(move: np.ndarray) -> float:
        return float(((np.fft.ifft2(fourier_shift(np.fft.fft2(a), move)).real - b) ** 2).sum())

    best = shift[0].numpy()
    assert error.item() == pytest.approx(squared(best))
    around = [squared(best + 0.01 * np.array([r, c])) for r in (-1, 0, 1) for c in (-1, 0, 1)]
    assert squared(best) <= min(around) + 1e-12


def test_shift_invariance_symmetry_and_batch():
    first = torch.cat([bump(0.3, 0), bump(-2, 1.5)])
    second = torch.cat([bump(0, 0, sigma=1.6), bump(0, 0, sigma=0.9)])
    error, shift = kernel_error(first, second)
    back, opposite = kernel_error(second, first)
    torch.testing.assert_close(error, back, rtol=1e-4, atol=1e-9)
    torch.testing.assert_close(shift, -opposite, rtol=0, atol=0.0101)
    single = torch.cat([kernel_error(first[i : i + 1], second[i : i + 1])[0] for i in range(2)])
    torch.testing.assert_close(error, single)


def test_psf_snr_pads_about_the_centre():
    psf = bump(0, 0)
    wide = torch.nn.functional.pad(psf, (2, 2, 3, 3))
    assert psf_snr(wide, psf).item() == float("inf")
    torch.testing.assert_close(psf_snr(0.9 * wide, psf), torch.tensor([20.0], dtype=torch.float64))
    assert psf_snr(psf.roll(2, -1), psf).item() < 3


@pytest.mark.parametrize("function", [psf_snr, kernel_error])
def test_bad_kernels(function):
    with pytest.raises(ValueError, match="odd sides"):
        function(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 3, 3))
    with pytest.raises(ValueError, match="as many kernels, got 2 and 1"):
        function(torch.ones(2, 1, 3, 3), torch.ones(1, 1, 3, 3))
