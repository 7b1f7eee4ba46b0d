"""The general regression network: a kernel-weighted mean of training targets; its one number by leaving one out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from blurlab.blur import Parameter

AT_ONCE = 2**24
"""Squared distances in memory at once: 64 MB."""
LEFT_OUT = 1024


def grnn(x: Tensor, patterns: Tensor, targets: Tensor, spread: float) -> Tensor:
    r"""``y(x) = sum_i y_i exp(-D_i^2 / 2 s^2) / sum_i exp(-D_i^2 / 2 s^2)``, ``D_i = |x - x_i|``.

    The smallest distance so far is taken from all before the exponential, so that a far query has the nearest patterns'
    mean and not 0 / 0. Patterns are taken a block at a time, so millions of them need no more memory.

    Args:
        x: Queries (B, d).
        patterns: Training inputs (n, d).
        targets: Training targets (n, q).
        spread: s, in the units of the inputs.

    Returns:
        (B, q).

    Example:
        >>> line = torch.arange(5.0)[:, None]
        >>> grnn(torch.tensor([[2.0], [100.0]]), line, line**2, 0.1).tolist()
        [[4.0], [16.0]]

    [Specht1991]
    """
    _check(patterns, targets, spread)
    if x.ndim != 2 or x.shape[1] != patterns.shape[1]:
        raise ValueError(f"queries must be (B, {patterns.shape[1]}), got {tuple(x.shape)}")
    block = max(1, AT_ONCE // max(len(x), x.shape[1]))
    nearest = torch.full((len(x), 1), torch.inf, device=x.device, dtype=x.dtype)
    total = torch.zeros(len(x), targets.shape[1], device=x.device, dtype=x.dtype)
    weight = torch.zeros(len(x), 1, device=x.device, dtype=x.dtype)
    for part, value in zip(patterns.split(block), targets.split(block), strict=True):
        square = _relative(x, part)
        before, nearest = nearest, torch.minimum(nearest, square.amin(1, keepdim=True))
        fade = ((nearest - before) / (2 * spread**2)).exp()  # of what was summed from a nearest farther away
        share = square.sub_(nearest).div_(-2 * spread**2).exp_()
        total = total * fade + share @ value
        weight = weight * fade + share.sum(1, keepdim=True)
    return total / weight


def leave_one_out(
    patterns: Tensor, targets: Tensor, spreads: Sequence[float], count: int | None = None
) -> list[Tensor]:
    """Mean squared error of each target (q,) from all the other patterns, for each spread.

    Args:
        patterns: (n, d), n at least 2.
        targets: (n, q).
        spreads: Those to try.
        count: How many are left out in turn, the first ones; all if None.
    """
    for spread in spreads:
        _check(patterns, targets, spread)
    if len(patterns) < 2:
        raise ValueError("leaving one out needs two patterns or more, got one")
    last = min(count or len(patterns), len(patterns))
    errors = [torch.zeros(targets.shape[1], dtype=torch.float64) for _ in spreads]
    for start in range(0, last, rows := max(1, AT_ONCE // len(patterns))):
        here = slice(start, min(start + rows, last))
        square = _others(patterns, here)
        square -= square.amin(1, keepdim=True)
        for error, spread in zip(errors, spreads, strict=True):
            share = (square / (-2 * spread**2)).exp()
            estimate = share @ targets / share.sum(1, keepdim=True)
            error += (estimate - targets[here]).double().square().sum(0).cpu()
    return [error / last for error in errors]


def best_spread(patterns: Tensor, targets: Tensor, points: int = 25) -> tuple[float, Tensor]:
    """The spread of least leave-one-out error, on a logarithmic grid about the distance of nearest neighbours.

    Of more than ``LEFT_OUT`` patterns that many are left out in turn, the rest only answer.

    Args:
        patterns: (n, d), n at least 2.
        targets: (n, q).
        points: Spreads that are tried, from a tenth to ten times that distance.

    Returns:
        The spread, and the mean squared error of each target there (q,).
    """
    some = range(0, min(len(patterns), LEFT_OUT), rows := max(1, AT_ONCE // len(patterns)))
    nearest = [
        _others(patterns, slice(at, min(at + rows, len(patterns), LEFT_OUT)), squared=True).amin(1) for at in some
    ]
    middle = float(torch.cat(nearest).clamp_min(0).sqrt().median()) or 1.0
    spreads = [middle * 10 ** (2 * place / (points - 1) - 1) for place in range(points)]
    errors = leave_one_out(patterns, targets, spreads, LEFT_OUT)
    best = min(range(points), key=lambda place: float(errors[place].sum()))
    return spreads[best], errors[best]


class GRNN(nn.Module):
    """A general regression network that remembers its patterns; angles among its targets are averaged as angles.

    Args:
        patterns: Training inputs (n, d).
        params: Training targets (n, P).
        measured: What each target is; one with a period is kept as a point (cos, sin) of the circle that is a period.
        spread: s; that of least leave-one-out error if None.
        residual: Root mean square error of each parameter (P,) when left out, where the spread is given.

    Raises:
        ValueError: If shapes or the spread do not fit.

    [Specht1991], [YanShao2016]
    """

    patterns: Tensor
    targets: Tensor
    spread: Tensor
    residual: Tensor

    def __init__(
        self,
        patterns: Tensor,
        params: Tensor,
        measured: Sequence[Parameter],
        spread: float | None = None,
        residual: Tensor | None = None,
    ) -> None:
        super().__init__()
        if params.ndim != 2 or params.shape[1] != len(measured):
            wanted = f"(n, {len(measured)}) for {', '.join(one.name for one in measured)}"
            raise ValueError(f"params must be {wanted}, got {tuple(params.shape)}")
        self.measured = tuple(measured)
        self.register_buffer("patterns", patterns)
        self.register_buffer("targets", encode(params, measured))
        scale = self.targets.std(0).clamp_min(1e-9)  # of unit variance, so that none rules the choice of the spread
        if spread is None:
            spread, error = best_spread(patterns, self.targets / scale)
            residual = residuals(error.sqrt() * scale.double().cpu(), measured)
        self.register_buffer("spread", torch.tensor(float(spread), dtype=torch.float64))
        self.register_buffer("residual", torch.ones(len(measured)) if residual is None else residual.float())

    @staticmethod
    def from_state(state: Mapping[str, Tensor], measured: Sequence[Parameter]) -> GRNN:
        """The network whose ``state_dict`` this is; ``measured`` as it was made with."""
        params = decode(state["targets"], measured)
        return GRNN(state["patterns"], params, measured, float(state["spread"]), state["residual"])

    def forward(self, x: Tensor) -> Tensor:
        """Estimated parameters (B, P) of queries (B, d)."""
        return decode(grnn(x, self.patterns, self.targets, float(self.spread)), self.measured)


def encode(params: Tensor, parameters: Sequence[Parameter]) -> Tensor:
    """Parameters (n, P) as targets that can be averaged: (cos, sin) of one with a period."""
    columns = []
    for one, value in zip(parameters, params.unbind(1), strict=True):
        if one.period is None:
            columns.append(value)
        else:
            turn = value * (2 * math.pi / one.period)
            columns += [turn.cos(), turn.sin()]
    return torch.stack(columns, 1)


def residuals(error: Tensor, parameters: Sequence[Parameter]) -> Tensor:
    """Errors of parameters (P,) from root mean square errors of targets (q,), those of (cos, sin) as their length."""
    found, place = [], 0
    for one in parameters:
        if one.period is not None:
            found.append(error[place : place + 2].norm() * (one.period / (2 * math.pi)))
            place += 2
        else:
            found.append(error[place])
            place += 1
    return torch.stack(found)


def decode(targets: Tensor, parameters: Sequence[Parameter]) -> Tensor:
    """The way back from :func:`encode`; what has a period lies in [0, period)."""
    columns, place = [], 0
    for one in parameters:
        if one.period is not None:
            turn = torch.atan2(targets[:, place + 1], targets[:, place]) * (one.period / (2 * math.pi))
            columns.append(turn % one.period)
            place += 2
        else:
            columns.append(targets[:, place])
            place += 1
    return torch.stack(columns, 1)


def _relative(x: Tensor, patterns: Tensor) -> Tensor:
    """Squared distances less ``|x|^2`` (B, n): all that their differences in a row need."""
    return torch.addmm(patterns.square().sum(1), x, patterns.T, alpha=-2)


def _others(patterns: Tensor, rows: slice, squared: bool = False) -> Tensor:
    """Distances as :func:`_relative` of some patterns from all, or squared; from itself infinite."""
    some = patterns[rows]
    away = _relative(some, patterns)
    if squared:
        away += some.square().sum(1, keepdim=True)
    away[torch.arange(len(some)), torch.arange(rows.start, rows.start + len(some))] = torch.inf
    return away


def _check(patterns: Tensor, targets: Tensor, spread: float) -> None:
    if patterns.ndim != 2 or targets.ndim != 2 or len(patterns) != len(targets) or len(patterns) == 0:
        shapes = f"{tuple(patterns.shape)} and {tuple(targets.shape)}"
        raise ValueError(f"patterns must be (n, d) and targets (n, q), n >= 1, got {shapes}")
    if not (spread > 0 and math.isfinite(spread)):
        raise ValueError(f"spread must be positive and finite, got {spread:g}")
