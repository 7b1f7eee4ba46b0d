"""A loop over a batch in which each image stops by itself, so its result does not depend on its neighbours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, Self, TypeVar

import torch
from torch import Tensor

from blurlab.physics import LinearOperator

CHECK_EVERY = 5
"""Iterations between two looks at the relative change."""
GROWTH = 1e3
"""An image that has grown by this factor since the start, or beyond this many units, has diverged."""


@dataclass
class BatchState:
    """Base of dataclasses whose tensors all have one row per image."""

    def rows(self, keep: Tensor) -> Self:
        """The same for the images where ``keep`` (B,) is true."""
        return replace(self, **{f.name: _rows_of(getattr(self, f.name), keep) for f in fields(self)})


def _rows_of(value: Any, keep: Tensor) -> Any:
    """Rows of a tensor, or of what has rows; all else as it is."""
    if isinstance(value, Tensor):
        return value[keep]
    return value.rows(keep) if isinstance(value, BatchState | LinearOperator) else value


class Estimate(Protocol):
    """A state that has a present estimate u (B, C, H, W) and can be cut to some images."""

    u: Tensor

    def rows(self, keep: Tensor) -> Self:
        """The same for some of the images."""


P = TypeVar("P", bound=BatchState)
S = TypeVar("S", bound=Estimate)


def iterate(
    step: Callable[[P, S], S],
    problem: P,
    state: S,
    iterations: int,
    tolerance: float,
    measure: Callable[[P, S], dict[str, Tensor]] | None = None,
    window: tuple[int, int] | None = None,
) -> tuple[Tensor, dict[str, list[float]]]:
    """Repeat ``state = step(problem, state)``; an image whose relative change is small leaves the batch.

    Args:
        step: One iteration.
        problem: What stays the same.
        state: Where to start.
        iterations: Ceiling.
        tolerance: ``|u - u_before| / |u|`` at which an image is done, looked at every ``CHECK_EVERY`` iterations.
        window: First rows and columns (H, W), whose change it is; the rest is a border that nobody will see. None: all.
        measure: What else is worth knowing at a look: name -> a number per image (B,).

    Returns:
        The last u of each image (B, C, H, W); and by name, ``relative_change`` and what ``measure`` found: one number
        per look, the mean over the images that were still iterated on.

    Raises:
        ArithmeticError: If images diverge, with their places in the batch.
    """
    if tolerance == 0 and torch.compiler.is_compiling():  # a trace takes no decisions, and these are none but checks
        for _ in range(iterations):
            state = step(problem, state)
        return state.u, {}
    result = torch.empty_like(state.u)
    alive = torch.arange(len(result), device=result.device)
    largest = GROWTH * _rms(state.u.detach()).clamp_min(1.0)
    part = (..., slice(window[0]), slice(window[1])) if window else (...,)
    history: dict[str, list[float]] = {"relative_change": []}
    for n in range(1, iterations + 1):
        if n % CHECK_EVERY and n < iterations:
            state = step(problem, state)
            continue
        before = state.u[part].detach().clone()
        state = step(problem, state)
        with torch.no_grad():
            size = _rms(state.u[part])
            _check_growth(size, largest, alive, n)
            change = _rms(before.sub_(state.u[part])) / size.clamp_min(torch.finfo(result.dtype).tiny)
            looks = {"relative_change": change} | (measure(problem, state) if measure else {})
            for name, value in looks.items():
                history.setdefault(name, []).append(float(value.mean()))
        going = change > tolerance
        done = torch.ones_like(going) if n == iterations else ~going
        result[alive[done]] = state.u[done]
        if done.all():
            break
        if done.any():
            alive, largest = alive[going], largest[going]
            problem, state = problem.rows(going), state.rows(going)
    return result, history


class Explains(Protocol):
    """What was observed, as :class:`~blurlab.deconvolver.observation.Observation`."""

    def misfit(self, u: Tensor) -> Tensor:
        """What an image does not explain of it, (B,)."""


class Seen(Protocol):
    """A problem that knows what was observed."""

    @property
    def seen(self) -> Explains:
        """The observation."""


def explained(problem: Seen, state: Estimate) -> dict[str, Tensor]:
    """The misfit of a state, for ``measure``."""
    return {"misfit": problem.seen.misfit(state.u)}


def _rms(u: Tensor) -> Tensor:
    """Root mean square (B,)."""
    return u.flatten(1).norm(dim=1) / u[0].numel() ** 0.5


def _check_growth(size: Tensor, largest: Tensor, alive: Tensor, n: int) -> None:
    """Raise where the size (B,) of an image is not finite, or beyond the largest that can be."""
    lost = ~(size < largest)  # NaN too
    if lost.any():
        places = ", ".join(map(str, alive[lost].tolist()))
        raise ArithmeticError(f"diverged by iteration {n} on images {places} of the batch; use a larger weight")
