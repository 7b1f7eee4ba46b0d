"""What is believed of a photograph's own spectrum before the blur: a smooth, nearly isotropic power law."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

import torch
from safetensors.torch import load_file
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
    return basis_at(*_frequencies(window), 0.5 / window)


def basis_at(down: Tensor, across: Tensor, floor: float) -> Tensor:
    """The same at other frequencies (m, 1) and (1, c) in cycles/px, none counted as below ``floor``: (8, m, c)."""
    rho = (down**2 + across**2 + floor**2).sqrt()
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
    return own_blur_at(*_frequencies(window), softness_px)


def own_blur_at(down: Tensor, across: Tensor, softness_px: float) -> Tensor:
    """The same at other frequencies (m, 1) and (1, c) in cycles/px: (m, c)."""
    return -((2 * math.pi * softness_px) ** 2) * (down**2 + across**2)


def _frequencies(window: int) -> tuple[Tensor, Tensor]:
    down = torch.fft.fftfreq(window, dtype=torch.float64)[:, None]
    return down, torch.fft.rfftfreq(window, dtype=torch.float64)[None, :]


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
        details: More terms than those of :func:`basis` (q, N, N // 2 + 1), whose coefficients follow the eight in
            ``mean`` and ``precision``; then windows have the side N. None for no more.
    """

    mean: Tensor
    precision: Tensor
    softness_px: float
    weight: float
    freedom: float
    details: Tensor | None = None

    def terms(self, window: int) -> Tensor:
        """Every term of the log spectrum on windows of this side (m, window, window // 2 + 1).

        Raises:
            ValueError: If the details were measured on windows of another side.
        """
        smooth = basis(window)
        if self.details is None:
            return smooth
        if self.details.shape[-2] != window:
            raise ValueError(
                f"this prior knows spectra of {self.details.shape[-2]} px windows, got {window}; "
                "give larger images, or use natural()"
            )
        return torch.cat([smooth, self.details.to(smooth)])


def natural() -> SpectrumPrior:
    """The prior fitted to sharp photographs (BSDS500 train) by ``experiments/bench/spectrum_prior.py``."""
    stored = _measured()
    mean, covariance = (torch.tensor(stored[key], dtype=torch.float64) for key in ("mean", "covariance"))
    precision = torch.linalg.inv(covariance)
    softness_px, weight, freedom = (float(stored[key]) for key in ("softness_px", "weight", "freedom"))
    return SpectrumPrior(mean, precision, softness_px, weight, freedom)


def detailed() -> SpectrumPrior:
    """The prior of :func:`natural` with the main ways in which photographs' spectra are not smooth.

    Edges of one direction make a ridge in the spectrum, repeated patterns make peaks. The principal components of what
    the eight smooth terms leave of the log spectrum of photographs, ``experiments/bench/spectrum_details.py``, on
    windows of 64 px. With them a blur's errors are what its covariance says, where the smooth prior alone takes a ridge
    for the work of the blur.
    """
    return _with_details("details")


class Microscopes(SpectrumPrior):
    """The same of images like a microscope's: soft, dark, with white noise of their own under the blur.

    ``experiments/bench/spectrum_details.py --microscopes``: drawn nuclei and altered photographs, no microscope's own.
    """

    def __init__(self) -> None:
        super().__init__(**vars(_with_details("microscopes")))


def _with_details(name: str) -> SpectrumPrior:
    stored = load_file(str(files("blurlab.likelihood").joinpath(f"{name}.safetensors")))
    mean, covariance, details = (stored[key].double() for key in ("mean", "covariance", "details"))
    smooth = natural()
    return replace(smooth, mean=mean, precision=torch.linalg.inv(covariance), details=details)


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
