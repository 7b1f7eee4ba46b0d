"""Where to begin: a grid of kernels, each with the smooth spectrum that suits it best.

The likelihood of a motion or a disk has a peak for every way of laying its zeros over the image's, so a climb must
begin near the highest. Here the spectrum is not smeared with the kernel's (only |H|^2 is) and only some frequencies are
looked at: enough to rank kernels, not to measure them.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from blurlab.blur import BlurFamily
from blurlab.likelihood.taper import leak
from blurlab.likelihood.whittle import Belief, Problem, guess, otf_power

STEPS = 3
"""Iterations of the smooth spectrum for each kernel."""
FREQUENCIES = 400
"""Bins that are looked at, spread over the half plane."""
LIKELIEST = 96
"""Kernels of the grid that are looked at where something is believed of the kernel."""
AT_ONCE = 2**22
"""Numbers in one temporary: 32 MB."""


def grid(family: BlurFamily, step_px: float = 1.0) -> Tensor:
    """Parameters (c, P) on a grid over the family's bounds; a fixed parameter keeps its value.

    Strengths are ``step_px`` apart. Angles are so far apart that the end of a line moves by about one step: the longer
    the line, the more of them.

    Example:
        >>> from blurlab.blur import Motion
        >>> [round(angle) for length, angle in grid(Motion([3, 6], [0, 180])).tolist() if length == 3]
        [0, 20, 40, 60, 80, 100, 120, 140, 160]
    """
    turning = [place for place, name in enumerate(family.names) if name.endswith("_deg")]
    axes = [_axis(family, place, step_px) for place in range(len(family.names)) if place not in turning]
    rows = torch.cartesian_prod(*axes).reshape(-1, len(axes)) if axes else torch.zeros(1, 0, dtype=torch.float64)
    if not turning:
        return rows
    place = turning[0]
    low, high = family.bounds[place]
    done = []
    for row in rows:
        apart = math.degrees(step_px / float(row.max()))
        count = max(1, round((high - low) / apart))
        angles = torch.linspace(low, high, count + 1, dtype=torch.float64)
        angles = angles[:1] if low == high else angles[:-1] if high - low >= 180 else angles
        fixed = row.expand(len(angles), -1)
        done.append(torch.cat([fixed[:, :place], angles[:, None], fixed[:, place:]], 1))
    return torch.cat(done)


def _axis(family: BlurFamily, place: int, step_px: float) -> Tensor:
    low, high = family.bounds[place]
    step = step_px / 2 if family.names[place] == "radius_px" else step_px
    return torch.linspace(low, high, max(1, round((high - low) / step)) + 1 if low < high else 1, dtype=torch.float64)


def search(problem: Problem, candidates: Tensor, keep: int) -> Tensor:
    """The best kernels of a grid for each image.

    Args:
        problem: Periodograms and model.
        candidates: Parameters (c, P).
        keep: How many to return.

    Returns:
        (B, keep, P), the most likely first.
    """
    keep = min(keep, len(candidates))
    picked = _spread(problem.weight)
    observed, weight = problem.observed.flatten(1)[:, picked].float(), problem.weight.flatten()[picked].float()
    weight = weight * (float(problem.weight.sum()) / float(weight.sum()))
    terms = problem.terms.flatten(1)[:, picked].float()
    power = leak(otf_power(problem.family.psf(candidates), problem.observed.shape[-2]), problem.factors)
    power = power.clamp_min(1e-6).flatten(1)[:, picked].float()
    first = guess(problem, candidates[len(candidates) // 2].expand(len(observed), -1))
    count = len(candidates) if problem.belief is None else min(LIKELIEST, len(candidates))
    chunk = max(1, AT_ONCE // (count * power.shape[1]))
    best = []
    for start in range(0, len(observed), chunk):
        part = slice(start, start + chunk)
        smooth, log_noise = first.smooth[part].float(), first.log_noise[part].float()
        if problem.belief is None:
            value = _profile(problem, observed[part], weight, terms, power[None], smooth, log_noise)
            best.append(value.topk(keep, largest=False).indices)
            continue
        told = Belief(problem.belief.mean[part, None], problem.belief.spread[part, None])
        off, near = told.off(problem.family, candidates).square().sum(-1).topk(count, largest=False)
        value = _profile(problem, observed[part], weight, terms, power[near], smooth, log_noise) + 0.5 * off
        best.append(near.gather(1, value.topk(keep, largest=False).indices))
    return candidates[torch.cat(best)]


def _spread(weight: Tensor) -> Tensor:
    """Indices of about FREQUENCIES bins that count, low and high ones alike."""
    counted = weight.flatten().nonzero().squeeze(1)
    every = max(1, len(counted) // FREQUENCIES)
    order = torch.randperm(len(counted), generator=torch.Generator().manual_seed(0)).to(counted.device)
    return counted[order[: len(counted) // every]].sort().values


def _profile(
    problem: Problem, observed: Tensor, weight: Tensor, terms: Tensor, power: Tensor, smooth: Tensor, log_noise: Tensor
) -> Tensor:
    """Objective (b, c) of kernels of this power (b or 1, c, bins), the smooth spectrum and noise nearly settled."""
    prior, nu = problem.prior, problem.prior.freedom
    count = len(terms)
    products = (terms[:, None] * terms[None, :]).flatten(0, 1).T
    precision, mean = prior.precision.to(observed), prior.mean.to(observed)
    a = smooth[:, None].repeat(1, power.shape[1], 1)
    a[..., 0] -= (power @ weight).div(weight.sum()).add(0.05).log() * 0.5
    n = log_noise[:, None].repeat(1, power.shape[1])
    y = observed[:, None]
    for _ in range(STEPS):
        blurred = (a @ terms).exp_().mul_(power)
        noise = n.exp()[..., None]
        expected = blurred + noise
        ratio = y / expected
        pull = weight * ((nu + 1) * ratio / (nu + ratio) - 1)
        share = blurred / expected
        rest = noise / expected
        counts = weight * share * (nu / (nu + 2))
        information = a.new_zeros(*n.shape, count + 1, count + 1)
        information[..., :count, :count] = ((counts * share) @ products).unflatten(-1, (count, count)) + precision
        information[..., :count, count] = information[..., count, :count] = (counts * rest) @ terms.T
        information[..., count, count] = (weight * rest.square()).sum(-1) * (nu / (nu + 2)) + 1.0
        score = torch.cat([(pull * share) @ terms.T - (a - mean) @ precision, (pull * rest).sum(-1, keepdim=True)], -1)
        move = torch.linalg.solve(information, score)
        a = a + move[..., :count].clamp(-2, 2)
        n = n + move[..., count].clamp(-1, 1)
    expected = (a @ terms).exp_().mul_(power).add_(n.exp()[..., None])
    misfit = (weight * (expected.log() + (nu + 1) * torch.log1p(y / expected / nu))).sum(-1)
    off = a - mean
    return misfit + 0.5 * ((off @ precision) * off).sum(-1)
