"""From the items of an evaluation to the entries of a record: metrics with intervals, limits, confusion, curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from blurlab.metric import IMAGE_METRICS
from blurlab.pipeline import Scorer
from blurlab.run.record.bounds import CEILING
from blurlab.run.record.curves import curves, propagation
from blurlab.run.record.means import interval, mean
from blurlab.run.record.rows import TRUE_KERNEL, UNITS, Item, named
from blurlab.run.record.scores import scores

DIFFERENCES = {
    "isnr_loss": ("isnr", "oracle", "estimated"),
    "isnr_loss_map": ("isnr", "oracle", "map"),
    "isnr_loss_one_longer": ("isnr", "oracle", "one_longer"),
    "isnr_loss_one_shorter": ("isnr", "oracle", "one_shorter"),
    "isnr_gain_by_risk": ("isnr", "estimated", "map"),
    "psf_snr_gain": ("psf_snr", "estimated", "constant"),
}
"""Metric -> figure, and the two kernels whose difference in it is meant, over the same images."""


def evaluation(
    items: Sequence[Item], scorer: Scorer | None, times_ms: dict[str, float], *, seed: int
) -> dict[str, Any]:
    """Record entries of an evaluation.

    Args:
        items: The test items.
        scorer: Of labelled estimates; None where they have no label, and kernels and restorations alone are measured.
        times_ms: Latencies by metric name.
        seed: Seeds the bootstrap.

    Returns:
        Entries ``metrics`` and ``limit`` of the record; with a scorer also ``bounds``, ``confusion``, ``curves`` and
        ``error_propagation``.
    """
    times = {name: {"value": value, "n": 1, "unit": "ms"} for name, value in times_ms.items()}
    restored = restorations(items, seed)
    if scorer is None:
        return {"metrics": {**restored, **times}, "limit": oracle_limits(restored)}
    names, bound, table = scores(items, scorer, seed=seed)
    return {
        "metrics": {**names, **restored, **times},
        "limit": {**bound, **accuracy_limit(items, scorer), **oracle_limits(restored)},
        "bounds": table,
        "confusion": {scorer.name: confusion(items, scorer.labels)},
        "curves": curves(items, scorer),
        "error_propagation": propagation(items),
    }


def accuracy_limit(items: Sequence[Item], scorer: Scorer) -> dict[str, Any]:
    """The limit of the headline accuracy: the ceiling of the kinds, or the best observer where rivals are a few."""
    ceilings = [item.ceiling for item in items if item.ceiling is not None and math.isfinite(item.ceiling)]
    if ceilings:
        return {scorer.accuracy: {"value": mean(ceilings), "how": CEILING}}
    if len(scorer.rivals()):
        best = mean(item.best_observer for item in items if item.best_observer is not None)
        how = "observer who knows the sharp photograph, against the nearest class"
        return {scorer.accuracy: {"value": best, "how": how}}
    return {}


def oracle_limits(metrics: dict[str, Any]) -> dict[str, Any]:
    """The figures with the true kernel, as the limits of those with an estimated one."""
    pairs = {f"{name}_estimated": f"{name}_oracle" for name in ("isnr", *IMAGE_METRICS)} | {"isnr_map": "isnr_oracle"}
    return {
        name: {"value": metrics[oracle]["value"], "how": TRUE_KERNEL}
        for name, oracle in pairs.items()
        if name in metrics and oracle in metrics
    }


def restorations(items: Sequence[Item], seed: int) -> dict[str, Any]:
    """Mean of every restoration figure over the blurred items that were restored; bootstrap over photographs."""
    restored = [item for item in items if item.restorations]
    names = dict.fromkeys(
        (figure, kernel) for item in restored for kernel, figures in item.restorations.items() for figure in figures
    )
    found: dict[str, Any] = {}
    for figure, kernel in names:
        values = [(item.figure(figure, kernel), item.photo) for item in restored]
        found |= _mean(f"{figure}_{kernel}", values, seed, UNITS[figure])
    for name, (figure, better, worse) in DIFFERENCES.items():
        values = [(item.figure(figure, better) - item.figure(figure, worse), item.photo) for item in restored]
        found |= _mean(name, values, seed, UNITS[figure])
    return found


def _mean(name: str, values: list[tuple[float, str]], seed: int, unit: str) -> dict[str, Any]:
    """The entry of a metric; nothing where no value is finite."""
    known = [(value, photo) for value, photo in values if math.isfinite(value)]
    if not known:
        return {}
    return {name: interval([value for value, _ in known], [photo for _, photo in known], seed, unit)}


def confusion(items: Sequence[Item], labels: Sequence[str]) -> dict[str, Any]:
    """Counts, rows the truth."""
    matrix = [[0] * len(labels) for _ in labels]
    for item in items:
        matrix[named(item).true_class][named(item).found_class] += 1
    return {"labels": list(labels), "matrix": matrix}
