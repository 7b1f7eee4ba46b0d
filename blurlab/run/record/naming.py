"""How well blurs were named: accuracies, errors of strengths and parameters, coverage of the intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from blurlab.pipeline import Scorer
from blurlab.run.record.bounds import BOUNDS, MEDIAN_OF_SD
from blurlab.run.record.rows import Item, Named
from blurlab.run.record.statistics import interval, proportion

ANGLE_FROM_PX = 6.0
LIMIT = f"median error of an efficient estimate, {MEDIAN_OF_SD:.2f} of the Cramer-Rao bound: {BOUNDS['bound']}"


def naming(
    items: Sequence[Item], scorer: Scorer, *, seed: int
) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    """Every figure of labelled estimates, the limits of its parameters by metric name, and the table of bounds."""
    names = scorer.family.names
    measured, bound, table = parameters(items, names)
    metrics = {
        **accuracies(items, scorer),
        **strengths(items, scorer.strength_errors(), seed),
        **measured,
        **before_refinement(items, names),
    }
    return metrics, bound, table


def named(item: Item) -> Named:
    """What was named of an item.

    Raises:
        ValueError: If estimates have no label.
    """
    if item.named is None:
        raise ValueError(f"nothing was named of {item.photo}: its estimate has no label")
    return item.named


def share(items: Sequence[Item]) -> dict[str, Any]:
    """Share of items named rightly."""
    return proportion(sum(named(item).right for item in items), len(items))


def accuracies(items: Sequence[Item], scorer: Scorer) -> dict[str, Any]:
    """The headline accuracy first, then that of each kind where strengths are no classes; Wilson 95 % intervals."""
    found = {scorer.accuracy: share(items)}
    if scorer.discrete:
        return found
    strong = [item for item in items if item.truth.kind == "none" or item.truth.strength_px >= 2]
    found[f"{scorer.accuracy}_from_2px"] = share(strong)
    for kind in dict.fromkeys(item.truth.kind for item in items):
        of_kind = [item for item in items if item.truth.kind == kind]
        found[f"accuracy_{'clean' if kind == 'none' else kind}"] = share(of_kind)
    return found


def strengths(items: Sequence[Item], metrics: dict[str, tuple[str, float]], seed: int) -> dict[str, Any]:
    """Errors of the strength (mean of the posterior) where the kind was found, in each kind's own parameter.

    Args:
        items: The items.
        metrics: Kind -> metric of its error, and what a pixel of strength is in that parameter.
        seed: Seeds the bootstrap.
    """
    found: dict[str, Any] = {}
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
            found[metric] = interval(errors, [item.photo for item in known], seed, "px")
    if inside:
        ends = [(*named(item).interval_px, item.truth.strength_px) for item in inside]
        found["coverage90"] = proportion(sum(low <= true <= high for low, high, true in ends), len(inside))
    return found


def parameters(
    items: Sequence[Item], names: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    """Median errors of the parameters where the kind was found, the limit of each, and a table of all bounds.

    The limit is the median error of an efficient estimate, 0.67 of the median Cramer-Rao bound.

    An angle counts where the line is at least ``ANGLE_FROM_PX`` long: a shorter one hardly has any.

    Args:
        items: The items.
        names: Parameters of the family, ``<kind>.<name>`` in a mixture.
    """
    metrics, limits, table = {}, {}, []
    for name in names:
        stem, unit = name.rsplit(".", 1)[-1].rsplit("_", 1) if "_" in name else (name, "")
        some = [item for item in items if item.truth.kind == named(item).kind and _both_known(item, name)]
        if unit == "deg":
            some = [item for item in some if item.truth.strength_px >= ANGLE_FROM_PX]
        errors = [abs(named(item).params[name] - item.truth.params[name]) for item in some]
        if unit == "deg":
            errors = [min(error % 180, 180 - error % 180) for error in errors]
        true = [item.truth.params[name] for item in some]
        if errors and max(true) > min(true):
            metric = f"{stem}_median_{unit}"
            metrics[metric] = {"value": median(errors), "n": len(errors), "unit": unit}
            halves = [named(item).halfwidth.get(name) for item in some]
            held = [error <= half for error, half in zip(errors, halves, strict=True) if half is not None]
            if held:
                metrics[f"coverage90_{stem}"] = proportion(sum(held), len(held))
            known = {bound: MEDIAN_OF_SD * value for bound, value in _bounds(some, name).items()}
            if known:
                limits[metric] = {"value": known["bound"], "how": LIMIT}
                table.append({"metric": metric, **metrics[metric], **known, "ratio": median(errors) / known["bound"]})
    return metrics, limits, table


def _both_known(item: Item, name: str) -> bool:
    known = item.truth.params.get(name, math.nan), named(item).params.get(name, math.nan)
    return all(math.isfinite(value) for value in known)


def _bounds(items: Sequence[Item], name: str) -> dict[str, float]:
    """Median of each of ``BOUNDS`` of one parameter; nothing where no item has one."""
    known = {
        bound: [value for item in items if math.isfinite(value := item.bounds.get(bound, {}).get(name, math.nan))]
        for bound in BOUNDS
    }
    return {bound: median(values) for bound, values in known.items()} if all(known.values()) else {}


def before_refinement(items: Sequence[Item], names: Sequence[str]) -> dict[str, Any]:
    """The network's own word, of items that were refined: accuracy of the kind and median errors, with ``/network``."""
    said = [
        replace(item, named=replace(own, kind=own.before.kind, params=own.before.params, halfwidth={}))
        for item in items
        if (own := item.named) is not None and own.before is not None
    ]
    if not said:
        return {}
    kinds = proportion(sum(item.truth.kind == named(item).kind for item in said), len(said))
    measured = parameters(said, names)[0]
    return {f"{name}/network": value for name, value in {"type_accuracy": kinds, **measured}.items()}
