"""Which class was taken for which."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.metric.accuracy import check_classes


def confusion_matrix(predicted: Tensor, true: Tensor, num_classes: int) -> Tensor:
    """Counts of (true class, predicted class): a row a true class.

    Args:
        predicted: Class indices (B,).
        true: Class indices (B,).
        num_classes: Number of classes K.

    Returns:
        (K, K), int64.

    Raises:
        TypeError: If either holds floating-point numbers.
        ValueError: If the shapes differ or an index lies outside 0..K-1.

    Example:
        >>> confusion_matrix(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]), 2).tolist()
        [[1, 1], [0, 1]]
    """
    check_classes(predicted, true)
    seen = torch.cat([predicted, true])
    if bool(((seen < 0) | (seen >= num_classes)).any()):
        raise ValueError(
            f"classes must be 0..{num_classes - 1}, got {int(seen.min())}..{int(seen.max())}; mind num_classes"
        )
    index = true.long() * num_classes + predicted.long()
    return torch.bincount(index, minlength=num_classes**2).reshape(num_classes, num_classes)
