"""How well blurs were named: accuracies, errors of the strengths and coverage of their intervals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from blurlab.pipeline import Scorer
from blurlab.run.record.means import interval, proportion
from blurlab.run.record.parameters import before_refinement, parameters
from blurlab.run.record.rows import Item, named


def scores(
    items: Sequence[Item], scorer: Scorer, *, seed: int
) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    """Every figure of labelled estimates, the limits of its parameters by metric name, and the table of bounds."""
    measured, bound, table = parameters(items, scorer.family)
    metrics = {
        **accuracies(items, scorer),
        **strengths(items, scorer.strength_errors(), seed),
        **measured,
        **before_refinement(items, scorer.family),
    }
    return metrics, bound, table


def share(items: Sequence[Item]) -> dict[str, Any]:
    """Share of items named rightly."""
    return proportion(sum(named(item).right for item in items), len(items))


def accuracies(items: Sequence[Item], scorer: Scorer) -> dict[str, Any]:
    """The headline accuracy first, then that of each kind where strengths are no classes; Wilson 95 % intervals."""
    found = {scorer.accuracy: share(items)}
    if scorer.discrete:
        return found
    if any(item.truth.strength_px for item in items):
        strong = [item for item in items if item.truth.kind == "none" or item.truth.strength_px >= 2]
        found[f"{scorer.accuracy}_from_2px"] = share(strong)
    for kind in dict.fromkeys(item.truth.kind for item in items):
        of_kind = [item for item in items if item.truth.kind == kind]
        found[f"accuracy_{'clean' if kind == 'none' else kind}"] = share(of_kind)
    return found


def strengths(items: Sequence[Item], metrics: dict[str, tuple[str, float]], seed: int) -> dict[str, Any]:
    """Errors of the strength (mean of the posterior) where the kind was found, in each kind's own parameter.

    Args:
        items: Items with what was named.
        metrics: Kind -> metric of its error, and what a pixel of strength is in that parameter.
        seed: Seeds the bootstrap.
    """
    found: dict[str, Any] = {}
    shared = Counter(metric for metric, _ in metrics.values())
    inside = [
        item for item in items
        if item.truth.kind in metrics
        and item.truth.kind == named(item).kind
        and math.isfinite(named(item).interval_px[0])
    ]  # fmt: skip
    for kind, (metric, scale) in metrics.items():
        known = [item for item in inside if item.truth.kind == kind]
        if known:
            errors = [scale * abs(named(item).strength_mean_px - item.truth.strength_px) for item in known]
            name = metric if shared[metric] == 1 else f"{metric}/{kind}"
            found[name] = interval(errors, [item.photo for item in known], seed, "px")
    if inside:
        ends = [(*named(item).interval_px, item.truth.strength_px) for item in inside]
        found["coverage90"] = proportion(sum(low <= true <= high for low, high, true in ends), len(inside))
    return found
