"""The spectral (Whittle) likelihood of an image in the parameters of its blur.

The periodogram I of y = h * x + n has the expectation  P = leak(|H|^2 S) + s^2,  log S a smooth function of the
frequency (:mod:`blurlab.likelihood.prior`). I / P is taken as F-distributed with 2 and 2 nu degrees of freedom:
Whittle's exponential law for nu -> infinity, heavier tails for the edges of real photographs. Minimised per image, in
the kernel's parameters, the coefficients a of log S and the noise:

    f = w sum_k [ log P_k + (nu + 1) log(1 + I_k / (nu P_k)) ] + 1/2 (a - m)' L (a - m)

and half the squares of the kernel's deviations from what is believed of it, if anything is.

[Whittle1953], [Sykulski2019]
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from blurlab.blur import BlurFamily
from blurlab.likelihood.prior import SpectrumPrior, own_blur
from blurlab.likelihood.taper import leak, leakage

NEAR_ZERO = 2
"""Frequencies up to this many bins from 0 along both axes are left out: there the window's mean was taken away."""
DIFFERENCE = 1e-4
"""Half the distance over which a slope is taken, in the parameter's unit."""


@dataclass(frozen=True)
class Belief:
    """What somebody (a network) believes of the kernel: independent Gaussians, modulo the period where there is one.

    Attributes:
        mean: (B, P).
        spread: Standard deviations (B, P); of a fixed parameter any number.
    """

    mean: Tensor
    spread: Tensor

    def off(self, family: BlurFamily, params: Tensor) -> Tensor:
        """Deviations from the mean in standard deviations, of parameters (B, P) or (c, P) each, shaped as broadcast."""
        columns = []
        for column, one in enumerate(family.parameters):
            off = one.apart(self.mean[..., column], params[..., column])
            columns.append(off / self.spread[..., column] if one.is_free else torch.zeros_like(off))
        return torch.stack(columns, -1) if columns else params


@dataclass(frozen=True)
class Problem:
    """What stays the same while an image's likelihood is maximised.

    Attributes:
        observed: Periodograms (B, N, N // 2 + 1).
        weight: What each bin counts (N, N // 2 + 1).
        family: Blurs of one kind.
        prior: Of the sharp image's spectrum.
        terms: Basis of the log spectrum (m, N, N // 2 + 1).
        fixed: What is always added to the log spectrum (N, N // 2 + 1).
        factors: Of the window's leakage (N, N).
        belief: What is believed of the kernel; None for nothing but its bounds.
    """

    observed: Tensor
    weight: Tensor
    family: BlurFamily
    prior: SpectrumPrior
    terms: Tensor
    fixed: Tensor
    factors: Tensor
    belief: Belief | None = None

    @property
    def free(self) -> list[int]:
        """Columns of the parameters that can be estimated and are ranges."""
        return self.family.free

    def repeated(self, times: int) -> Problem:
        """The same with every image ``times`` times in a row."""
        belief = self.belief and Belief(*(value.repeat_interleave(times, 0) for value in vars(self.belief).values()))
        return replace(self, observed=self.observed.repeat_interleave(times, 0), belief=belief)


@dataclass(frozen=True)
class State:
    """Parameters and what follows from them, per image.

    Attributes:
        params: Of the kernel (B, P).
        smooth: Coefficients of the log spectrum (B, m).
        log_noise: (B,).
        blurred: |H|^2 S before leakage (B, N, N // 2 + 1).
        content: S (B, N, N // 2 + 1).
        expected: Expected periodogram (B, N, N // 2 + 1).
        value: Objective (B,).
    """

    params: Tensor
    smooth: Tensor
    log_noise: Tensor
    blurred: Tensor
    content: Tensor
    expected: Tensor
    value: Tensor


def make_problem(observed: Tensor, family: BlurFamily, prior: SpectrumPrior, *, tapers: int, windows: float) -> Problem:
    """A problem from periodograms (B, N, N // 2 + 1) that are means over ``windows`` windows' worth of pixels."""
    side = observed.shape[-2]
    device = observed.device
    weight = bin_weight(side).to(device) * prior.weight * windows
    terms, fixed, factors = (
        part.to(device) for part in (prior.terms(side), own_blur(side, prior.softness_px), leakage(side, tapers))
    )
    return Problem(observed, weight, family, prior, terms, fixed, factors)


def bin_weight(side: int) -> Tensor:
    """What each bin of a half spectrum counts (N, N // 2 + 1): 1, or 1/2 where it comes twice; 0 next to 0."""
    weight = torch.ones(side, side // 2 + 1, dtype=torch.float64)
    weight[:, 0] = 0.5
    if side % 2 == 0:
        weight[:, -1] = 0.5
    near = torch.fft.fftfreq(side, 1 / side).abs() <= NEAR_ZERO
    weight[near, : NEAR_ZERO + 1] = 0
    return weight


def otf_power(psf: Tensor, side: int) -> Tensor:
    """|H|^2 at the frequencies of an N x N grid, whatever the size of the kernels (n, 1, k, l): (n, N, N // 2 + 1)."""
    rows, cols = psf.shape[-2:]
    down = _waves(torch.fft.fftfreq(side, dtype=torch.float64), rows).to(psf.device)
    across = _waves(torch.fft.rfftfreq(side, dtype=torch.float64), cols).to(psf.device)
    otf = down @ psf[:, 0].to(down.dtype) @ across.T
    return otf.real.square() + otf.imag.square()


def otf_slopes(family: BlurFamily, params: Tensor, column: int, side: int) -> Tensor:
    """Slope of |H|^2 in a parameter (n, N, N // 2 + 1): a difference within the bounds, in float64 good to 1e-7."""
    left, right, apart = _about(family, params, column)
    return (otf_power(family.psf(right), side) - otf_power(family.psf(left), side)) / apart[:, None, None]


def psf_slopes(family: BlurFamily, params: Tensor, column: int) -> Tensor:
    """Slope of the kernels in a parameter (n, 1, k, k), likewise."""
    left, right, apart = _about(family, params, column)
    return (family.psf(right) - family.psf(left)) / apart[:, None, None, None]


def _about(family: BlurFamily, params: Tensor, column: int) -> tuple[Tensor, Tensor, Tensor]:
    """Parameters on both sides of these within the bounds, and their distance (n,)."""
    low, high = family.bounds[column]
    left, right = params.clone(), params.clone()
    left[:, column] = (params[:, column] - DIFFERENCE).clamp_min(low)
    right[:, column] = (params[:, column] + DIFFERENCE).clamp_max(high)
    return left, right, (right - left)[:, column]


def _waves(frequency: Tensor, length: int) -> Tensor:
    phase = 2 * torch.pi * frequency[:, None] * (torch.arange(length) - length // 2)
    return torch.polar(torch.ones_like(phase), -phase)


def guess(problem: Problem, params: Tensor) -> State:
    """A first state at these kernel parameters (B, P): noise from the highest frequencies, level from middle ones."""
    observed = problem.observed
    smooth = problem.prior.mean.to(observed).expand(len(observed), -1).clone()
    content = _content(problem, smooth) * (_power(problem, params) + 0.05)
    ratio = (observed / content)[:, middle(observed.shape[-2]).to(observed.device)]
    smooth[:, 0] += ratio.mean(1).clamp_min(1e-12).log()
    return evaluate(problem, params, smooth, noise_floor(observed).log())


def middle(side: int) -> Tensor:
    """Bins (N, N // 2 + 1) of middle frequencies, about 0.08 cycles/px: most blurs leave them, noise is below them."""
    down = torch.fft.fftfreq(side, dtype=torch.float64)[:, None]
    across = torch.fft.rfftfreq(side, dtype=torch.float64)[None, :]
    return ((down**2 + across**2).sqrt() - 0.08).abs() < 0.04


def noise_floor(observed: Tensor) -> Tensor:
    """Median of periodograms (B, N, N // 2 + 1) at the highest frequencies (B,): the noise, where a blur is strong."""
    side = observed.shape[-2]
    down = torch.fft.fftfreq(side, dtype=torch.float64, device=observed.device)[:, None].abs()
    across = torch.fft.rfftfreq(side, dtype=torch.float64, device=observed.device)[None, :]
    return observed[:, (down > 0.4) & (across > 0.4)].median(1).values.clamp_min(1e-12)


def evaluate(problem: Problem, params: Tensor, smooth: Tensor, log_noise: Tensor) -> State:
    """The state with these parameters; its value is differentiable in all of them."""
    prior = problem.prior
    content = _content(problem, smooth)
    blurred = _power(problem, params) * content
    expected = leak(blurred, problem.factors).clamp_min(0) + log_noise.exp()[:, None, None]
    ratio, nu = problem.observed / expected, prior.freedom
    misfit = (problem.weight * (expected.log() + (nu + 1) * torch.log1p(ratio / nu))).sum((1, 2))
    off = smooth - prior.mean.to(smooth)
    value = misfit + 0.5 * ((off @ prior.precision.to(off)) * off).sum(1)
    if problem.belief is not None:
        value = value + 0.5 * problem.belief.off(problem.family, params).square().sum(1)
    return State(params, smooth, log_noise, blurred, content, expected, value)


def misfit(problem: Problem, expected: Tensor) -> Tensor:
    """By how much the log-likelihood of a bin falls short of its highest, on average over the bins that count (B,).

    Args:
        problem: With the observed periodograms.
        expected: Expected periodograms (B, N, N // 2 + 1).
    """
    ratio, nu = problem.observed / expected, problem.prior.freedom
    short = (nu + 1) * torch.log1p(ratio / nu) - ratio.log() - (nu + 1) * math.log1p(1 / nu)
    return (problem.weight * short).sum((1, 2)) / problem.weight.sum()


def _content(problem: Problem, smooth: Tensor) -> Tensor:
    return (torch.einsum("bm,mij->bij", smooth, problem.terms) + problem.fixed).exp()


def _power(problem: Problem, params: Tensor) -> Tensor:
    return otf_power(problem.family.psf(params), problem.observed.shape[-2])
