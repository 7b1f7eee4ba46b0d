"""The fixed features against scipy and numpy, and what they must not depend on."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
import torch

from blurlab.blur import Motion
from blurlab.head import Cepstrum, Feature, LogSpectrum, Profiles, RawPixels, SpectrumEdges
from blurlab.head.feature import FLOOR_SHARE, log_spectrum
from blurlab.head.shape import _members
from blurlab.physics import Convolution

FEATURES = [LogSpectrum, Profiles, Cepstrum, SpectrumEdges, RawPixels]
SPECTRAL = [LogSpectrum, Profiles, Cepstrum, SpectrumEdges]
SIZES = {LogSpectrum: 576, Profiles: 16 + 4 * 16, Cepstrum: 288, SpectrumEdges: 576, RawPixels: 576}


def image(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(7))


def numpy_log_spectrum(y: np.ndarray, side: int) -> np.ndarray:
    """Of one channel, window by window, the whole plane by a complex transform."""
    line = scipy.signal.get_window("hann", side, fftbins=True)
    taper = np.outer(line, line)
    powers = []
    for top in range(0, y.shape[0] - side + 1, side // 2):
        for left in range(0, y.shape[1] - side + 1, side // 2):
            patch = y[top : top + side, left : left + side]
            powers.append(np.abs(np.fft.fftshift(np.fft.fft2((patch - patch.mean()) * taper))) ** 2)
    power = np.mean(powers, axis=0)
    logs = np.log(power + FLOOR_SHARE * power.mean())
    return (logs - logs.mean()) / logs.std()


@pytest.mark.parametrize("shape", [(24, 24), (41, 57)])
def test_the_log_spectrum_is_that_of_a_plain_loop(shape: tuple[int, int]) -> None:
    y = image(2, 1, *shape)
    expected = np.stack([numpy_log_spectrum(one[0].double().numpy(), 24) for one in y])
    np.testing.assert_allclose(log_spectrum(y, 24), expected, atol=2e-3)
    np.testing.assert_allclose(LogSpectrum(24)(y), expected.reshape(2, -1), atol=2e-3)


@pytest.mark.parametrize("kind", FEATURES)
@pytest.mark.parametrize("shape", [(3, 1, 24, 25), (20, 3, 51, 37)])
def test_every_feature_gives_size_finite_float32_numbers_whatever_the_batch(
    kind: type[Feature], shape: tuple[int, ...]
) -> None:
    y = image(*shape)
    feature = kind(side=24)
    found = feature(y)
    assert found.shape == (shape[0], feature.size) and feature.size == SIZES[kind] and found.dtype == torch.float32
    assert bool(found.isfinite().all())
    torch.testing.assert_close(torch.cat([feature(one[None]) for one in y]), found, rtol=1e-4, atol=1e-4)
    assert bool(feature(torch.full_like(y, 0.3)).isfinite().all())


@pytest.mark.parametrize("kind", FEATURES)
def test_no_feature_depends_on_contrast_brightness_or_autocast(kind: type[Feature]) -> None:
    y, feature = image(4, 1, 40, 40), kind(side=32)
    torch.testing.assert_close(feature(0.3 + 0.05 * y), feature(y), rtol=0, atol=5e-3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(feature(y), feature(y.float()), rtol=0, atol=0)
        assert feature(y).dtype == torch.float32


@pytest.mark.parametrize("kind", SPECTRAL)
def test_a_shift_by_whole_windows_of_a_periodic_image_changes_nothing_but_pixels(kind: type[Feature]) -> None:
    y = image(3, 1, 24, 24).repeat(1, 1, 4, 4)  # windows start at two phases of it, equally often
    feature = kind(side=24)
    here, there = y[..., :60, :60], y[..., 12:72, 36:96]
    torch.testing.assert_close(feature(here), feature(there), rtol=0, atol=1e-3)
    assert float((RawPixels(24)(here) - RawPixels(24)(there)).abs().max()) > 1


def test_the_radial_profile_is_the_mean_over_rings_that_scipy_finds() -> None:
    side, y = 32, image(2, 1, 45, 50)
    line = np.arange(side) - side // 2
    radius = np.round(np.hypot(line[:, None], line))
    spectrum = log_spectrum(y, side).numpy()
    expected = [scipy.ndimage.mean(one, radius, np.arange(1, 23)) for one in spectrum]
    np.testing.assert_allclose(Profiles(side)(y)[:, :22], expected, atol=1e-5)


def test_sectors_of_an_isotropic_field_agree_and_a_wave_lies_in_its_own() -> None:
    side, bands, sectors = 64, 2, 8
    members = _members(side, 45, bands, sectors)[45:]
    means = members / members.sum(1, keepdim=True)
    line = torch.arange(side) - side // 2
    field = (-torch.hypot(line[:, None].float(), line.float()) / 20).exp()
    flat = (means @ field.flatten()).unflatten(0, (bands, sectors))
    assert float((flat - flat.mean(1, keepdim=True)).abs().max()) < 0.02 < float(flat[0, 0] - flat[1, 0])
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    angle = torch.tensor(2 * torch.pi / 8)  # sector 2 of 8; counter-clockwise, rows run down
    wave = torch.cos(2 * torch.pi * 12 / 64 * (columns * angle.cos() - rows * angle.sin()))
    found = Profiles(side, bands, sectors)(0.5 + wave[None, None] / 4)[0, 45:].unflatten(0, (bands, sectors))
    assert divmod(int(found.argmax()), sectors) == (0, 2)


@pytest.mark.parametrize(("length", "angle"), [(6, 0.0), (9, 90.0), (12, 0.0)])
def test_the_cepstrum_has_a_negative_peak_at_the_length_of_a_motion(length: int, angle: float) -> None:
    side = 64
    y = image(1, 1, 400, 400)
    psf = Motion(length_px=float(length), angle_deg=angle).sample(1, generator=torch.Generator()).psf
    found = Cepstrum(side)(Convolution(psf, "valid").A(y))[0].unflatten(0, (side, side // 2))
    found[side // 2 - 2 : side // 2 + 3, :3] = 0  # near quefrency 0 lies the smooth part
    found[1 : side // 2 + 1, 0] = 0  # where column side // 2 is kept
    down, across = divmod(int(found.argmin()), side // 2)
    assert (down - side // 2, across) == ((0, length) if angle == 0 else (length, 0))


def test_the_cepstrum_holds_each_value_of_the_even_plane_once() -> None:
    side, y = 16, image(1, 1, 30, 30)
    plane = np.fft.ifft2(np.fft.ifftshift(log_spectrum(y, side)[0].double().numpy()))
    assert abs(plane.imag).max() < 1e-6
    pairs = {min((r, c), (-r % side, -c % side)) for r in range(side) for c in range(side)} - {(0, 0), (8, 8)}
    expected = sorted(plane.real[pair] for pair in pairs)
    np.testing.assert_allclose(np.sort(Cepstrum(side)(y)[0].double().numpy()), expected, atol=1e-5)


def test_the_edges_are_those_of_scipy_on_a_periodic_plane() -> None:
    y = image(2, 1, 20, 23)
    found = SpectrumEdges(16)(y).unflatten(1, (16, 16)).numpy()
    for edges, spectrum in zip(found, log_spectrum(y, 16).double().numpy(), strict=True):
        length = np.hypot(*(scipy.ndimage.sobel(spectrum, axis, mode="wrap") for axis in (0, 1)))
        np.testing.assert_allclose(edges, (length - length.mean()) / length.std(), atol=5e-3)


def test_raw_pixels_are_the_centre() -> None:
    y = image(2, 3, 13, 18)
    centre = y[:, :, 2:10, 5:13].mean(1).numpy()
    expected = (centre - centre.mean((1, 2), keepdims=True)) / centre.std((1, 2), keepdims=True)
    np.testing.assert_allclose(RawPixels(8)(y), expected.reshape(2, -1), atol=1e-5)


def test_errors_say_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"side=32, got \(1, 1, 31, 40\); use larger images"):
        LogSpectrum(32)(torch.zeros(1, 1, 31, 40))
    with pytest.raises(ValueError, match="even and at least 8"):
        Cepstrum(15)
    with pytest.raises(ValueError, match="sectors=40 leave sectors without a frequency"):
        Profiles(16, bands=6, sectors=40)
    with pytest.raises(ValueError, match="bands and sectors must be 1 or more"):
        Profiles(16, bands=0)
