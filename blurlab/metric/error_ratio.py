"""How much worse a restoration is for having had to find the kernel."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.metric.inputs import aligned, energy


def error_ratio(x_hat: Tensor, x_known: Tensor, x: Tensor, *, border: int = 0) -> Tensor:
    """``||x_hat - x||^2 / ||x_known - x||^2`` per image, sums of squares [Levin2009].

    The first image was restored with an estimated kernel, the second by the same method with the true one.

    Args:
        x_hat: Restored with the estimated kernel (B, C, H, W); shifted to where it fits best, where kernels are only
            known up to a shift.
        x_known: Restored with the true kernel (B, C, H, W), likewise.
        x: Sharp images (B, C, H, W).
        border: Pixels cut from each side of all three.

    Returns:
        (B,); 1 where the kernel found is as good as the true one.

    Raises:
        ValueError: If shapes differ, a value is not finite, or the border leaves nothing.

    Example:
        >>> x = torch.zeros(1, 1, 4, 4)
        >>> error_ratio(x + 0.2, x + 0.1, x)
        tensor([4.])
    """
    x_hat, x_known, x = aligned(border, x_hat=x_hat, x_known=x_known, x=x)
    return energy(x_hat - x) / energy(x_known - x)


def norm_ratio(x_hat: Tensor, x_known: Tensor, x: Tensor, *, border: int = 0) -> Tensor:
    """The ratio of the largest singular values of the two errors, as SelfDeblur's code computes it.

    That code divides MATLAB's ``norm`` of matrices. It is not the root of :func:`error_ratio`, and tables that
    give the one must not be read beside those that give the other.

    Args:
        x_hat: As in :func:`error_ratio`, one channel.
        x_known: Likewise.
        x: Likewise.
        border: Pixels cut from each side of all three.

    Returns:
        (B,).

    Raises:
        ValueError: As :func:`error_ratio`, or if there is more than one channel.

    Example:
        >>> x = torch.zeros(1, 1, 4, 4)
        >>> norm_ratio(x + 0.2, x + 0.1, x)
        tensor([2.])
    """
    x_hat, x_known, x = aligned(border, x_hat=x_hat, x_known=x_known, x=x)
    if x.shape[1] != 1:
        raise ValueError(f"norm_ratio takes grey images, got {x.shape[1]} channels; average them")
    found, known = (torch.linalg.matrix_norm(one - x, 2)[:, 0] for one in (x_hat, x_known))
    return found / known
