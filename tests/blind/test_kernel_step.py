"""Kernel steps against a known kernel, and against scipy's non-negative least squares on the whole matrix."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import nnls
from shaken import observation, scene, shake

from blurlab.blind.kernel_step import frame, non_negative, quotient, toeplitz
from blurlab.blind.selection import gradients
from blurlab.core.rng import generator
from blurlab.metric import kernel_correlation


def test_true_gradients_give_the_kernel() -> None:
    x, psf = scene(128), shake()
    seen, sharp = gradients(observation(x, psf, 0.005)[0, 0]), gradients(x[0, 0, 4:-4, 4:-4])
    for step in (quotient, non_negative):
        found = step(sharp, seen, 11, 0.1)
        assert float(kernel_correlation(found[None, None].clamp_min(0), psf)) > 0.97
        assert 0.9 < float(found.sum()) < 1.1
        assert divmod(int(found.argmax()), 11) == (2, 2)  # where it lies in psf, a pixel of border more


def test_non_negative_is_the_least_squares_of_its_matrix() -> None:
    draw = generator("nnls")
    sharp, seen = (torch.randn(2, 24, 29, generator=draw, dtype=torch.float64) for _ in range(2))
    size, weight = 5, 2.0
    window = frame((24, 29), size).double()
    columns = []
    for row in range(size):
        for column in range(size):
            moved = torch.zeros(2, 40, 45, dtype=torch.float64)
            moved[:, 4 + row : 28 + row, 4 + column : 33 + column] = sharp * window
            columns.append(moved.flatten())
    target = torch.zeros(2, 40, 45, dtype=torch.float64)
    target[:, 6:30, 6:35] = seen * window
    matrix = torch.stack([*columns], 1)
    full = np.concatenate([matrix.numpy(), np.sqrt(weight) * np.eye(size**2)])
    best, _ = nnls(full, np.concatenate([target.flatten().numpy(), np.zeros(size**2)]))
    found = non_negative(sharp, seen, size, weight).flatten()
    assert bool((found >= 0).all()) and 0 < (best == 0).sum() < size**2
    assert float((found - torch.from_numpy(best)).abs().max()) < 5e-3 * float(best.max())


def test_the_matrix_convolves() -> None:
    power = torch.fft.rfft2(torch.randn(16, 18, generator=generator("matrix"), dtype=torch.float64)).abs().square()
    correlation, kernel = torch.fft.irfft2(power, s=(16, 18)), torch.rand(3, 3, dtype=torch.float64)
    whole = torch.fft.irfft2(torch.fft.rfft2(kernel, s=(16, 18)) * power, s=(16, 18))
    torch.testing.assert_close((toeplitz(correlation, 3) @ kernel.flatten()).reshape(3, 3), whole[:3, :3])
