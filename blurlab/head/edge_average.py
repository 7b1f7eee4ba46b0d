"""What surrounds the strongest edges and points of an image, on average: where a blur shows which way round it lies.

A power spectrum is the same for h(x) and h(-x). But edges are few and strong: about the places where the derivative
along a direction is strongest, the mean of the whitened image is the blur of an edge of that direction, and about the
brightest and the darkest points it is the blur of a point. With ``w = F^-1 (G P^-1/2 F y)``, P the image's own smooth
spectrum and ``G = (P - s^2) / P``, and a trigger t that is large at few places,

    a_t(tau) = sum_x t(x) w(x + tau) / (|t| |w|)

[Boer1968]
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from blurlab.core.constants import made_once
from blurlab.core.fourier import irfft2, rfft2
from blurlab.core.taper import edge_window
from blurlab.head.spectrum import window_power

WINDOW, HOP = 64, 32
"""Side and distance of the windows of the spectrum, px."""
FADE_PX = 16
"""Width over which the image fades out at its border."""
REACH_PX = 12
"""Largest distance tau along an axis."""
SOFT_PX = 1.5
"""Deviation of the Gaussian under which the second kind of edges is looked for."""
STRONG = 1.0
"""A derivative counts by what it exceeds so many of its deviations."""
DIRECTIONS = ((1.0, 0.0), (0.0, 1.0), (math.sqrt(0.5), math.sqrt(0.5)), (math.sqrt(0.5), -math.sqrt(0.5)))
"""Rows and columns of the directions."""
SPECTRA, AVERAGES = 3, 2 * len(DIRECTIONS) + 2
"""Planes that :func:`contrast_spectra` and :func:`edge_averages` give."""
LEAST = 1e-12


def noise_power(mean: Tensor) -> Tensor:
    """Median power (B,) of mean spectra (B, N, N // 2 + 1) at the highest frequencies along both axes."""
    side = mean.shape[-2]
    rows = [row for row in range(side) if abs(row / side - 0.5) > 0.4]
    cols = [col for col in range(mean.shape[-1]) if col / side > 0.4]
    return mean[:, rows][:, :, cols].flatten(1).median(1).values.clamp_min(LEAST)


def contrast_spectra(y: Tensor, power: Tensor | None = None) -> Tensor:
    """Three log spectra in units of the noise: the windows' mean, the mean of their logs, and that of the strongest.

    In the last, each window counts by what its middle frequencies hold above the noise: in high noise the others say
    nothing.

    Args:
        y: Images (B, C, H, W) in [0, 1], at least 64 px on a side.
        power: :func:`~blurlab.head.spectrum.window_power` of their mean over the channels, if at hand.

    Returns:
        (B, 3, 64, 33), float32, vertical frequency 0 in row 32.

    Example:
        >>> noise = 0.1 * torch.randn(1, 1, 256, 256, generator=torch.Generator().manual_seed(0))
        >>> contrast_spectra(noise)[0, 0].mean().round(decimals=1).abs()
        tensor(0.)
    """
    power = window_power(y.mean(1, keepdim=True), WINDOW, HOP)[:, 0] if power is None else power
    mean = power.mean(1)
    noise = noise_power(mean)[:, None, None]
    held = power.flatten(-2)[..., _middle(power.shape[-2])].mean(-1) / noise[:, 0]
    weight = (held - 1).clamp_min(1e-3)
    strong = (power * weight[..., None, None]).sum(1) / weight.sum(1)[:, None, None]
    logs = (power + LEAST).log().mean(1)
    return torch.stack([(mean + LEAST).log(), logs, (strong + LEAST).log()], 1) - noise.log()[:, None]


def edge_averages(y: Tensor, power: Tensor | None = None) -> Tensor:
    """The means a_t, for derivatives along four directions, sharp and softened, and for bright and dark points.

    Args:
        y: Images (B, C, H, W) in [0, 1], at least 64 px on a side.
        power: As in :func:`contrast_spectra`.

    Returns:
        (B, 10, 25, 25), float32, tau = 0 in the middle.

    Example:
        >>> edge_averages(torch.rand(2, 1, 64, 80)).shape
        torch.Size([2, 10, 25, 25])
    """
    y = y.float().mean(1, keepdim=True)
    power = window_power(y, WINDOW, HOP)[:, 0] if power is None else power
    shape = y.shape[-2:]
    image = (y - y.mean((-2, -1), keepdim=True))[:, 0] * _border(shape).to(y)
    seen = rfft2(image)
    flat = seen * _whitening(power.mean(1), shape)
    down = torch.fft.fftfreq(shape[0], device=y.device)[:, None]
    across = torch.fft.rfftfreq(shape[1], device=y.device)[None]
    soft = seen * torch.exp(-2 * (math.pi * SOFT_PX) ** 2 * (down**2 + across**2))
    slopes = [1j * (u * down + v * across) for u, v in DIRECTIONS]
    lags = _Lags(shape, y.device)
    size = _deviation(irfft2(flat, (shape[0], shape[1])))
    found = []
    for source in (*(one * flat for one in slopes), *(one * soft for one in slopes)):  # one by one: they fit the cache
        found.append(lags.mean(_strong(irfft2(source, (shape[0], shape[1]))), flat, size))
    points = _strong(irfft2(flat, (shape[0], shape[1])))
    found += [lags.mean(part, flat, size) for part in (points.clamp_min(0), points.clamp_max(0))]
    return torch.stack(found, 1)


def _deviation(shown: Tensor) -> Tensor:
    return torch.linalg.vector_norm(shown, dim=(-2, -1), keepdim=True) / math.sqrt(shown[0].numel())


def _strong(shown: Tensor) -> Tensor:
    """By how much planes (B, H, W) exceed ``STRONG`` of their deviations, in deviations."""
    shown = shown / _deviation(shown).clamp_min(LEAST)
    return shown - shown.clamp(-STRONG, STRONG)


def _whitening(mean: Tensor, shape: torch.Size) -> Tensor:
    """``G P^-1/2`` (B, H, W // 2 + 1) from mean spectra (B, N, N // 2 + 1)."""
    noise = noise_power(mean)[:, None, None]
    filtered = (mean - noise).clamp_min(0) / (mean + LEAST) / (mean + LEAST).sqrt()
    rows, cols = mean.shape[-2], mean.shape[-1]
    padded = torch.cat([filtered, filtered[:, :1]], 1)[:, None]  # rows from -1/2 to 1/2, both ends
    fine = interpolate(padded, (rows * 4 + 1, (cols - 1) * 4 + 1), mode="bilinear", align_corners=True)[:, 0]
    down = ((torch.fft.fftfreq(shape[0]) + 0.5) * 4 * rows).round().long()
    across = (torch.fft.rfftfreq(shape[1]) * 8 * (cols - 1)).round().long()
    return fine[:, down][:, :, across]


class _Lags:
    """Correlations of planes of one shape at small distances."""

    def __init__(self, shape: torch.Size, device: torch.device) -> None:
        tau = torch.arange(-REACH_PX, REACH_PX + 1, dtype=torch.float32)
        down, across = (2 * math.pi * tau[:, None] * torch.fft.fftfreq(side) for side in shape)
        half = across[:, : shape[1] // 2 + 1]
        twice = torch.full((half.shape[1],), 2.0 / shape.numel())
        twice[0] /= 2
        if shape[1] % 2 == 0:
            twice[-1] /= 2
        self.rows = torch.polar(torch.ones_like(down), down).to(device)
        self.cols = (torch.polar(torch.ones_like(half), half) * twice).T.to(device)
        self.root = math.sqrt(shape.numel())

    def mean(self, trigger: Tensor, flat: Tensor, size: Tensor) -> Tensor:
        """``sum_x t(x) w(x + tau) / (|t| |w|)`` (B, 25, 25) of t (B, H, W), the spectrum of w and its deviation."""
        both = (self.rows @ (rfft2(trigger).conj() * flat) @ self.cols).real
        norm = torch.linalg.vector_norm(trigger, dim=(-2, -1), keepdim=True) * size * self.root
        return both / norm.clamp_min(LEAST)


def _middle(side: int) -> list[int]:
    """Bins between .04 and .2 cycles/px of spectra (N, N // 2 + 1), row by row."""
    cols = side // 2 + 1
    away = (math.hypot(row / side - 0.5, col / side) for row in range(side) for col in range(cols))
    return [place for place, length in enumerate(away) if 0.04 < length < 0.2]


@made_once
def _line(side: int) -> Tensor:
    return edge_window(side, min(FADE_PX, side // 4)).float()


def _border(shape: torch.Size) -> Tensor:
    return _line(shape[0])[:, None] * _line(shape[1])
