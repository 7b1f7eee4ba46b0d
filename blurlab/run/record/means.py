"""Means and proportions of rows, with their 95 % intervals."""

from __future__ import annotations

import math
from typing import Any

import torch

from blurlab.core.rng import generator
from blurlab.metric import bootstrap_mean, wilson

Row = dict[str, Any]


def share(rows: list[Row]) -> dict[str, Any]:
    """Share of rows answered right."""
    return proportion(sum(row["right"] for row in rows), len(rows))


def proportion(hits: int, n: int) -> dict[str, Any]:
    """A proportion with its Wilson 95 % interval."""
    if n == 0:
        return {"value": math.nan, "n": 0, "unit": ""}
    low, high = wilson(hits, n)
    return {"value": hits / n, "low": float(low), "high": float(high), "n": n, "unit": ""}


def interval(values: list[float], rows: list[Row], seed: int, unit: str) -> dict[str, Any]:
    """A mean with its bootstrap 95 % interval; photographs are resampled, not their degradations."""
    photos = sorted({row["photo"] for row in rows})
    groups = torch.tensor([photos.index(row["photo"]) for row in rows])
    centre, low, high = bootstrap_mean(torch.tensor(values), groups=groups, generator=generator(seed, "bootstrap"))
    return {"value": float(centre), "low": float(low), "high": float(high), "n": len(values), "unit": unit}


def mean(values: Any) -> float:
    """Plain mean; NaN of nothing."""
    values = list(values)
    return sum(values) / len(values) if values else math.nan
