"""The power spectrum of a sharp image from its blurred and noisy one: a power law, then what the image itself says."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from blurlab.core.fourier import irfft2, plane_mean, psf_to_otf, rfft2
from blurlab.deconvolver.linear_rule import lowest
from blurlab.physics import Gradient

SLOPES = (0.25, 2.25)
"""Range of p in S = a / L^p: photographs lie about 1, flat drawings and fundus photographs above it."""
LEAKAGE = 1.5
"""Standard deviation of the average that a Hann window takes over frequencies, [frequency bins], rounded up."""
SCORINGS = 6
"""Fisher scoring steps for a at each p."""


def estimate_spectrum(
    y: Tensor, psf: Tensor, sigma: Tensor, shape: tuple[int, int], rounds: int = 4, bins: float = 4.0
) -> Tensor:
    """Iterative Wiener estimate of ``S = E |X|^2 / (H W)`` from a tapered image, whatever lies beyond its border.

    From the power law of best Whittle likelihood each round takes ``|X'|^2 + S sigma^2 / (|H|^2 S + sigma^2)``, the
    expected power given y (the additive correction of [HilleryChin1991], a step of expectation maximisation), and
    averages it, relative to the power law, over neighbouring frequencies. Where the blur lets nothing through S stays
    the power law's. |H|^2 is averaged as the taper averages the spectrum, lest what leaks into a zero of H pass for
    signal.

    Args:
        y: Observed images (B, C, H, W).
        psf: Kernels (B, 1, k, k).
        sigma: Noise standard deviation (B, 1, 1, 1), > 0.
        shape: Grid (P, Q) of the spectrum, no smaller than y.
        rounds: Of the refinement; 0 leaves the power law.
        bins: Standard deviation of the average, [frequency bins].

    Returns:
        (B, 1, P, Q // 2 + 1), > 0, one spectrum for all channels.
    """
    energy, variance = tapered_energy(y, shape), sigma.square()
    gain = smooth(psf_to_otf(psf, shape).abs().square(), shape, LEAKAGE).clamp_min(0)
    law = power_law(energy, gain, variance, shape)
    spectrum = law
    for _ in range(rounds):
        through = gain * spectrum + variance
        expected = spectrum**2 * gain * energy / through**2 + spectrum * variance / through
        ratio = expected / law
        ratio[..., 0, 0] = _beside_mean(ratio)  # the mean is kept aside
        spectrum = law * smooth(ratio, shape, bins).clamp_min(1e-3)
    return spectrum


def tapered_energy(y: Tensor, shape: tuple[int, int], taper: float = 1.0) -> Tensor:
    """Periodogram under a window, mean over channels, on a grid (P, Q): (B, 1, P, Q // 2 + 1) [Welch1967].

    White noise of variance v has v at every frequency. What lies beyond the border does not matter: an image made
    periodic has a seam, which a blur that lets nothing through at high frequencies would have to explain.

    Args:
        y: Observed images (B, C, H, W).
        shape: Grid (P, Q), no smaller than y.
        taper: Share of each side over which the window rises and falls, as a Hann window does; 1 is that window.

    Example:
        >>> noise = 0.1 * torch.randn(4, 1, 60, 64, generator=torch.Generator().manual_seed(0))
        >>> round(float(tapered_energy(noise, (64, 64)).mean()), 3)
        0.01
    """
    rows, cols = (_window(n, taper, y) for n in y.shape[-2:])
    window = rows[:, None] * cols
    centred = y - (window * y).sum((-2, -1), keepdim=True) / window.sum()
    spectrum = torch.fft.rfft2(window * centred, s=shape)
    return spectrum.abs().square().mean(1, keepdim=True) / window.square().sum()


def _window(n: int, taper: float, like: Tensor) -> Tensor:
    """A Hann window (n,) whose middle is drawn out to a plateau, so that only a share ``taper`` of it is not flat."""
    sides = max(round(taper * n), 1)
    hann = torch.hann_window(sides + 2, dtype=like.dtype, device=like.device, periodic=False)[1:-1]
    return torch.cat([hann[: sides // 2], hann.new_ones(n - 2 * (sides // 2)), hann[sides - sides // 2 :]])


def power_law(energy: Tensor, gain: Tensor, variance: Tensor, shape: tuple[int, int]) -> Tensor:
    """``S = a / L^p`` of greatest Whittle likelihood of ``|H|^2 S + sigma^2``, L the difference spectrum [Whittle1953].

    Args:
        energy: ``|Y|^2 / (H W)`` (B, 1, H, W // 2 + 1).
        gain: ``|H|^2``, of the same shape.
        variance: ``sigma^2`` (B, 1, 1, 1).
        shape: Grid (H, W).

    Returns:
        (B, 1, H, W // 2 + 1).
    """
    frequency = Gradient().power(shape, like=energy)
    frequency[0, 0] = _beside_mean(frequency)
    used = torch.ones_like(frequency)
    used[0, 0] = 0

    def fit(p: Tensor) -> tuple[Tensor, Tensor]:
        """The best S of slope p, and minus its log-likelihood."""
        form = frequency ** (-p)
        through = gain * form
        excess = (plane_mean(used * energy, shape) - variance).clamp_min(1e-3 * variance)
        a = excess / plane_mean(used * through, shape)
        for _ in range(SCORINGS):
            share = a * through / (a * through + variance)
            ratio = energy / (a * through + variance)
            slope = plane_mean(used * share * (ratio - 1), shape)
            a = a * (slope / plane_mean(used * share.square(), shape).clamp_min(1e-12)).clamp(-1, 1).exp()
        total = a * through + variance
        return a * form, plane_mean(used * (total.log() + energy / total), shape)

    low, high = (torch.full_like(variance, end) for end in SLOPES)
    return fit(lowest(lambda p: fit(p)[1], low, high, points=9, refinements=5))[0]


def _beside_mean(half: Tensor) -> Tensor:
    """What a spectrum (..., H, W // 2 + 1) is beside the mean: half of the lowest frequency of each axis."""
    rows, cols = half.shape[-2:]
    return (half[..., 0, 1 % cols] + half[..., 1 % rows, 0]) / 2


def smooth(half: Tensor, shape: tuple[int, int], bins: float) -> Tensor:
    """Average a spectrum over neighbouring frequencies by a Gaussian: a lag window on its correlation.

    Args:
        half: Even real spectrum (..., H, W // 2 + 1).
        shape: Grid (H, W).
        bins: Standard deviation of the Gaussian, [frequency bins].

    Returns:
        Of the same shape.

    Example:
        >>> peak = torch.zeros(8, 5); peak[0, 0] = 1
        >>> [round(value, 3) for value in smooth(peak, (8, 8), 1.0)[0, :3].tolist()]
        [0.158, 0.097, 0.021]
    """
    lags = [torch.fft.fftfreq(n, dtype=half.dtype, device=half.device) for n in shape]
    window = torch.exp(-2 * (math.pi * bins) ** 2 * (lags[0][:, None].square() + lags[1].square()))
    return rfft2(window * irfft2(torch.complex(half, torch.zeros_like(half)), shape)).real
