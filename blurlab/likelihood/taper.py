"""Power spectra of small windows, and what a window does to the spectrum that it shows.

A window cut out of a picture smears its spectrum ("leakage"). The zeros that a motion or a disk writes into a spectrum
are what its parameters are read from, and leakage fills them. So the expectation of the periodogram is computed with
its leakage, exactly for a spectrum that is periodic on the window's grid.
"""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.core.taper import sine_tapers, without_plane

AT_ONCE = 64
"""Spectra that are leaked at once: what lies between the two transforms then stays in the cache."""


def multitaper(y: Tensor, window: int, hop: int, tapers: int) -> Tensor:
    """Mean periodogram of all windows, channels and pairs of tapers; white noise of sigma gives sigma^2.

    Each window's best plane is taken away first.

    Args:
        y: Images (B, C, H, W), H and W at least ``window``.
        window: Side of a window, px.
        hop: Distance between windows, px; the last row and column of windows end at the image's edge.
        tapers: Tapers along each axis.

    Returns:
        (B, window, window // 2 + 1), float64, frequencies in the order of ``rfft2``.

    Raises:
        ValueError: If the images are smaller than a window.
    """
    if y.ndim != 4 or min(y.shape[-2:]) < window:
        raise ValueError(
            f"images must be (B, C, H, W), H and W at least window={window}, got {tuple(y.shape)}; use a smaller window"
        )
    line = sine_tapers(window, tapers).to(y.device)
    total = y.new_zeros(len(y), window, window // 2 + 1, dtype=torch.float64)
    places = [(top, left) for top in _starts(y.shape[-2], window, hop) for left in _starts(y.shape[-1], window, hop)]
    for top, left in places:
        patch = y[..., top : top + window, left : left + window].double()
        patch = without_plane(patch)
        for down in line:
            for across in line:
                spectrum = torch.fft.rfft2(patch * (down[:, None] * across))
                total += (spectrum.real.square() + spectrum.imag.square()).mean(1)
    return total / (len(places) * tapers**2)


def leakage(window: int, tapers: int) -> Tensor:
    """Factors of the autocovariance that the tapers leave, (window, window), lag 0 first, circular."""
    line = sine_tapers(window, tapers)
    spectrum = torch.fft.rfft(line, 2 * window)
    lags = torch.fft.irfft(spectrum.abs().square(), 2 * window).mean(0)[:window]
    folded = lags + torch.cat([lags.new_zeros(1), lags[1:].flip(0)])
    return folded[:, None] * folded


def leak(power: Tensor, factors: Tensor) -> Tensor:
    """The expected periodogram where ``power`` (..., N, N // 2 + 1) is the spectrum on the window's grid.

    The spectrum's autocovariance is multiplied by the tapers' own ([Sykulski2019], eq. 8, on the grid of the window).
    """
    side = factors.shape[-1]
    parts = power.reshape(-1, *power.shape[-2:]).split(AT_ONCE)
    leaked = [torch.fft.rfft2(torch.fft.irfft2(part, s=(side, side)) * factors).real for part in parts]
    return torch.cat(leaked).reshape(power.shape)


def _starts(length: int, window: int, hop: int) -> list[int]:
    """Where windows begin; the last one ends at the edge."""
    last = length - window
    return sorted({*range(0, last + 1, hop), last})
