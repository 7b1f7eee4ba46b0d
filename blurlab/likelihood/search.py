"""Where to begin: a grid of kernels, ranked by how well each explains the logarithm of an image's spectrum.

The likelihood of a motion or a disk has a peak for every way of laying its zeros over the image's, and the peaks are
narrow: a climb must begin near the highest, so the grid is fine. In the logarithm, blur and smooth spectrum add up,
and what a smooth spectrum can explain is taken away by one projection. That ranks kernels, it does not measure them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from blurlab.blur import BlurFamily, Parameter
from blurlab.likelihood.prior import TERMS, SpectrumPrior, own_blur
from blurlab.likelihood.taper import leak, leakage
from blurlab.likelihood.whittle import Belief, Problem, bin_weight, middle, noise_floor, otf_power

STEP, OFFSET_PX = 0.055, 0.5
"""A strength x that writes zeros is followed by x + STEP (x + OFFSET_PX): the wider the blur, the closer its zeros."""
TURN_PX, TURN_DEG = 0.45, 5.0
"""From one angle to the next the end of such a line moves by so much, at most."""
SMOOTH_PX = 1.0
"""The same where the transfer function has no zeros and the likelihood has one peak, as for Gaussians."""
OTHER_POINTS = 5
"""Values of a parameter that is neither a length nor has a period."""
MOST_AXES, SCATTERED = 4, 4096
"""More such parameters than this are not laid out as a grid: so many points are scattered over their ranges."""
SAME = 1e-6
FREQUENCIES = 400
"""Bins that are looked at, spread over the half plane."""
SHORTLIST = 64
"""Best kernels of an image from which the starts are taken."""
DISTINCT, FLOOR = 0.15, 0.003
"""Two starts differ by more, as a mean square of log(|H|^2 + FLOOR)."""
LOG_VARIANCE = math.pi**2 / 6
"""Of the logarithm of one periodogram: what a squared deviation of it is to be divided by."""
AT_ONCE = 128
"""Kernels whose spectra are made at once: they stay in the cache."""


@dataclass(frozen=True)
class Catalogue:
    """What a typical photograph would show of each kernel of a grid.

    Attributes:
        params: Parameters (c, P).
        picked: Indices of the bins that are looked at (f,).
        content: Typical spectrum there (f,).
        blurred: leak(|H|^2 S) there (c, f), float32.
        level: Its mean over middle frequencies (c,), float32.
    """

    params: Tensor
    picked: Tensor
    content: Tensor
    blurred: Tensor
    level: Tensor


def grid(family: BlurFamily) -> Tensor:
    """Parameters (c, P) on a grid over the family's bounds, each kernel once; a fixed parameter keeps its value.

    Example:
        >>> from blurlab.blur import Defocus, Gaussian
        >>> grid(Gaussian([1, 4]))[:, 0].tolist()
        [1.0, 2.0, 3.0, 4.0]
        >>> grid(Defocus([7, 8])).squeeze(1).round(decimals=2).tolist()
        [7.0, 7.48, 8.0]
    """
    if sum(one.is_free and not one.is_length and one.period is None for one in family.parameters) > MOST_AXES:
        return _scattered(family)
    turning = [place for place, one in enumerate(family.parameters) if one.period is not None]
    axes = [_axis(family, one) for place, one in enumerate(family.parameters) if place not in turning]
    rows = torch.cartesian_prod(*axes).reshape(-1, len(axes)) if axes else torch.zeros(1, 0, dtype=torch.float64)
    for place in turning:
        done = []
        for row in rows:
            angles = _angles(family.parameters[place], float(row.abs().max()), family.has_zeros)
            fixed = row.expand(len(angles), -1)
            done.append(torch.cat([fixed[:, :place], angles[:, None], fixed[:, place:]], 1))
        rows = torch.cat(done)
    kept = (family.within(rows) - rows).abs().amax(1) < SAME if rows.shape[1] else slice(None)
    return rows[kept]


def _scattered(family: BlurFamily) -> Tensor:
    """Points (c, P) of Sobol's sequence over the bounds: a grid of many axes would have far too many."""
    low, high = torch.tensor(family.bounds, dtype=torch.float64).T
    drawn = torch.quasirandom.SobolEngine(len(low), scramble=True, seed=0).draw(SCATTERED, dtype=torch.float64)
    return family.within(low + (high - low) * drawn)


def _axis(family: BlurFamily, one: Parameter) -> Tensor:
    low, high = one.low, one.high
    if not one.is_free:
        return torch.tensor([one.middle], dtype=torch.float64)
    if not one.is_length:
        return torch.linspace(low, high, OTHER_POINTS, dtype=torch.float64)
    if one.signed or not family.has_zeros:
        return torch.linspace(low, high, max(1, round((high - low) / SMOOTH_PX)) + 1, dtype=torch.float64)
    ends = math.log(low + OFFSET_PX), math.log(high + OFFSET_PX)
    count = max(1, round((ends[1] - ends[0]) / STEP)) + 1
    return (torch.linspace(*ends, count, dtype=torch.float64).exp() - OFFSET_PX).clamp(low, high)


def _angles(one: Parameter, length_px: float, has_zeros: bool) -> Tensor:
    """Values (m,) of a parameter with a period, as far apart as an end of a line of this length may move."""
    turn = math.degrees((TURN_PX if has_zeros else SMOOTH_PX) / max(length_px, 1.0))
    apart = min(TURN_DEG, turn) if has_zeros else turn
    angles = torch.linspace(one.low, one.high, max(1, round((one.high - one.low) / apart)) + 1, dtype=torch.float64)
    return angles[:1] if one.low == one.high else angles[:-1] if one.goes_round else angles


def catalogue(family: BlurFamily, prior: SpectrumPrior, side: int, tapers: int) -> Catalogue:
    """The kernels of the family's :func:`grid`, seen in windows of this side through these tapers."""
    params = grid(family)
    typical = (torch.einsum("m,mij->ij", prior.mean, prior.terms(side)) + own_blur(side, prior.softness_px)).exp()
    factors = leakage(side, tapers)
    picked, seen, level = _spread(bin_weight(side)), [], []
    for some in params.split(AT_ONCE):
        blurred = leak(otf_power(family.psf(some), side) * typical, factors)
        seen.append(blurred.flatten(1)[:, picked].clamp_min(1e-12).float())
        level.append(blurred[:, middle(side)].mean(1).float())
    return Catalogue(params, picked, typical.flatten()[picked].float(), torch.cat(seen), torch.cat(level))


def search(problem: Problem, known: Catalogue, keep: int) -> Tensor:
    """The best kernels of a catalogue for each image, none like another.

    Args:
        problem: Periodograms and model.
        known: Kernels of the problem's family.
        keep: How many to return; fewer if there are fewer.

    Returns:
        (B, keep, P), the most likely first.
    """
    device = problem.observed.device
    params, picked, content, blurred, level = (value.to(device) for value in vars(known).values())
    misfit = _misfit(problem, picked, blurred, level)
    if problem.belief is not None:
        told = Belief(problem.belief.mean[:, None], problem.belief.spread[:, None])
        misfit += LOG_VARIANCE * told.off(problem.family, params).square().sum(-1)
    best = misfit.topk(min(SHORTLIST, len(params)), largest=False)
    shape = (blurred[best.indices] / content + FLOOR).log()
    rank, rows, kept = best.values.double(), torch.arange(len(misfit), device=device), []
    for _ in range(min(keep, len(params))):
        place = rank.argmin(1)
        kept.append(best.indices[rows, place])
        like = (shape - shape[rows, place][:, None]).square().mean(-1) < DISTINCT
        rank = torch.where(like, rank + 1e9, rank)  # a start like another comes after all others
        rank[rows, place] = torch.inf
    return params[torch.stack(kept, 1)]


def _misfit(problem: Problem, picked: Tensor, blurred: Tensor, level: Tensor) -> Tensor:
    """Weighted square of log I - log(k leak(|H|^2 S) + n) - smooth for each image and kernel (B, c)."""
    side = problem.observed.shape[-2]
    observed = problem.observed.flatten(1)[:, picked].clamp_min(1e-20).log().float()
    scale = problem.weight.flatten()[picked].sqrt().float()
    smooth = torch.linalg.qr(problem.terms[: len(TERMS)].flatten(1)[:, picked].float().T * scale[:, None]).Q
    share = problem.observed[:, middle(side)].mean(1).float()[:, None] / level
    noise = noise_floor(problem.observed).float()
    found = []
    for one, k, n in zip(observed, share, noise, strict=True):  # one image's numbers fit into the cache
        rest = (blurred * k[:, None]).add_(n).log_().neg_().add_(one).mul_(scale)
        rest -= (rest @ smooth) @ smooth.T
        found.append(rest.square_().sum(1))
    return torch.stack(found)


def _spread(weight: Tensor) -> Tensor:
    """Indices of about FREQUENCIES bins that count, low and high ones alike."""
    counted = weight.flatten().nonzero().squeeze(1)
    every = max(1, len(counted) // FREQUENCIES)
    order = torch.randperm(len(counted), generator=torch.Generator().manual_seed(0))
    return counted[order[: len(counted) // every]].sort().values
