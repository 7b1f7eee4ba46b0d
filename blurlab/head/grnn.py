"""The general regression network: a kernel-weighted mean of training targets; its one number by leaving one out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

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
    block = max(1, AT_ONCE // max(1, len(x)))
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


def leave_one_out(patterns: Tensor, targets: Tensor, spread: float, count: int | None = None) -> float:
    """Mean squared error of targets from all the other patterns.

    Args:
        patterns: (n, d), n at least 2.
        targets: (n, q).
        spread: s.
        count: How many are left out in turn, the first ones; all if None.
    """
    _check(patterns, targets, spread)
    if len(patterns) < 2:
        raise ValueError("leaving one out needs two patterns or more, got one")
    error, last = 0.0, min(count or len(patterns), len(patterns))
    for start in range(0, last, rows := max(1, AT_ONCE // len(patterns))):
        here = slice(start, min(start + rows, last))
        square = _relative(patterns[here], patterns)
        square[torch.arange(len(square)), torch.arange(start, start + len(square))] = torch.inf
        share = ((square.amin(1, keepdim=True) - square) / (2 * spread**2)).exp()
        estimate = share @ targets / share.sum(1, keepdim=True)
        error += float((estimate - targets[here]).square().sum())
    return error / (last * targets.shape[1])


def best_spread(patterns: Tensor, targets: Tensor, points: int = 25) -> float:
    """The spread of least leave-one-out error, on a logarithmic grid about the distance of nearest neighbours.

    Of more than ``LEFT_OUT`` patterns that many are left out in turn, the rest only answer.

    Args:
        patterns: (n, d), n at least 2.
        targets: (n, q).
        points: Spreads that are tried, from a tenth to ten times that distance.
    """
    some = patterns[: max(2, min(len(patterns), 512))]
    square = _square(some, patterns)
    square[torch.arange(len(some)), torch.arange(len(some))] = torch.inf
    middle = float(square.amin(1).clamp_min(0).sqrt().median()) or 1.0
    spreads = [middle * 10 ** (2 * place / (points - 1) - 1) for place in range(points)]
    return min(spreads, key=lambda spread: leave_one_out(patterns, targets, spread, LEFT_OUT))


class GRNN(nn.Module):
    """A general regression network that remembers its patterns; angles among its targets are averaged as angles.

    Args:
        patterns: Training inputs (n, d).
        params: Training targets (n, P).
        names: Name of each target with its unit; one that ends in ``_deg`` has a period of 180 degrees and is kept as
            (cos 2w, sin 2w).
        spread: s; that of least leave-one-out error if None.

    Raises:
        ValueError: If shapes or the spread do not fit.

    [Specht1991], [YanShao2016]
    """

    patterns: Tensor
    targets: Tensor
    spread: Tensor

    def __init__(self, patterns: Tensor, params: Tensor, names: Sequence[str], spread: float | None = None) -> None:
        super().__init__()
        if params.ndim != 2 or params.shape[1] != len(names):
            raise ValueError(f"params must be (n, {len(names)}) for {', '.join(names)}, got {tuple(params.shape)}")
        self.names = tuple(names)
        self.register_buffer("patterns", patterns)
        self.register_buffer("targets", encode(params, names))
        best = best_spread(patterns, self.scaled_targets()) if spread is None else spread
        self.register_buffer("spread", torch.tensor(float(best), dtype=torch.float64))

    @staticmethod
    def from_state(state: Mapping[str, Tensor], names: Sequence[str]) -> GRNN:
        """The network whose ``state_dict`` this is; ``names`` as it was made with."""
        return GRNN(state["patterns"], decode(state["targets"], names), names, float(state["spread"]))

    def scaled_targets(self) -> Tensor:
        """Targets of unit variance, so that none rules the choice of the spread."""
        return self.targets / self.targets.std(0).clamp_min(1e-9)

    def forward(self, x: Tensor) -> Tensor:
        """Estimated parameters (B, P) of queries (B, d)."""
        return decode(grnn(x, self.patterns, self.targets, float(self.spread)), self.names)


def encode(params: Tensor, names: Sequence[str]) -> Tensor:
    """Parameters (n, P) as targets that can be averaged: an angle w becomes (cos 2w, sin 2w)."""
    columns = []
    for name, value in zip(names, params.unbind(1), strict=True):
        double = value * (2 * math.pi / 180)
        columns += [double.cos(), double.sin()] if name.endswith("_deg") else [value]
    return torch.stack(columns, 1)


def decode(targets: Tensor, names: Sequence[str]) -> Tensor:
    """The way back from :func:`encode`; angles in [0, 180)."""
    columns, place = [], 0
    for name in names:
        if name.endswith("_deg"):
            turn = torch.atan2(targets[:, place + 1], targets[:, place]) * (90 / math.pi)
            columns.append(turn % 180)
            place += 2
        else:
            columns.append(targets[:, place])
            place += 1
    return torch.stack(columns, 1)


def _relative(x: Tensor, patterns: Tensor) -> Tensor:
    """Squared distances less ``|x|^2`` (B, n): all that their differences in a row need."""
    return torch.addmm(patterns.square().sum(1), x, patterns.T, alpha=-2)


def _square(x: Tensor, patterns: Tensor) -> Tensor:
    """Squared distances (B, n)."""
    return (_relative(x, patterns) + x.square().sum(1, keepdim=True)).clamp_min_(0)


def _check(patterns: Tensor, targets: Tensor, spread: float) -> None:
    if patterns.ndim != 2 or targets.ndim != 2 or len(patterns) != len(targets) or len(patterns) == 0:
        shapes = f"{tuple(patterns.shape)} and {tuple(targets.shape)}"
        raise ValueError(f"patterns must be (n, d) and targets (n, q), n >= 1, got {shapes}")
    if not (spread > 0 and math.isfinite(spread)):
        raise ValueError(f"spread must be positive and finite, got {spread:g}")
