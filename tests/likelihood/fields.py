"""Gaussian fields with a power law, seen through a blur in noise: what the likelihood's tests are about."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.blur import BlurFamily, Defocus, Gaussian, Motion
from blurlab.core.rng import generator
from blurlab.physics import Convolution

FAMILIES: dict[str, tuple[BlurFamily, list[float]]] = {
    "defocus": (Defocus([1, 8]), [3.3]),
    "motion": (Motion([3, 20], [0, 180]), [9.4, 37.0]),
    "gaussian": (Gaussian([0.5, 5]), [1.7]),
}


def field(count: int, side: int, seed: str = "field") -> Tensor:
    """Gaussian fields with a power law of exponent 2.4, of mean .5 and standard deviation .15."""
    size = 2 * side
    down = torch.fft.fftfreq(size, dtype=torch.float64)[:, None]
    rho = (down**2 + torch.fft.rfftfreq(size, dtype=torch.float64) ** 2).sqrt().clamp_min(1 / size)
    white = torch.randn(count, 1, size, size, generator=generator(seed), dtype=torch.float64)
    x = torch.fft.irfft2(torch.fft.rfft2(white) * rho**-1.2, s=(size, size))[..., :side, :side]
    return 0.5 + 0.15 * (x - x.mean((-2, -1), keepdim=True)) / x.std((-2, -1), keepdim=True)


def observe(family: BlurFamily, params: Tensor, side: int, sigma: float = 1e-3) -> Tensor:
    x = field(len(params), side + family.size - 1)
    y = Convolution(family.psf(params.double()), "valid").A(x)
    return y + sigma * torch.randn(y.shape, generator=generator("noise"), dtype=y.dtype)
