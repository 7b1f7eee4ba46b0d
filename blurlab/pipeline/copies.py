"""Which of several sizes of a photograph tells most of its blur, and whether the blur may be wider than any tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from blurlab.blur import BlurFamily
from blurlab.pipeline.estimate import BlurEstimate, KindEstimate

NEAR_END = 0.1
"""Share of a range, at its upper end, in which a length may in truth lie beyond."""
NEARLY = 0.95
"""An answer is as good as a surer one whose probability it has this share of."""
AT_END, UNMEASURED = 1.01, 0.5
"""A strength of no more than the first times the lower end of its range, half of whose interval is the second of it."""
DENIED = 0.05
"""A photograph is not named sharp where its copy of half the size is less probably so."""
SURELY_SHARP = 0.95
"""Where the largest copy is so probably sharp all the same, the two contradict each other, and nothing is told."""


def which_copy(
    family: BlurFamily,
    seen: Sequence[BlurEstimate],
    least_probability: float,
    but: Sequence[str] = (),
    left_out: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Which copy's answer counts (B,), -1 where none is sure enough; and may its strength be greater (B,) bool?

    The surest answer says the kind; the parameters are those of the largest copy that says the same kind, is as sure or
    nearly, and whose strength is not at the end of its range. Where it is in all of them, the smallest copy tells most.
    That a smaller copy is sharp says little: of those only a blur counts; that the largest one is says nothing where
    the next one is surely not, since a wide blur is wider in the larger one; but where both are all but certain they
    contradict each other, as of a noisy texture. The strength may be greater than is
    said where its interval reaches the end of the range in that copy and in all smaller ones.

    Args:
        family: A mixture, one of whose kinds is ``none``.
        seen: What each copy shows, the largest first.
        least_probability: Of a kind that counts.
        but: Kinds that do not count.
        left_out: Copies that do not count (S, B) bool; None: none.
    """
    none = family.kinds.index("none")
    labels = [label for one in seen if (label := one.label) is not None]
    probability = torch.stack([one.probability for one in labels])
    sure, kind = probability.max(2)
    counts = sure >= least_probability
    if left_out is not None:
        counts &= ~left_out
    for name in but:
        counts &= kind != family.kinds.index(name)
    counts[1:] &= kind[1:] != none
    if len(seen) > 1:
        denied = probability[1, :, none] < DENIED
        counts[0] &= (kind[0] != none) | ~denied
        counts &= ~(denied & (probability[0, :, none] >= SURELY_SHARP))
    surest = torch.where(counts, sure, -1.0).argmax(0)
    same = counts & (kind == kind.gather(0, surest[None])) & (sure >= NEARLY * sure.gather(0, surest[None]))
    fits = same & torch.stack([is_within(family, one) for one in labels])
    last = len(seen) - 1 - same.int().flip(0).argmax(0)
    place = torch.where(fits.any(0), fits.int().argmax(0), last)
    ends = same & torch.stack([is_within(family, one, whole=True) for one in labels])
    as_small = torch.arange(len(seen), device=place.device)[:, None] >= place
    beyond = counts.any(0) & ~(ends & as_small).any(0)
    return torch.where(counts.any(0), place, -1), beyond


def straightened(
    family: BlurFamily, seen: Sequence[BlurEstimate], scales: Sequence[int], lines: Sequence[str], paths: Sequence[str]
) -> Tensor:
    """Which copies (S, B) bool show a line only since they are small: the largest one rather shows a bent path.

    A short path is hardly bent in a copy of half the size. Of lengths that the largest copy can measure it is asked.

    Args:
        family: A mixture.
        seen: What each copy shows, the largest first.
        scales: By how much the sides of each are divided.
        lines: Kinds that are straight.
        paths: Kinds that are bent.
    """
    labels = [label for one in seen if (label := one.label) is not None]
    straight, bent = (torch.tensor([kind in names for kind in family.kinds]) for names in (lines, paths))
    first = labels[0].probability
    straight, bent = straight.to(first.device), bent.to(first.device)
    rather_bent = (first * bent).sum(1) > (first * straight).sum(1)
    shown = []
    for label, scale in zip(labels, scales, strict=True):
        in_first = is_within(family, replace(label, params=family.scaled(label.params, scale), halfwidth=None))
        shown.append(rather_bent & straight[label.kind] & in_first & (scale > 1))
    return torch.stack(shown)


def is_within(family: BlurFamily, label: KindEstimate, *, whole: bool = False) -> Tensor:
    """Is every length, or its ``whole`` interval, clear of the upper end of its range (B,)?"""
    clear = torch.ones(len(label.kind), dtype=torch.bool, device=label.params.device)
    upper = label.params + label.halfwidth if whole and label.halfwidth is not None else label.params
    for column, one in enumerate(family.parameters):
        if one.is_length and one.is_free:
            clear &= ~(upper[:, column] > one.high - NEAR_END * (one.high - one.low))
    return clear


def unmeasured(family: BlurFamily, label: KindEstimate) -> Tensor:
    """Of which images (B,) bool the blur is the weakest of its kind, and may be weaker still.

    A length found lies at the lower end of its range, and half of its 90 % interval is half of it or more: no blur of
    the kind looks like this, the nearest one is said. Photographs that were enlarged are like that.

    Args:
        family: A mixture.
        label: What a copy shows.
    """
    weak = torch.zeros_like(label.kind, dtype=torch.bool)
    for column, one in enumerate(family.parameters):
        if one.is_length and one.is_free and label.halfwidth is not None:
            found, half = label.params[:, column], label.halfwidth[:, column]
            weak |= (found <= AT_END * one.low) & (half >= UNMEASURED * found)
    return weak


def without_end(interval: Tensor, beyond: Tensor) -> Tensor:
    """Intervals (B, 2), those of some rows (B,) bool with an infinite upper end where there is an interval.

    Example:
        >>> without_end(torch.tensor([[1.0, 2.0], [1.0, 2.0]]), torch.tensor([False, True]))
        tensor([[1., 2.],
                [1., inf]])
    """
    low, high = interval.unbind(1)
    return torch.stack([low, torch.where(beyond & ~high.isnan(), torch.inf, high)], 1)
