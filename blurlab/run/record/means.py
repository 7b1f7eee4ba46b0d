"""Means and shares with their 95 % intervals, as entries of a record."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import torch

from blurlab.core.rng import generator
from blurlab.metric import bootstrap_mean, wilson


def proportion(hits: int, n: int) -> dict[str, Any]:
    """A proportion with its Wilson 95 % interval."""
    if n == 0:
        return {"value": math.nan, "n": 0, "unit": ""}
    low, high = wilson(hits, n)
    return {"value": hits / n, "low": float(low), "high": float(high), "n": n, "unit": ""}


def interval(values: Sequence[float], photos: Sequence[str], seed: int, unit: str) -> dict[str, Any]:
    """A mean with its bootstrap 95 % interval; photographs are resampled, not their degradations.

    Args:
        values: One an item.
        photos: The photograph of each item.
        seed: Seeds the bootstrap.
        unit: Of the values.
    """
    names = sorted({*photos})
    groups = torch.tensor([names.index(photo) for photo in photos])
    draws = generator(seed, "bootstrap")
    centre, low, high = bootstrap_mean(torch.tensor(values), groups=groups, generator=draws)
    return {"value": float(centre), "low": float(low), "high": float(high), "n": len(values), "unit": unit}


def mean(values: Iterable[float]) -> float:
    """Plain mean; NaN of nothing."""
    every = list(values)
    return sum(every) / len(every) if every else math.nan
