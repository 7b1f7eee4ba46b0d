"""Interval of a mean by resampling, also where values come in groups that share a photograph."""

from __future__ import annotations

import torch
from torch import Tensor

CELLS_AT_ONCE = 4_000_000


def bootstrap_mean(
    values: Tensor,
    confidence: float = 0.95,
    n: int = 2000,
    *,
    generator: torch.Generator,
    groups: Tensor | None = None,
) -> tuple[float, float, float]:
    """Mean of values with its percentile bootstrap interval.

    With ``groups``, whole groups are drawn with replacement: several degradations of one photograph are not
    independent, and resampling them one by one would give an interval that is too narrow.

    Args:
        values: (N,), finite; leave out the infinities of perfect restorations and say how many there were.
        confidence: Between 0 and 1.
        n: Number of resamples.
        generator: Draws the resamples; the work is done on its device, in float64 (float32 on MPS).
        groups: Group of each value (N,), any whole numbers.

    Returns:
        Mean, low end, high end.

    Raises:
        ValueError: If there are no values, one is not finite, or a setting is out of its range.

    Example:
        >>> values = torch.arange(10.0)
        >>> draw = lambda: torch.Generator().manual_seed(0)
        >>> [round(number, 1) for number in bootstrap_mean(values, generator=draw())]
        [4.5, 2.8, 6.2]
        >>> [round(number, 1) for number in bootstrap_mean(values, generator=draw(), groups=values.long() // 5)]
        [4.5, 2.0, 7.0]
    """
    _check(values, confidence, n, groups)
    device = generator.device
    flat = values.detach().to(device, torch.float32 if device.type == "mps" else torch.float64)
    totals, sizes = flat, torch.ones_like(flat)
    if groups is not None:
        _, member = torch.unique(groups.to(device), return_inverse=True)
        empty = flat.new_zeros(int(member.max()) + 1)
        totals, sizes = empty.index_add(0, member, flat), empty.index_add(0, member, sizes)
    means = _resampled(totals, sizes, n, generator)
    tail = (1 - confidence) / 2
    low, high = torch.quantile(means, means.new_tensor([tail, 1 - tail])).tolist()
    return float(flat.mean()), low, high


def _resampled(totals: Tensor, sizes: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """Means (n,) of n draws with replacement of as many groups as there are, from their totals and sizes (G,)."""
    count = len(totals)
    means: list[Tensor] = []
    for rows in torch.arange(n).split(max(1, CELLS_AT_ONCE // count)):
        pick = torch.randint(count, (len(rows), count), generator=generator, device=generator.device)
        means.append(totals[pick].sum(1) / sizes[pick].sum(1))
    return torch.cat(means)


def _check(values: Tensor, confidence: float, n: int, groups: Tensor | None) -> None:
    """Raise on values, settings or groups that give no interval."""
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(
            f"values must be (N,) with N >= 1, got {tuple(values.shape)}; flatten them or skip the empty set"
        )
    bad = int((~torch.isfinite(values)).sum())
    if bad:
        raise ValueError(
            f"values must be finite, got {bad} infinite or NaN of {len(values)}; leave them out and say so"
        )
    if not 0 < confidence < 1 or n < 1:
        raise ValueError(f"expected 0 < confidence < 1 and n >= 1, got {confidence} and {n}; write 0.95 for 95 %")
    if groups is not None and groups.shape != values.shape:
        raise ValueError(f"groups must have one entry a value, got {tuple(groups.shape)} for {tuple(values.shape)}")
