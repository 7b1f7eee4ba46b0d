"""Interval of a mean of a few independent measurements, such as one a seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean, stdev


def student_mean(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float, float]:
    """Mean of values with Student's t interval: mean -+ t s / sqrt(n), s the standard deviation with n - 1.

    Args:
        values: Two or more, finite.
        confidence: Between 0 and 1.

    Returns:
        Mean, low end, high end.

    Raises:
        ValueError: If there are fewer than two values, one is not finite, or the confidence is out of its range.

    Example:
        >>> [round(number, 2) for number in student_mean([0.90, 0.92, 0.94])]
        [0.92, 0.87, 0.97]
    """
    from scipy.stats import t

    if len(values) < 2 or not all(math.isfinite(value) for value in values):
        raise ValueError(f"values must be two or more finite numbers, got {list(values)}; leave out what has none")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}; write 0.95 for 95 %")
    centre = mean(values)
    half = float(t.ppf((1 + confidence) / 2, len(values) - 1)) * stdev(values) / math.sqrt(len(values))
    return centre, centre - half, centre + half
