"""Numbers that several parts need, and small tensors that depend on sizes alone, made once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar

import torch

T = TypeVar("T")
KEPT = 16
MAD_OF_NORMAL = 0.6744897501960817
"""Median absolute deviation of a normal variable of standard deviation 1."""


def made_once(make: Callable[..., T]) -> Callable[..., T]:
    """Remember the last ``KEPT`` results; for lines of numbers that many calls need, not for planes.

    Args:
        make: A pure function of hashable arguments; whoever gets its tensors must not write into them. They are made
            outside inference mode, so that autograd may use them later.

    Example:
        >>> ramp = made_once(torch.arange)
        >>> ramp(3) is ramp(3)
        True
    """

    @lru_cache(maxsize=KEPT)
    def kept(*arguments: Any) -> T:
        with torch.inference_mode(False), torch.no_grad():
            return make(*arguments)

    @wraps(make)
    def made(*arguments: Any) -> T:
        return make(*arguments) if torch.compiler.is_compiling() else kept(*arguments)  # no tensors of a trace

    return made
