"""The Welch spectra against scipy and against a plain numpy loop."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
import torch

from blurlab.head.spectrum import FLOOR, hann_window, tapered_log_spectrum, welch_log_spectrum, window_power


def image(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(3))


def numpy_power(y: np.ndarray, window: int, hop: int) -> np.ndarray:
    """(n, window, window) full periodograms of one channel, frequency 0 in the middle of both axes."""
    line = scipy.signal.get_window("hann", window, fftbins=True)
    taper = np.outer(line, line)
    taper /= np.sqrt((taper**2).mean())
    powers = []
    for top in range(0, y.shape[0] - window + 1, hop):
        for left in range(0, y.shape[1] - window + 1, hop):
            patch = y[top : top + window, left : left + window]
            spectrum = np.fft.fft2((patch - patch.mean()) * taper)
            powers.append(np.fft.fftshift(np.abs(spectrum) ** 2) / window**2)
    return np.array(powers)


@pytest.mark.parametrize(("window", "hop"), [(16, 8), (16, 16), (32, 5)])
def test_power_and_log_spectra_are_those_of_a_plain_loop(window: int, hop: int) -> None:
    y = image(2, 1, 41, 57)
    expected = np.stack([numpy_power(one[0].double().numpy(), window, hop) for one in y])
    half = np.concatenate([expected[..., window // 2 :], expected[..., :1]], axis=-1)
    np.testing.assert_allclose(window_power(y, window, hop)[:, 0], half, rtol=2e-3, atol=1e-8)
    logs = np.stack([np.log(half.mean(1) + FLOOR), np.log(half + FLOOR).mean(1)], axis=1)
    np.testing.assert_allclose(welch_log_spectrum(y, window, hop), logs, rtol=1e-4, atol=1e-4)


def test_one_row_of_windows_agrees_with_scipy_welch_of_the_column_sums() -> None:
    """Horizontal power at vertical frequency 0 is the 1-D periodogram of the tapered column sums."""
    window, hop = 32, 16
    y = image(1, 1, window, 160).double()
    line = scipy.signal.get_window("hann", window, fftbins=True)
    sums = (y[0, 0].numpy() * line[:, None]).sum(0) / np.sqrt((line**2).mean() * window)
    _, expected = scipy.signal.welch(
        sums, window="hann", nperseg=window, noverlap=window - hop, detrend=False, return_onesided=False
    )
    ours = window_power(y.float(), window, hop)[0, 0, :, window // 2].mean(0)
    np.testing.assert_allclose(ours[2:-1], expected[2 : window // 2], rtol=1e-3)


def test_white_noise_has_the_power_of_its_variance() -> None:
    noise = 0.02 * torch.randn(1, 1, 512, 512, generator=torch.Generator().manual_seed(1))
    power = window_power(noise).mean((0, 1, 2))
    assert power[:24].mean().item() == pytest.approx(0.02**2, rel=0.02)


def test_a_known_wave_peaks_at_its_frequency() -> None:
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    wave = torch.cos(2 * torch.pi * (5 * rows - 9 * columns) / 64)[None, None]
    power = window_power(wave)[0, 0, 0]
    assert divmod(int(power.argmax()), 33) == (32 - 5, 9)


def test_colour_enters_by_the_mean_power_and_a_constant_image_is_the_floor() -> None:
    y = image(1, 3, 40, 40)
    power = window_power(y, 32, 8).mean(1)
    torch.testing.assert_close(welch_log_spectrum(y, 32, 8)[:, 0], (power.mean(1) + FLOOR).log())
    flat = welch_log_spectrum(torch.full((1, 1, 32, 32), 0.5), 32, 16)
    torch.testing.assert_close(flat, torch.full_like(flat, FLOOR).log())


def test_unit_mean_square_window() -> None:
    assert hann_window(24).square().mean().item() == pytest.approx(1.0)


def test_float32_under_autocast() -> None:
    y = image(1, 1, 64, 64)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = welch_log_spectrum(y.bfloat16().float())
    torch.testing.assert_close(inside, welch_log_spectrum(y.bfloat16().float()), rtol=0, atol=0)
    assert inside.dtype == torch.float32


@pytest.mark.parametrize("shape", [(1, 1, 63, 64), (1, 64, 64)])
def test_too_small_an_image_says_what_to_do(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="use a smaller window"):
        window_power(torch.zeros(shape))


def test_tapered_spectrum_is_scipys_of_each_pair_of_tapers_less_its_mean() -> None:
    y = image(1, 1, 24, 24)
    n = np.arange(1, 17)
    tapers = [np.sqrt(2 / 17) * np.sin(np.pi * k * n / 17) for k in (1, 2)]
    logs = []
    for down in tapers:
        for across in tapers:
            powers = []
            for top in (0, 8):
                for left in (0, 8):
                    patch = y[0, 0, top : top + 16, left : left + 16].double().numpy()
                    rows, cols = np.meshgrid(n, n, indexing="ij")
                    plane = np.stack([np.ones(256), rows.ravel(), cols.ravel()], 1)
                    patch = patch - (plane @ np.linalg.lstsq(plane, patch.ravel(), rcond=None)[0]).reshape(16, 16)
                    powers.append(np.abs(np.fft.fftshift(np.fft.rfft2(patch * np.outer(down, across)), 0)) ** 2)
            logs.append(np.log(np.mean(powers, 0) + 1e-8))
    expected = np.stack(logs) - np.mean(logs)
    found = tapered_log_spectrum(y, 16, 8, 2)[0]
    torch.testing.assert_close(found, torch.from_numpy(expected).float(), rtol=1e-3, atol=1e-3)


def test_tapered_spectrum_does_not_depend_on_contrast_or_level() -> None:
    y = image(2, 3, 40, 33)
    torch.testing.assert_close(tapered_log_spectrum(0.3 * y + 0.2), tapered_log_spectrum(y), rtol=1e-3, atol=2e-3)
    with pytest.raises(ValueError, match="window=64"):
        tapered_log_spectrum(y, 64)
