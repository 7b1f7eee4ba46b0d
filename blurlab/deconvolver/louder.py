"""How a network is shown what is small beside an image."""

from __future__ import annotations

from torch import Tensor

LOUDER = 5.0
"""Factor, and bound on either side."""


def louder(difference: Tensor) -> Tensor:
    """A difference of images so many times as large, cut to [-5, 5].

    Example:
        >>> import torch
        >>> louder(torch.tensor([-2.0, 0.01]))
        tensor([-5.0000,  0.0500])
    """
    return (LOUDER * difference).clamp(-LOUDER, LOUDER)
