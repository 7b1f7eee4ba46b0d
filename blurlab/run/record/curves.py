"""Figures against the strength of the blur, and the table of error propagation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from blurlab.pipeline import Scorer
from blurlab.run.record.means import mean
from blurlab.run.record.rows import Item
from blurlab.run.record.scores import share

EDGES_PX = (
    0.5, 0.6, 0.75, 0.9, 1.0, 1.1, 1.2, 1.35, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.01, 12.0, 14.0,
    16.01, 18.0, 20.01,
)  # fmt: skip
PROPAGATED = ("oracle", "estimated", "map", "one_longer", "one_shorter")
"""Kernels of the table of error propagation."""


def curves(items: Sequence[Item], scorer: Scorer) -> dict[str, Any]:
    """Accuracy, its limit and ISNR against strength, per kind."""
    found = {}
    for kind in dict.fromkeys(item.truth.kind for item in items if item.truth.kind != "none"):
        some = [item for item in items if item.truth.kind == kind]
        restored = [item for item in some if item.restorations]
        if not any(item.truth.strength_px for item in some):
            continue  # a kind without a strength
        found[f"{scorer.curve}/{kind}"] = curve(some, share, scorer.discrete)
        bounded = [item for item in some if item.ceiling is not None and math.isfinite(item.ceiling)]
        if bounded:
            found[f"limit_{scorer.curve}/{kind}"] = curve(bounded, mean_of(lambda item: item.ceiling), scorer.discrete)
        for kernel in ("estimated", "oracle"):
            isnr = mean_of(partial(Item.figure, name="isnr", kernel=kernel))
            found[f"isnr_{kernel}/{kind}"] = curve(restored, isnr, scorer.discrete)
    return found


def mean_of(figure: Callable[[Item], Any]) -> Callable[[Sequence[Item]], dict[str, Any]]:
    """The mean of a figure, as an entry."""
    return lambda part: {"value": mean(figure(item) for item in part)}


def curve(items: Sequence[Item], figure: Callable[[Sequence[Item]], dict[str, Any]], discrete: bool) -> dict[str, Any]:
    """A figure in bins of strength; a bin for each strength where they are few classes."""
    points = []
    values = sorted({item.truth.strength_px for item in items})
    bins = [(v, v + 1e-6) for v in values] if discrete else list(pairwise((0.0, *EDGES_PX, math.inf)))
    for low, high in bins:
        part = [item for item in items if low <= item.truth.strength_px < high]
        if part:
            middle = mean(item.truth.strength_px for item in part)
            points.append({"x": round(middle, 4), "n": len(part), **figure(part)})
    return {"x_name": "strength_px", "points": points}


def propagation(items: Sequence[Item]) -> list[dict[str, Any]]:
    """Mean ISNR by true strength (whole pixels) and kernel used."""
    restored = [item for item in items if item.restorations]
    groups = sorted({_group(item) for item in restored})
    table = []
    for kind, px in groups:
        some = [item for item in restored if _group(item) == (kind, px)]
        means = {
            f"isnr_{kernel}": mean(item.figure("isnr", kernel) for item in some if kernel in item.restorations)
            for kernel in PROPAGATED
        }
        table.append({"kind": kind, "strength_px": px, "n": len(some), **means})
    return table


def _group(item: Item) -> tuple[str, int]:
    return item.truth.kind, round(item.truth.strength_px)
