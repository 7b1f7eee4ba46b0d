"""Functions of single values, piece by piece: what is in between of a large image is never whole in memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

PIECE = 2**17
"""Values that are computed together: several copies of them stay in the cache of a core."""


def in_pieces(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """``function(x)`` of a function that gives for each value another one, of the same type.

    Args:
        function: Elementwise.
        x: Any shape; pieces are made of large ones on a CPU, where autograd does not record.

    Example:
        >>> in_pieces(torch.sqrt, torch.tensor([4.0, 9.0]))
        tensor([2., 3.])
    """
    if x.numel() <= PIECE or x.device.type != "cpu" or (torch.is_grad_enabled() and x.requires_grad):
        return function(x)
    x = x.contiguous()
    out = torch.empty_like(x)
    for of, to in zip(x.view(-1).split(PIECE), out.view(-1).split(PIECE), strict=True):
        to.copy_(function(of))
    return out
