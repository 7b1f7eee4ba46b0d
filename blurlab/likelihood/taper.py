"""Power spectra of small windows, and what a window does to the spectrum that it shows.

A window cut out of a picture smears its spectrum ("leakage"). The zeros that a motion or a disk writes into a spectrum
are what its parameters are read from, and leakage fills them. So the expectation of the periodogram is computed with
its leakage, exactly for a spectrum that is periodic on the window's grid.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from blurlab.core.taper import sine_tapers, without_plane

BAND = (2.5, 10.0)
"""Cycles in a window of 64 px between which its power is measured."""
FINE, LEAST, SHAKEN = 1 / 30, 0.1, 0.3
"""The power where the blur is read, as a share of that; what is added to each window's, as a share of their mean and as
one of the noise, which shakes it: windows that show nothing else count alike."""
AT_ONCE = 64
"""Spectra that are leaked at once: what lies between the two transforms then stays in the cache."""


def multitaper(y: Tensor, window: int, hop: int, tapers: int, *, levelled: bool = False) -> Tensor:
    """Mean periodogram of all windows, channels and pairs of tapers; white noise of sigma gives sigma^2.

    Each window's best plane is taken away first.

    Args:
        y: Images (B, C, H, W), H and W at least ``window``.
        window: Side of a window, px.
        hop: Distance between windows, px; the last row and column of windows end at the image's edge.
        tapers: Tapers along each axis.
        levelled: Do windows count by what each tells of the blur (:func:`window_weight`), not all alike?

    Returns:
        (B, window, window // 2 + 1), float64, frequencies in the order of ``rfft2``.

    Raises:
        ValueError: If the images are smaller than a window.
    """
    every = periodograms(y, window, hop, tapers)
    if levelled:
        kept = torch.stack(list(every), 1)
        return torch.einsum("bw,bwij->bij", window_weight(kept), kept)
    total, count = y.new_zeros(len(y), window, window // 2 + 1, dtype=torch.float64), 0
    for one in every:
        total += one
        count += 1
    return total / count


def periodograms(y: Tensor, window: int, hop: int, tapers: int) -> Iterator[Tensor]:
    """The periodogram (B, window, window // 2 + 1) of each window, as those of :func:`multitaper`, row by row."""
    if y.ndim != 4 or min(y.shape[-2:]) < window:
        raise ValueError(
            f"images must be (B, C, H, W), H and W at least window={window}, got {tuple(y.shape)}; use a smaller window"
        )
    line = sine_tapers(window, tapers).to(y.device)
    for top in _starts(y.shape[-2], window, hop):
        for left in _starts(y.shape[-1], window, hop):
            patch = without_plane(y[..., top : top + window, left : left + window].double())
            total = y.new_zeros(len(y), window, window // 2 + 1, dtype=torch.float64)
            for down in line:
                for across in line:
                    spectrum = torch.fft.rfft2(patch * (down[:, None] * across))
                    total += (spectrum.real.square() + spectrum.imag.square()).mean(1)
            yield total / tapers**2


def window_weight(periodograms: Tensor) -> Tensor:
    """What each window (B, W) should count in a mean of periodograms (B, W, N, N // 2 + 1); sums of 1.

    If the spectrum of window w is ``a_w B + n``, B common to all and n the noise, then ``a_w / (a_w B + n)^2`` is the
    weight of its periodogram in the likeliest B. So windows of much light, few in most images, drown the others no
    longer where there is little noise; where there is much they count most. One weight stands for all frequencies: B is
    taken as ``FINE`` of its mean between ``BAND`` cycles a window, about which it decides where the blur is read.

    A mean of this kind is explained as a plain one is: the blur and the noise are the same in every window.
    """
    side = periodograms.shape[-2]
    down, across = torch.fft.fftfreq(side, 1 / side), torch.fft.rfftfreq(side, 1 / side)
    radius = (down[:, None].square() + across.square()).sqrt().to(periodograms.device)
    low, high = (side / 64 * limit for limit in BAND)
    power = periodograms[..., (radius > low) & (radius <= high)].mean(-1)
    mean = periodograms.mean(1)
    rings = [mean[:, (radius - ring).abs() <= 0.5].mean(1) for ring in range(math.ceil(low), side // 2 + 1)]
    noise = torch.stack(rings).amin(0)[:, None]
    power = (power - noise).clamp_min(0)
    level = power.mean(1, keepdim=True).clamp_min(torch.finfo(power.dtype).tiny)
    power = power / level + LEAST + SHAKEN * noise / level
    weight = power / (power + noise / (FINE * level)).square()
    return weight / weight.sum(1, keepdim=True)


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
