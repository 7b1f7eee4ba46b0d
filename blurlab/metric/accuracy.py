"""Share of right answers, with an interval that holds for small samples and for shares near 0 and 1."""

from __future__ import annotations

import math
from statistics import NormalDist

from torch import Tensor


def accuracy(predicted: Tensor, true: Tensor) -> Tensor:
    """1.0 where the predicted class is the true one, else 0.0.

    Args:
        predicted: Class indices (B,); take the argmax of logits first.
        true: Class indices (B,).

    Returns:
        (B,), float32.

    Raises:
        TypeError: If either holds floating-point numbers.
        ValueError: If the shapes differ or are not (B,).

    Example:
        >>> import torch
        >>> accuracy(torch.tensor([0, 2]), torch.tensor([0, 1]))
        tensor([1., 0.])
    """
    check_classes(predicted, true)
    return (predicted == true).float()


def wilson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval for a proportion.

    (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n), z the normal quantile at (1 + confidence) / 2.

    Args:
        successes: Right answers, 0 to n.
        n: Answers, at least 1.
        confidence: Between 0 and 1.

    Returns:
        Low and high ends, within [0, 1]. Source: [Wilson1927].

    Raises:
        ValueError: If a number is out of its range.

    Example:
        >>> [round(end, 4) for end in wilson(81, 263)]
        [0.2553, 0.3662]
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"wilson needs n >= 1 and 0 <= successes <= n, got successes={successes}, n={n}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}; write 0.95 for 95 %")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    p = successes / n
    centre = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = ((centre + sign * half) / (1 + z * z / n) for sign in (-1, 1))
    return (0.0 if successes == 0 else low), (1.0 if successes == n else high)


def check_classes(predicted: Tensor, true: Tensor) -> None:
    """Raise unless both are (B,) tensors of whole numbers."""
    if predicted.is_floating_point() or true.is_floating_point():
        raise TypeError(
            f"classes must be whole numbers, got {predicted.dtype} and {true.dtype}; take the argmax of logits"
        )
    if predicted.ndim != 1 or predicted.shape != true.shape:
        raise ValueError(f"classes must be (B,) and (B,), got {tuple(predicted.shape)} and {tuple(true.shape)}")
