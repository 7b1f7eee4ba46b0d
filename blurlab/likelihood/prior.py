"""What is believed of a photograph's own spectrum before the blur: a smooth, nearly isotropic power law."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import torch
from torch import Tensor

MIDDLE = 0.1
"""Frequency in cycles/px at which the terms in log frequency vanish."""
TERMS = ("level", "slope", "bend", "skew", "cos2", "sin2", "cos4", "sin4")


def basis(window: int) -> Tensor:
    """Smooth functions of the frequency whose weighted sum is the log spectrum, one for each of ``TERMS``.

    1, l, l^2, l^3 with l = log(rho / MIDDLE), then cos and sin of 2 and 4 times the direction.

    Returns:
        (8, window, window // 2 + 1), float64, frequencies in the order of ``rfft2``.
    """
    down = torch.fft.fftfreq(window, dtype=torch.float64)[:, None]
    across = torch.fft.rfftfreq(window, dtype=torch.float64)[None, :]
    rho = (down**2 + across**2 + (0.5 / window) ** 2).sqrt()
    line = (rho / MIDDLE).log()
    angle = torch.atan2(down.expand_as(rho), across.expand_as(rho))
    turns = [wave(n * angle) for n in (2, 4) for wave in (torch.cos, torch.sin)]
    return torch.stack([torch.ones_like(line), line, line**2, line**3, *turns])


def own_blur(window: int, softness_px: float) -> Tensor:
    """Log of the power that a Gaussian of this sigma leaves, ``-(2 pi sigma rho)^2``: (window, window // 2 + 1).

    Example:
        >>> own_blur(4, 0.5)[0].tolist()
        [-0.0, -0.61..., -2.46...]
    """
    down = torch.fft.fftfreq(window, dtype=torch.float64)[:, None]
    across = torch.fft.rfftfreq(window, dtype=torch.float64)[None, :]
    return -((2 * math.pi * softness_px) ** 2) * (down**2 + across**2)


@dataclass(frozen=True)
class SpectrumPrior:
    """A Gaussian belief about the coefficients of :func:`basis`.

    Attributes:
        mean: (8,).
        precision: Inverse covariance (8, 8).
        softness_px: Sharp photographs are themselves as soft as a Gaussian of this sigma: a camera's lens and sensor
            blur too. Without it a weak Gaussian is found too strong.
        weight: What one pixel's information counts beside the prior: real spectra are rougher than the model.
        freedom: Degrees of freedom of the ratio of a periodogram to its expectation; the fewer, the less an outlier
            (a strong edge) counts.
    """

    mean: Tensor
    precision: Tensor
    softness_px: float
    weight: float
    freedom: float


def natural() -> SpectrumPrior:
    """The prior fitted to sharp photographs (BSDS500 train) by ``experiments/bench/spectrum_prior.py``."""
    stored = _measured()
    mean, covariance = (torch.tensor(stored[key], dtype=torch.float64) for key in ("mean", "covariance"))
    precision = torch.linalg.inv(covariance)
    return SpectrumPrior(mean, precision, *(float(stored[key]) for key in ("softness_px", "weight", "freedom")))


def _measured() -> dict[str, Any]:
    return dict(json.loads(files("blurlab.likelihood").joinpath("natural.json").read_text()))


def interval_halfwidth(parameter: str, sd: Tensor) -> Tensor:
    """Half of a 90 % interval about a fit: ``sqrt((m sd)^2 + e^2)``, measured where the prior was fitted.

    Args:
        parameter: Its name; one that was not measured is taken as the least certain of all.
        sd: The fit's standard deviation.
    """
    measured = _measured()["spread90"]
    multiple, error = measured.get(parameter) or (max(pair[place] for pair in measured.values()) for place in (0, 1))
    return ((multiple * sd) ** 2 + error**2).sqrt()


def caution(parameter: str) -> float:
    """How far below a fit the kernel of least expected loss lies, as a share of :func:`interval_halfwidth`.

    A kernel that is too large costs more than one that is too small. Measured where the prior was fitted; 0 for a
    parameter that was not.
    """
    return float(_measured()["caution"].get(parameter, 0.0))


def prior_from(coefficients: Tensor, *, softness_px: float, weight: float, freedom: float) -> SpectrumPrior:
    """The prior of fitted coefficients (n, 8) of sharp photographs; the level is left free."""
    precision = torch.linalg.inv(free_level(coefficients))
    return SpectrumPrior(coefficients.mean(0), precision, softness_px, weight, freedom)


def free_level(coefficients: Tensor) -> Tensor:
    """Covariance (8, 8) of fitted coefficients (n, 8), with a level of any contrast."""
    covariance = torch.cov(coefficients.T)
    covariance[0, 0] += 100.0
    return covariance


def flat(softness_px: float = 0.0, weight: float = 1.0, freedom: float = 4.0) -> SpectrumPrior:
    """Hardly any belief: a slope of -2.5 give or take 10, for fitting sharp photographs."""
    mean = torch.zeros(len(TERMS), dtype=torch.float64)
    mean[1] = -2.5
    return SpectrumPrior(mean, 0.01 * torch.eye(len(TERMS), dtype=torch.float64), softness_px, weight, freedom)
