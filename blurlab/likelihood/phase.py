"""What a spectrum cannot tell: the phase of a blur's transfer function, from the sparsity of edges.

``h(x)`` and ``h(-x)`` leave the same spectrum. But photographs have few edges, and a Wiener filter with the right phase
draws them together where another spreads them. With ``G = |H|^2 S / (|H|^2 S + s^2)`` the restored spectrum is
``G / |H| exp(-i arg H) Y``; its derivatives z along four directions are the sparser, the smaller ``mean |z| / rms z``.
The same magnitude with no phase at all is what it is compared with, so that only the phase counts:

    phase evidence = sqrt(sum G) * [ log(mean |z0| / rms z0) - log(mean |z| / rms z) ]
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from blurlab.core.taper import edge_window
from blurlab.likelihood.prior import TERMS, basis_at, own_blur_at

BORDER = 0.06
"""Share of a side over which the image fades out, and which is not counted."""
FLOOR = 0.5 / 64
"""No frequency is counted as lower, in cycles/px: half a bin of the windows in which the spectrum is fitted."""
LEAST_GAIN = 0.01
"""Frequencies of a smaller gain G are left out."""
LEAST_SIZE = 1e-9


@dataclass(frozen=True)
class Sight:
    """What an image shows through its noise, on a grid as coarse as its noise allows.

    Attributes:
        seen: Its spectrum under a taper (m, n // 2 + 1), complex.
        content: The expected spectrum S of the sharp image there.
        noise: Variance of the noise.
        down: Frequencies along the rows (m,), cycles/px.
        across: Frequencies along the columns (n // 2 + 1,), cycles/px.
        shape: m, n.
    """

    seen: Tensor
    content: Tensor
    noise: Tensor
    down: Tensor
    across: Tensor
    shape: tuple[int, int]


def sight(image: Tensor, psf: Tensor, smooth: Tensor, log_noise: Tensor, softness_px: float) -> Sight:
    """Prepare an image.

    Args:
        image: Observed (H, W).
        psf: A kernel (k, k) that is about as wide as the right one: what it lets through sets the grid.
        smooth: Coefficients of the log spectrum (8 or more,); what follows the eight smooth terms is left out.
        log_noise: Log of the noise's variance, ().
        softness_px: Of the spectrum's prior.
    """
    rows, cols = image.shape
    fade = edge_window(rows, round(BORDER * rows)).to(image)[:, None] * edge_window(cols, round(BORDER * cols)).to(
        image
    )
    whole = torch.fft.rfft2((image - image.mean()) * fade)
    down, across = torch.fft.fftfreq(rows).to(image), torch.fft.rfftfreq(cols).to(image)
    content, noise = _content(smooth, down, across, softness_px).to(image), log_noise.exp().to(image)
    power = _otf(psf[None], down, across)[0].abs().square() * content
    gain = power / (power + noise)
    shown = gain > LEAST_GAIN
    reach = float(torch.maximum(down.abs()[:, None], across)[shown].max()) if bool(shown.any()) else 0.5
    half_rows, half_cols = (min(side // 2, math.ceil(1.1 * reach * side) + 8) for side in (rows, cols))
    kept = torch.cat([torch.arange(half_rows), torch.arange(rows - half_rows, rows)]).to(image.device)
    across = across[: half_cols + 1]
    content = content[kept, : half_cols + 1]
    return Sight(whole[kept, : half_cols + 1], content, noise, down[kept], across, (2 * half_rows, 2 * half_cols))


def phase_evidence(shown: Sight, psf: Tensor) -> tuple[Tensor, Tensor]:
    """Evidence of the phase of kernels and of the same kernels turned by half a circle.

    ``sum G`` is the mean of the kernels': one that lets more through has no advantage. Its root stands for how much the
    pixels tell: less noise shows more pixels of the same edges, and not all of them say something new.

    Args:
        shown: An image.
        psf: Kernels (n, k, k).

    Returns:
        (n,) and (n,).
    """
    otf = _otf(psf, shown.down, shown.across)
    size = otf.abs()
    expected = size.square() * shown.content + shown.noise
    plain = shown.content * size / expected * shown.seen
    count = 2 * (size.square() * shown.content / expected).sum((-2, -1)).mean().sqrt()
    phase = otf.conj() / size.clamp_min(LEAST_SIZE)
    none = _sparsity(shown, plain)
    right, turned = (_sparsity(shown, plain * one) for one in (phase, phase.conj()))
    return count * (right - none), count * (turned - none)


def _sparsity(shown: Sight, spectrum: Tensor) -> Tensor:
    """``-log(mean |z| / rms z)`` of the derivatives along four directions, their mean (n,)."""
    rows, cols = shown.shape
    top, left = round(BORDER * rows), round(BORDER * cols)
    total = torch.zeros(len(spectrum)).to(shown.content)
    across, down = (
        torch.fft.irfft2(1j * slope * spectrum, s=shown.shape)[:, top : rows - top, left : cols - left]
        for slope in (shown.across[None, :], shown.down[:, None])
    )
    for z in (across, down, down + across, down - across):
        total += 0.5 * z.square().mean((-2, -1)).log() - z.abs().mean((-2, -1)).log()
    return total / 4


def _content(smooth: Tensor, down: Tensor, across: Tensor, softness_px: float) -> Tensor:
    terms = basis_at(down.double()[:, None], across.double()[None, :], FLOOR)
    line = torch.einsum("m,mij->ij", smooth[: len(TERMS)].double(), terms)
    return (line + own_blur_at(down.double()[:, None], across.double()[None, :], softness_px)).exp()


def _otf(psf: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Transfer functions (n, m, c) of kernels (n, k, k) at these frequencies."""
    rows, cols = (_waves(line, side).to(psf.device) for line, side in ((down, psf.shape[-2]), (across, psf.shape[-1])))
    return rows @ psf.to(rows.dtype) @ cols.T


def _waves(frequency: Tensor, length: int) -> Tensor:
    phase = -2 * torch.pi * frequency[:, None] * (torch.arange(length, device=frequency.device) - length // 2)
    return torch.polar(torch.ones_like(phase), phase)
