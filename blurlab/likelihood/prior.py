"""What is believed of a photograph's own spectrum before the blur: a smooth, nearly isotropic power law."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files

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


@dataclass(frozen=True)
class SpectrumPrior:
    """A Gaussian belief about the coefficients of :func:`basis`.

    Attributes:
        mean: (8,).
        precision: Inverse covariance (8, 8).
        weight: What one pixel's information counts beside the prior: real spectra are rougher than the model.
        freedom: Degrees of freedom of the ratio of a periodogram to its expectation; the fewer, the less an outlier
            (a strong edge) counts.
    """

    mean: Tensor
    precision: Tensor
    weight: float
    freedom: float


def natural() -> SpectrumPrior:
    """The prior fitted to sharp photographs (BSDS500 train) by ``experiments/bench/spectrum_prior.py``."""
    stored = json.loads(files("blurlab.likelihood").joinpath("natural.json").read_text())
    mean, covariance = (torch.tensor(stored[key], dtype=torch.float64) for key in ("mean", "covariance"))
    return SpectrumPrior(mean, torch.linalg.inv(covariance), float(stored["weight"]), float(stored["freedom"]))


def interval_halfwidth(parameter: str, sd: Tensor) -> Tensor:
    """Half of a 90 % interval about a fit: ``sqrt((m sd)^2 + e^2)``, measured where the prior was fitted.

    Args:
        parameter: Its name; one that was not measured is taken as the least certain of all.
        sd: The fit's standard deviation.
    """
    measured = json.loads(files("blurlab.likelihood").joinpath("natural.json").read_text())["spread90"]
    multiple, error = measured.get(parameter) or (max(pair[place] for pair in measured.values()) for place in (0, 1))
    return ((multiple * sd) ** 2 + error**2).sqrt()


def prior_from(coefficients: Tensor, *, weight: float, freedom: float) -> SpectrumPrior:
    """The prior of fitted coefficients (n, 8) of sharp photographs; the level is left free."""
    return SpectrumPrior(coefficients.mean(0), torch.linalg.inv(free_level(coefficients)), weight, freedom)


def free_level(coefficients: Tensor) -> Tensor:
    """Covariance (8, 8) of fitted coefficients (n, 8), with a level of any contrast."""
    covariance = torch.cov(coefficients.T)
    covariance[0, 0] += 100.0
    return covariance


def flat(weight: float = 1.0, freedom: float = 4.0) -> SpectrumPrior:
    """Hardly any belief: a slope of -2.5 give or take 10, for fitting sharp photographs."""
    mean = torch.zeros(len(TERMS), dtype=torch.float64)
    mean[1] = -2.5
    return SpectrumPrior(mean, 0.01 * torch.eye(len(TERMS), dtype=torch.float64), weight, freedom)
