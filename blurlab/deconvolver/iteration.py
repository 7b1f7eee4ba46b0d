"""A loop over a batch in which each image stops by itself, so its result does not depend on its neighbours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Protocol, Self, TypeVar

import torch
from torch import Tensor

CHECK_EVERY = 5
"""Iterations between two looks at the relative change."""


@dataclass
class Rows:
    """Base of dataclasses whose tensors all have one row per image."""

    def rows(self, keep: Tensor) -> Self:
        """The same for the images where ``keep`` (B,) is true."""
        tensors = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{name: value[keep] for name, value in tensors.items() if isinstance(value, Tensor)})


class Estimate(Protocol):
    """A state that has a present estimate u (B, C, H, W) and can be cut to some images."""

    u: Tensor

    def rows(self, keep: Tensor) -> Self:
        """The same for some of the images."""


P = TypeVar("P", bound=Rows)
S = TypeVar("S", bound=Estimate)


def iterate(
    step: Callable[[P, S], S], problem: P, state: S, iterations: int, tolerance: float
) -> tuple[Tensor, list[float]]:
    """Repeat ``state = step(problem, state)``; an image whose relative change is small leaves the batch.

    Args:
        step: One iteration; it must make a new u.
        problem: What stays the same.
        state: Where to start.
        iterations: Ceiling.
        tolerance: ``|u - u_before| / |u|`` at which an image is done, looked at every ``CHECK_EVERY`` iterations.

    Returns:
        The last u of each image (B, C, H, W), and the mean relative change at each look.
    """
    result = torch.empty_like(state.u)
    alive = torch.arange(len(result), device=result.device)
    history: list[float] = []
    for n in range(1, iterations + 1):
        before = state.u
        state = step(problem, state)
        if n % CHECK_EVERY and n < iterations:
            continue
        size = state.u.flatten(1).norm(dim=1).clamp_min(torch.finfo(result.dtype).tiny)
        change = (state.u - before).flatten(1).norm(dim=1) / size
        history.append(float(change.mean()))
        going = change > tolerance
        done = torch.ones_like(going) if n == iterations else ~going
        result[alive[done]] = state.u[done]
        if done.all():
            break
        if done.any():
            alive, problem, state = alive[going], problem.rows(going), state.rows(going)
    return result, history
