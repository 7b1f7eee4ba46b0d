"""Rows as lines of ``per_image.csv``: the columns that records, reports and scripts know by name."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from blurlab.core.atomic import write_text
from blurlab.run.record.rows import Item

Line = dict[str, Any]


def line(item: Item) -> Line:
    """The columns of an item in ``per_image.csv``."""
    truth, named = item.truth, item.named
    columns: Line = {
        "photo": item.photo, "draw": item.draw, "kind": truth.kind, "strength_px": truth.strength_px,
        "sigma": truth.sigma,
    }  # fmt: skip
    if named is not None:
        columns |= {
            "found_kind": named.kind, "found_probability": named.probability, "found_strength_px": named.strength_px,
            "map_strength_px": named.strength_map_px, "mean_strength_px": named.strength_mean_px,
            "low_px": named.interval_px[0], "high_px": named.interval_px[1], "truth": named.true_class,
            "answer": named.found_class, "right": int(named.right),
        }  # fmt: skip
    columns |= truth.params
    if named is not None:
        columns |= {f"found_{name}": value for name, value in named.params.items()}
        columns |= {f"half_{name}": value for name, value in named.halfwidth.items()}
        if named.before is not None:
            columns["network_kind"] = named.before.kind
            columns |= {f"network_{name}": value for name, value in named.before.params.items()}
    if item.best_observer is not None:
        columns["best_observer"] = item.best_observer
    for kernel, figures in item.restorations.items():
        columns |= {f"{name}_{kernel}": value for name, value in figures.items()}
    for known, limits in item.bounds.items():
        columns |= {f"{known}_{name}": value for name, value in limits.items()}
    if item.ceiling is not None:
        columns["ceiling"] = item.ceiling
    return columns


def write_lines(path: Path, lines: Sequence[Line]) -> None:
    """Write lines as CSV, whole or not at all; a figure that a line lacks, or that is no number, is left empty."""
    columns = list(dict.fromkeys(name for one in lines for name in one))
    table = io.StringIO()
    writer = csv.DictWriter(table, columns, restval="")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in one.items()} for one in lines)
    write_text(path, table.getvalue())


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "" if math.isnan(value) else round(value, 5)
    return value
