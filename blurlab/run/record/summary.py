"""From the rows of ``per_image.csv`` to the entries of a record: means with intervals, curves, confusion, limits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from blurlab.pipeline import Direct, Identifier
from blurlab.run.record.bounds import CEILING
from blurlab.run.record.means import interval, mean, proportion, share
from blurlab.run.record.parameters import before_refinement, parameters

Row = dict[str, Any]
EDGES_PX = (
    0.5, 0.6, 0.75, 0.9, 1.0, 1.1, 1.2, 1.35, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.01, 12.0, 14.0,
    16.01, 18.0, 20.01,
)  # fmt: skip
DIFFERENCES = {
    "isnr_loss": ("isnr_oracle", "isnr_estimated"),
    "isnr_loss_map": ("isnr_oracle", "isnr_map"),
    "isnr_loss_one_longer": ("isnr_oracle", "isnr_one_longer"),
    "isnr_loss_one_shorter": ("isnr_oracle", "isnr_one_shorter"),
    "isnr_gain_by_risk": ("isnr_estimated", "isnr_map"),
}
IMAGE_METRICS = {"isnr": "dB", "ssim": "", "psnr": "dB", "psf_snr": "dB"}


def summarise(rows: list[Row], identifier: Identifier, times_ms: dict[str, float], *, seed: int) -> dict[str, Any]:
    """Record entries of an evaluation.

    Args:
        rows: One row an item, as ``per_image.csv`` keeps them.
        identifier: For the class names.
        times_ms: Latencies by metric name.
        seed: Seeds the bootstrap.

    Returns:
        Entries ``metrics``, ``limit``, ``bounds``, ``confusion`` and ``curves`` of the record.
    """
    taps = isinstance(identifier, Direct)
    classes = identifier.confusion_labels()
    named, bound, table = identifications(rows, identifier, seed=seed)
    metrics = {**named, **restorations(rows, seed)}
    metrics |= {name: {"value": value, "n": 1, "unit": "ms"} for name, value in times_ms.items()}
    limit = dict(bound)
    told = [row["ceiling"] for row in rows if math.isfinite(row.get("ceiling", math.nan))]
    if told:
        limit[next(iter(metrics))] = {"value": mean(told), "how": CEILING}
    elif len(identifier.rivals()):
        limit[next(iter(metrics))] = {
            "value": mean(row["best_observer"] for row in rows),
            "how": "observer who knows the sharp photograph, against the nearest class",
        }
    if "isnr_oracle" in metrics:
        oracle = {"value": metrics["isnr_oracle"]["value"], "how": "the same deconvolver with the true kernel"}
        limit |= {name: oracle for name in ("isnr_estimated", "isnr_map")}
    if "ssim_oracle" in metrics:
        limit["ssim_estimated"] = {
            "value": metrics["ssim_oracle"]["value"],
            "how": "the same deconvolver with the true kernel",
        }
    return {
        "metrics": metrics,
        "limit": limit,
        "bounds": table,
        "confusion": {"taps" if taps else "type": confusion(rows, classes)},
        "curves": curves(rows, taps),
        "error_propagation": propagation(rows),
    }


def identifications(
    rows: list[Row], identifier: Identifier, *, seed: int
) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    """Every figure that needs no restoration, the limits of its parameters by metric name, and the table of bounds."""
    taps = len(identifier.confusion_labels()) if isinstance(identifier, Direct) else 0
    measured, bound, table = parameters(rows, identifier.family)
    metrics = {
        **accuracies(rows, taps),
        **strengths(rows, identifier.strength_errors(), seed),
        **measured,
        **before_refinement(rows, identifier.family),
    }
    return metrics, bound, table


def accuracies(rows: list[Row], taps: int) -> dict[str, Any]:
    """The headline accuracy first, then its parts; Wilson 95 % intervals. ``taps`` is the number of classes of taps."""
    if taps:
        name = "binary_accuracy" if taps == 2 else f"strength{taps}_accuracy"
        return {name: share(rows)}
    found: dict[str, Any] = {"type_accuracy": share(rows)}
    strong = [row for row in rows if row["kind"] == "none" or row["strength_px"] >= 2]
    if any(row["strength_px"] for row in rows):
        found["type_accuracy_from_2px"] = share(strong)
    for kind in dict.fromkeys(row["kind"] for row in rows):
        found[f"accuracy_{'clean' if kind == 'none' else kind}"] = share([row for row in rows if row["kind"] == kind])
    return found


def strengths(rows: list[Row], names: dict[str, tuple[str, float]], seed: int) -> dict[str, Any]:
    """Errors of the strength (mean of the posterior) where the kind was found, in each kind's own parameter."""
    found: dict[str, Any] = {}
    shared = Counter(name for name, _ in names.values())
    inside = [
        row for row in rows
        if row["kind"] in names and row["kind"] == row["found_kind"] and math.isfinite(row["low_px"])
    ]  # fmt: skip
    for kind, (name, scale) in names.items():
        known = [row for row in inside if row["kind"] == kind]
        if known:
            errors = [scale * abs(row["mean_strength_px"] - row["strength_px"]) for row in known]
            found[name if shared[name] == 1 else f"{name}/{kind}"] = interval(errors, known, seed, "px")
    if inside:
        hits = sum(row["low_px"] <= row["strength_px"] <= row["high_px"] for row in inside)
        found["coverage90"] = proportion(hits, len(inside))
    return found


def restorations(rows: list[Row], seed: int) -> dict[str, Any]:
    """Mean of every restoration figure over the blurred items that were restored; bootstrap over photographs."""
    restored = [row for row in rows if "isnr_oracle" in row]
    names = dict.fromkeys(
        name for row in restored for name in row if name.split("_")[0] in ("isnr", "ssim", "psnr", "psf")
    )
    found = {}
    for name in names:
        some = [row for row in restored if math.isfinite(row.get(name, math.nan))]
        unit = next(unit for prefix, unit in IMAGE_METRICS.items() if name.startswith(prefix))
        if some:
            found[name] = interval([row[name] for row in some], some, seed, unit)
    for name, (better, worse) in DIFFERENCES.items():
        some = [row for row in restored if math.isfinite(row.get(better, math.nan) - row.get(worse, math.nan))]
        if some:
            found[name] = interval([row[better] - row[worse] for row in some], some, seed, "dB")
    return found


def propagation(rows: list[Row]) -> list[dict[str, Any]]:
    """Mean ISNR by true strength (whole pixels) and kernel used."""
    restored = [row for row in rows if "isnr_oracle" in row]
    groups = sorted({(row["kind"], round(row["strength_px"])) for row in restored})
    names = ("isnr_oracle", "isnr_estimated", "isnr_map", "isnr_one_longer", "isnr_one_shorter")
    table = []
    for kind, px in groups:
        some = [row for row in restored if (row["kind"], round(row["strength_px"])) == (kind, px)]
        means = {name: mean([row[name] for row in some if name in row]) for name in names}
        table.append({"kind": kind, "strength_px": px, "n": len(some), **means})
    return table


def curves(rows: list[Row], taps: bool) -> dict[str, Any]:
    """Accuracy, its limit and ISNR against strength, per kind."""
    found = {}
    name = "accuracy" if taps else "type_accuracy"
    for kind in dict.fromkeys(row["kind"] for row in rows if row["kind"] != "none"):
        some = [row for row in rows if row["kind"] == kind]
        restored = [row for row in some if "isnr_oracle" in row]
        if not any(row["strength_px"] for row in some):
            continue  # a kind without a strength
        found[f"{name}/{kind}"] = curve(some, share, taps)
        bounded = [row for row in some if math.isfinite(row.get("ceiling", math.nan))]
        if bounded:
            found[f"limit_{name}/{kind}"] = curve(bounded, mean_of("ceiling"), taps)
        found[f"isnr_estimated/{kind}"] = curve(restored, mean_of("isnr_estimated"), taps)
        found[f"isnr_oracle/{kind}"] = curve(restored, mean_of("isnr_oracle"), taps)
    return found


def mean_of(name: str) -> Callable[[list[Row]], dict[str, Any]]:
    """The figure that is the mean of one column."""
    return lambda part: {"value": mean(row[name] for row in part)}


def curve(rows: list[Row], figure: Callable[[list[Row]], dict[str, Any]], taps: bool) -> dict[str, Any]:
    """A figure in bins of strength; with taps a bin each."""
    points = []
    values = sorted({row["strength_px"] for row in rows})
    bins = [(v, v + 1e-6) for v in values] if taps else list(pairwise((0.0, *EDGES_PX, math.inf)))
    for low, high in bins:
        part = [row for row in rows if low <= row["strength_px"] < high]
        if part:
            points.append({"x": round(mean(row["strength_px"] for row in part), 4), "n": len(part), **figure(part)})
    return {"x_name": "strength_px", "points": points}


def confusion(rows: list[Row], labels: Sequence[str]) -> dict[str, Any]:
    """Counts, rows the truth."""
    matrix = [[0] * len(labels) for _ in labels]
    for row in rows:
        matrix[row["truth"]][row["answer"]] += 1
    return {"labels": list(labels), "matrix": matrix}
