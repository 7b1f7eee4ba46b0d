"""How often the kind of a blur can be told at all: the nearest kernel of another kind, and how far away it is."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.blur import BlurFamily, Mixture
from blurlab.likelihood.limit import bin_counts, chernoff
from blurlab.likelihood.search import grid
from blurlab.likelihood.whittle import otf_power

HALVINGS = 4
FIRST_STEP = {"px": 1.0, "deg": 4.0}
"""Twice the first step from the grid's best kernel, of a parameter of this unit."""
FIRST_SHARE = 1 / 8
"""The same of a parameter of another unit, as a share of its range."""
AT_ONCE = 2**22
"""Numbers in one temporary: at most 64 MB."""


def kind_ceiling(family: Mixture, params: Tensor, kind: Tensor, spectrum: Tensor, variance: Tensor) -> Tensor:
    """How often an observer who knows the spectrum and the noise tells each item from the nearest of another kind.

    ``Phi(sqrt(2 C))``, C the Chernoff information between the item's field and that of the kernel of another kind that
    is most like it: exact where the log-likelihood ratio is Gaussian of equal variance. The observer has to tell two
    kernels apart, not all of them, and knows more than the image shows: real ones stay below.

    Args:
        family: The kinds.
        params: True parameters (n, P).
        kind: True kinds (n,).
        spectrum: Of the sharp images (n, N, N // 2 + 1).
        variance: Of the noise (n,).

    Returns:
        (n,), float64; 1 where there is no other kind.
    """
    side = spectrum.shape[-2]
    seen = _expected(otf_power(family.psf(params.double(), kind), side), spectrum, variance)
    least = torch.full((len(params),), torch.inf, dtype=torch.float64, device=params.device)
    for index in range(len(family.kinds)):
        rows = (kind != index).nonzero().squeeze(1)
        if len(rows) == 0:
            continue
        member = family.member(index)
        rival = nearest(member, seen[rows], spectrum[rows], variance[rows])
        other = _expected(otf_power(member.psf(rival), side), spectrum[rows], variance[rows])
        least[rows] = torch.minimum(least[rows], chernoff(seen[rows], other))
    return torch.special.ndtr((2 * least).sqrt())


def nearest(member: BlurFamily, seen: Tensor, spectrum: Tensor, variance: Tensor) -> Tensor:
    """Parameters (n, P) of one kind whose field is most like the one seen (n, N, N // 2 + 1).

    By Bhattacharyya's distance, on a grid and then by halving its steps.
    """
    side = spectrum.shape[-2]
    candidates = grid(member).to(seen.device)
    values = []
    for some in candidates.split(max(1, AT_ONCE // seen[0].numel())):
        power = otf_power(member.psf(some), side).float()
        each = zip(seen.float(), spectrum.float(), variance.float(), strict=True)
        values.append(torch.stack([_distance(one[None], power * content + noise) for one, content, noise in each]))
    found = candidates[torch.cat(values, 1).argmin(1)]
    first = [FIRST_STEP.get(one.unit, FIRST_SHARE * (one.high - one.low)) for one in member.parameters]
    for halving in range(1, HALVINGS + 1):
        for place in member.free:
            step = first[place] / 2**halving
            moved = []
            for direction in (-1, 0, 1):
                other = found.clone()
                other[:, place] += direction * step
                moved.append(member.within(other))
            distance = torch.stack([
                _distance(seen, _expected(otf_power(member.psf(one), side), spectrum, variance)) for one in moved
            ])  # fmt: skip
            choice = distance.argmin(0)
            found = torch.stack(moved)[choice, torch.arange(len(found), device=found.device)]
    return found


def _expected(power: Tensor, spectrum: Tensor, variance: Tensor) -> Tensor:
    return power * spectrum + variance[:, None, None]


def _distance(first: Tensor, second: Tensor) -> Tensor:
    """Bhattacharyya's distance (n,) of fields with these expected periodograms."""
    count = bin_counts(first.shape[-2]).to(second)
    mean = ((first + second) / 2).log() - 0.5 * (first.log() + second.log())
    return 0.5 * (count * mean).sum((-2, -1))
