"""Calls timed in turn, ratios with their spread, and the machine they were timed on."""

from __future__ import annotations

import os
import platform
import random
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

Timed = Callable[[], float]
"""Does its work and says how many seconds that took."""


def timed(work: Callable[[], object]) -> Timed:
    """A call with a clock around it."""

    def run() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return run


def in_turn(calls: dict[str, Timed], seconds: float, least: int = 5) -> dict[str, list[float]]:
    """Seconds of each call, all once in each round and in an order drawn anew, so that other work falls on all alike.

    Args:
        calls: By name; each is called once before the clock counts.
        seconds: Rounds end after about this long.
        least: Rounds there are at least.

    Returns:
        By name, one number per round.
    """
    shuffle, times = random.Random(0), {name: list[float]() for name in calls}
    for call in calls.values():
        call()
    start = time.perf_counter()
    while time.perf_counter() - start < seconds or len(next(iter(times.values()))) < least:
        for name in shuffle.sample(list(calls), len(calls)):
            times[name].append(calls[name]())
    return times


def spread(values: list[float], digits: int = 3) -> dict[str, float]:
    """Median, quartiles and how many.

    Example:
        >>> spread([1.0, 2.0, 3.0, 4.0, 5.0])
        {'median': 3.0, 'low': 1.5, 'high': 4.5, 'rounds': 5}
    """
    low, middle, high = statistics.quantiles(values, n=4)
    return {
        "median": round(middle, digits),
        "low": round(low, digits),
        "high": round(high, digits),
        "rounds": len(values),
    }


def ratio(of: list[float], to: list[float]) -> dict[str, float]:
    """Spread of the quotient of each round.

    Example:
        >>> ratio([2.0, 4.0, 6.0], [1.0, 2.0, 2.0])["median"]
        2.0
    """
    return spread([a / b for a, b in zip(of, to, strict=True)])


def machine() -> dict[str, Any]:
    """CPU model, cores, threads, load and versions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "fft": "mkl" if torch.backends.mkl.is_available() else "pocketfft",
        **{name: version(name) for name in ("numpy", "scipy", "scikit-image")},
    }
