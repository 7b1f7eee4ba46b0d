"""Draws from one generator for a batch, or from a generator per image; levels that are fixed or drawn from a range."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from blurlab.core.rng import uniform

Generators = torch.Generator | Sequence[torch.Generator]
Level = float | Sequence[float]


def draw_like(x: Tensor, draw: Callable[[Tensor, torch.Generator], Tensor], generator: Generators) -> Tensor:
    """``draw(part, generator)`` for the whole batch, or for each image with its own generator.

    Args:
        x: Images or levels (B, ...).
        draw: Called with values on the generator's device; gives values there.
        generator: One, or B of them.

    Returns:
        The draws on the device of ``x``, in its type.
    """
    if isinstance(generator, torch.Generator):
        return draw(x.to(generator.device), generator).to(x)
    check_generators(generator, len(x))
    return torch.cat([draw(x[i : i + 1].to(one.device), one).to(x) for i, one in enumerate(generator)])


def check_generators(generator: Generators, n: int) -> None:
    """Raise unless ``generator`` is a torch.Generator or a sequence of n of them."""
    if isinstance(generator, torch.Generator):
        return
    if not isinstance(generator, Sequence) or not all(isinstance(one, torch.Generator) for one in generator):
        came = type(generator).__name__
        raise TypeError(
            f"generator must be a torch.Generator or a list of them, got {came}; make one with core.rng.generator"
        )
    if len(generator) != n:
        raise ValueError(
            f"expected a generator for each of {n} images, got {len(generator)}; pass one generator, or {n}"
        )


def check_level(
    name: str, level: Level, *, positive: bool = False, log: bool = True, most: float = math.inf
) -> tuple[float, float]:
    """A level, one number or [low, high], as a pair.

    Args:
        name: For the message.
        level: What the user gave.
        positive: Whether the level must be above 0 even where it is one number.
        log: Whether the range is drawn log-uniformly, so that its low end must be above 0.
        most: Greatest level that there can be.

    Raises:
        ValueError: If it is not one number or an ascending pair, or is out of its range.

    Example:
        >>> check_level("sigma", 0.01), check_level("sigma", [0.001, 0.1])
        ((0.01, 0.01), (0.001, 0.1))
    """
    pair = [float(end) for end in level] if isinstance(level, Sequence) else [float(level)] * 2
    if len(pair) != 2 or not all(math.isfinite(end) for end in pair) or pair[0] > pair[1]:
        raise ValueError(f"{name} must be a finite number or [low, high] with low <= high, got {level}")
    low, high = pair
    if log and low < 0:
        raise ValueError(f"{name} must be >= 0, got {level}; give a number on the [0, 1] scale")
    if high > most:
        raise ValueError(f"{name} must be at most {most:g}, got {level}; give it on the [0, 1] scale, divided by white")
    if (positive and low <= 0) or (log and low == 0 and high > 0):
        raise ValueError(f"{name} must be above 0, got {level}; it is used as a divisor or drawn log-uniformly")
    return low, high


def draw_level(x: Tensor, low: float, high: float, generator: Generators, *, log: bool = True) -> Tensor:
    """A level per image (B,), log-uniform (or uniform) in [low, high]; nothing is drawn where the ends are equal."""
    if low == high:
        check_generators(generator, len(x))
        return x.new_full((len(x),), low)
    start, stop = (math.log(low), math.log(high)) if log else (low, high)
    unit = draw_like(x.new_empty(len(x)), lambda part, one: uniform(len(part), start, stop, generator=one), generator)
    return unit.exp() if log else unit


def per_image(level: Tensor) -> Tensor:
    """Levels (B,) as (B, 1, 1, 1)."""
    return level.reshape(-1, 1, 1, 1)
