"""Do probabilities hold what they say? Of answers given with 0.8, eight in ten should be right."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

BINS = 10


@dataclass(frozen=True)
class Reliability:
    """Answers in bins of equal width of their probability; float64.

    Attributes:
        count: Answers in each bin (K,), int64.
        probability: Mean probability of each bin's answers (K,); NaN where there is none.
        right: Share of them that are right (K,); NaN where there is none.
    """

    count: Tensor
    probability: Tensor
    right: Tensor


def reliability(probability: Tensor, right: Tensor, bins: int = BINS) -> Reliability:
    """The table of a reliability diagram.

    Args:
        probability: Of the answer that was given (N,), in [0, 1].
        right: Whether it is right (N,), bool.
        bins: How many of equal width; bin k is from k / K up to, but without, (k + 1) / K, the last one with 1.

    Raises:
        TypeError: If ``right`` is not bool.
        ValueError: If the shapes differ, a probability is not in [0, 1], or there is no bin.

    Example:
        >>> table = reliability(torch.tensor([0.9, 0.95, 0.2]), torch.tensor([True, False, False]), bins=2)
        >>> table.count.tolist(), table.right.tolist()
        ([1, 2], [0.0, 0.5])
    """
    _check(probability, right, bins)
    value = probability.detach().double()
    place = (value * bins).floor().long().clamp_max(bins - 1)
    count = torch.bincount(place, minlength=bins)
    sums = [torch.bincount(place, weights=weight, minlength=bins) for weight in (value, right.double())]
    return Reliability(count, *(total / count for total in sums))


def calibration_error(probability: Tensor, right: Tensor, bins: int = BINS) -> Tensor:
    """Expected calibration error, sum_k n_k / N |share right - mean probability| over the bins [Guo2017].

    Args:
        probability: Of the answer that was given (N,), in [0, 1].
        right: Whether it is right (N,), bool.
        bins: As for :func:`reliability`. Few answers a bin make the error larger than it is.

    Returns:
        A scalar in [0, 1]; NaN of no answers.

    Example:
        >>> calibration_error(torch.tensor([0.9, 0.7]), torch.tensor([True, True])).round(decimals=2)
        tensor(0.2000, dtype=torch.float64)
    """
    table = reliability(probability, right, bins)
    apart = (table.right - table.probability).abs().nan_to_num(0.0)
    return (table.count * apart).sum() / table.count.sum()


def _check(probability: Tensor, right: Tensor, bins: int) -> None:
    if not isinstance(bins, int) or bins < 1:
        raise ValueError(f"bins must be a whole number of 1 or more, got {bins}")
    if right.dtype != torch.bool:
        raise TypeError(f"right must be bool, got {right.dtype}; compare the answers with the truth first")
    if probability.ndim != 1 or probability.shape != right.shape:
        raise ValueError(f"expected (N,) and (N,), got {tuple(probability.shape)} and {tuple(right.shape)}")
    if not bool(((probability >= 0) & (probability <= 1)).all()):
        raise ValueError("probabilities must be in [0, 1]; take the softmax of logits first")
