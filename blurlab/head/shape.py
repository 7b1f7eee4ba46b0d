"""Fixed measurements of the log spectrum's shape: its profiles, its cepstrum, its edges."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from blurlab.head.feature import Feature, log_spectrum, standardised


class Profiles(Feature):
    """Means of the log spectrum over rings, and over sectors of a few wide rings.

    A disk's zeros lie on rings and a Gaussian falls off along the radius; a motion's zeros lie on parallel lines, which
    the sectors show as a fall that depends on the angle. Rings are a bin wide, from 1 to the corners' frequency. The
    sectors overlap by half and the wide rings do not.

    Args:
        side: Side of a window, px; even, at least 8.
        bands: Wide rings, equally wide, from 1/8 of the highest frequency along an axis to that frequency.
        sectors: Sectors of 180 degrees.

    Raises:
        ValueError: If there is no band or sector, or one would hold no frequency.

    Example:
        >>> Profiles(side=32, bands=4, sectors=16)(torch.rand(2, 1, 32, 32)).shape
        torch.Size([2, 86])
    """

    means: Tensor

    def __init__(self, side: int = 32, bands: int = 4, sectors: int = 16) -> None:
        super().__init__(side)
        if bands < 1 or sectors < 1:
            raise ValueError(f"bands and sectors must be 1 or more, got {bands} and {sectors}")
        rings = int(side / math.sqrt(2))
        self.shape = 1, rings + bands * sectors
        counts = _members(side, rings, bands, sectors)
        if not bool(counts.any(1).all()):
            raise ValueError(f"bands={bands} and sectors={sectors} leave sectors without a frequency; use fewer")
        self.register_buffer("means", counts / counts.sum(1, keepdim=True), persistent=False)

    def measure(self, y: Tensor) -> Tensor:
        return log_spectrum(y, self.side).flatten(1) @ self.means.T


class Cepstrum(Feature):
    """The inverse transform of the log spectrum: a motion of L px at an angle is a negative peak L px away at it.

    The log spectrum is the image's plus the blur's, and so is the cepstrum. It is even, so half a plane holds it: side
    rows of vertical quefrency -side/2 ... side/2 - 1, side/2 columns of horizontal quefrency 0 ... side/2 - 1. In
    column 0 the places of quefrency 0, always 0 here, and of the values that stand there twice hold column side/2.

    [Cannon1976]
    """

    def __init__(self, side: int = 32) -> None:
        super().__init__(side)
        self.shape = side, side // 2

    def measure(self, y: Tensor) -> Tensor:
        middle = self.side // 2
        spectrum = torch.fft.ifftshift(log_spectrum(y, self.side), dim=(-2, -1))
        cepstrum = torch.fft.fftshift(torch.fft.ifft2(spectrum).real, dim=-2)
        half = cepstrum[..., :middle].clone()
        half[..., 1 : middle + 1, 0] = cepstrum[..., 1 : middle + 1, middle]
        return half


class SpectrumEdges(Feature):
    """The length of the log spectrum's gradient (Sobel): rings and lines of zeros show as pairs of edges.

    The feature of the paper's predecessor is "derived from edge extraction on Fourier Transform coefficients"; which
    edges, neither says. The spectrum goes on beyond its border as what it is, periodic.

    [YanShao2016]
    """

    def __init__(self, side: int = 32) -> None:
        super().__init__(side)
        self.shape = side, side

    def measure(self, y: Tensor) -> Tensor:
        from kornia.filters import sobel

        spectrum = log_spectrum(y, self.side).unsqueeze(1)
        edges = sobel(torch.nn.functional.pad(spectrum, (2, 2, 2, 2), mode="circular"))
        return standardised(edges[:, 0, 2:-2, 2:-2])


def _members(side: int, rings: int, bands: int, sectors: int) -> Tensor:
    """How much each frequency counts in each mean, (rings + bands * sectors, side * side), on the CPU."""
    line = torch.arange(side, dtype=torch.float32, device="cpu") - side // 2
    down, across = torch.meshgrid(line, line, indexing="ij")
    radius, turn = torch.hypot(down, across).flatten(), torch.atan2(-down, across).flatten()
    ring = (radius.round() - _column(1, rings + 1) == 0).float()
    low, step = side / 16, side * 7 / 16 / bands
    band = ((radius - low) / step).floor() - _column(0, bands) == 0
    place = torch.remainder(turn * sectors / math.pi - _column(0, sectors), sectors)
    sector = (1 - torch.minimum(place, sectors - place)).clamp_min(0)
    return torch.cat([ring, (band[:, None] * sector).flatten(0, 1)])


def _column(first: int, end: int) -> Tensor:
    return torch.arange(first, end, device="cpu")[:, None]
