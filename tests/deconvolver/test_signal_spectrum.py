"""The estimated spectrum against the one that the images were drawn with."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.deconvolver import Wiener
from blurlab.deconvolver.laws import kernels
from blurlab.deconvolver.spectrum import estimate_spectrum, power_law, smooth
from blurlab.deconvolver.wiener import wiener
from blurlab.physics import Gradient

SHAPE = (64, 75)


def frequency() -> Tensor:
    power = Gradient().power(SHAPE, like=torch.zeros(1, dtype=torch.float64))
    power[0, 0] = power[0, 1]
    return power


def drawn(spectrum: Tensor, count: int, sigma: float) -> tuple[Tensor, Tensor, Tensor]:
    """Stationary images of this spectrum (sharp, blurred circularly and noisy) and kernels, float64."""
    generator = torch.Generator().manual_seed(1)
    white = torch.randn(count, 1, *SHAPE, generator=generator, dtype=torch.float64)
    colour = spectrum.sqrt().clone()
    colour[..., 0, 0] = 0
    psf = kernels(count).double()
    x = irfft2(colour * rfft2(white), SHAPE)
    y = irfft2(psf_to_otf(psf, SHAPE) * rfft2(x), SHAPE)
    return x, y + sigma * torch.randn(y.shape, generator=generator, dtype=torch.float64), psf


@pytest.mark.parametrize("slope", [0.6, 1.0, 1.8])
def test_a_power_law_is_found_again(slope: float) -> None:
    spectrum = 0.01 * frequency() ** (-slope)
    _, y, psf = drawn(spectrum, 8, 0.05)
    energy = rfft2(y).abs().square() / (SHAPE[0] * SHAPE[1])
    gain = psf_to_otf(psf, SHAPE).abs().square()
    came = power_law(energy, gain, torch.full((8, 1, 1, 1), 0.05**2, dtype=torch.float64), SHAPE)
    off = (came / spectrum).log()[..., frequency() < 4].abs()
    assert float(off.mean()) < 0.15


def test_a_direction_is_found_where_the_blur_lets_it_through() -> None:
    rows = torch.fft.fftfreq(SHAPE[0]).abs().double()[:, None]
    spectrum = 0.01 / frequency() * torch.where(rows < 0.15, 10.0, 0.1)
    _, y, psf = drawn(spectrum, 8, 0.01)
    sigma = torch.full((8, 1, 1, 1), 0.01, dtype=torch.float64)
    law, came = (estimate_spectrum(y, psf, sigma, SHAPE, rounds=rounds) for rounds in (0, 4))
    error = [float((estimate / spectrum).log().abs().mean()) for estimate in (law, came)]
    assert error[1] < 0.7 * error[0]


def test_the_filter_is_near_that_of_the_true_spectrum() -> None:
    spectrum = 0.01 * frequency() ** (-1.2)
    x, y, psf = drawn(spectrum, 8, 0.05)
    solver = Wiener(prior="estimated", strength=1.0, boundary="circular")
    best = wiener(y, psf, 0.05**2 / spectrum[None, None]) - x
    came = solver(y, psf, 0.05).image - x
    assert float(best.square().mean()) < float(came.square().mean()) < 1.1 * float(best.square().mean())


def test_smoothing_keeps_the_mean_and_a_constant() -> None:
    half = torch.rand(1, 1, 9, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    spectrum = rfft2(irfft2(torch.complex(half, torch.zeros_like(half)), (9, 10))).real  # even
    smoothed = smooth(spectrum, (9, 10), 1.0)
    correlation = irfft2(torch.complex(spectrum, torch.zeros_like(spectrum)), (9, 10))
    after = irfft2(torch.complex(smoothed, torch.zeros_like(smoothed)), (9, 10))
    torch.testing.assert_close(after[..., 0, 0], correlation[..., 0, 0])
    assert smoothed.std() < 0.5 * spectrum.std()
    flat = torch.full((9, 6), 0.3, dtype=torch.float64)
    torch.testing.assert_close(smooth(flat, (9, 10), 1.0), flat)
