"""What a number of a blur is: its name, unit and range, whether it repeats, and whether an image tells it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Range = float | Sequence[float]
"""``[low, high]``, or one number, which is then fixed."""
HALF_TURN_DEG = 180.0


@dataclass(frozen=True)
class Parameter:
    """One number of a blur and the range that it is drawn from.

    Attributes:
        name: Its name, unit last where it has one: ``radius_px``, ``angle_deg``.
        unit: ``px``, ``deg``, or any other; empty for a plain number.
        low: Least value.
        high: Largest value; equal to ``low`` where the parameter is fixed.
        period: Values that differ by it make the same blur (180 for the angle of a line); None where there is none.
        signed: May it be negative?
        estimable: Does an image tell it? The number of a random path, for instance, cannot be found in an image.

    Raises:
        ValueError: If the range is reversed, not finite, or negative for a parameter that has no sign, or the period is
            not positive.

    Example:
        >>> Parameter("radius_px", "px", 1, 5).largest, Parameter("tilt", "", -3, 2, signed=True).largest
        (5, 3)
    """

    name: str
    unit: str
    low: float
    high: float
    period: float | None = None
    signed: bool = False
    estimable: bool = True

    def __post_init__(self) -> None:
        ends = f"[{self.low:g}, {self.high:g}]"
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise ValueError(f"{self.name} must be [low, high] with finite low <= high, got {ends}")
        if self.low < 0 and not self.signed:
            raise ValueError(f"{self.name} must not be negative, got {ends}")
        if self.period is not None and not (math.isfinite(self.period) and self.period > 0):
            raise ValueError(f"the period of {self.name} must be positive, got {self.period:g}; None is no period")

    @property
    def largest(self) -> float:
        """Largest magnitude in the range."""
        return max(abs(self.low), abs(self.high))

    @property
    def middle(self) -> float:
        """Middle of the range."""
        return (self.low + self.high) / 2

    @property
    def is_length(self) -> bool:
        """Does it grow with the image when that is enlarged?"""
        return self.unit == "px"

    @property
    def is_free(self) -> bool:
        """Is there anything to estimate: more than one value, which an image tells?"""
        return self.estimable and self.low < self.high

    @property
    def is_hidden(self) -> bool:
        """Does it vary without an image telling it, so that no kernel follows from what can be estimated?"""
        return not self.estimable and self.low < self.high

    @property
    def goes_round(self) -> bool:
        """Does the range cover a whole period, so that it has no ends?"""
        return self.period is not None and self.high - self.low >= self.period

    def within(self, value: Tensor) -> Tensor:
        """Values brought into the range: by whole periods where there is one, what is still outside to the nearer end.

        Example:
            >>> line_angle("angle_deg", [-45, 45]).within(torch.tensor([150.0, 40.0, 100.0])).tolist()
            [-30.0, 40.0, -45.0]
            >>> line_angle("angle_deg", [0, 180]).within(torch.tensor([-10.0])).tolist()
            [170.0]
        """
        if self.period is None:
            return value.clamp(self.low, self.high)
        if self.goes_round:
            return self.low + (value - self.low) % self.period
        half = self.period / 2
        return (self.middle + (value - self.middle + half) % self.period - half).clamp(self.low, self.high)

    def apart(self, value: Tensor, other: Tensor) -> Tensor:
        """``other - value``; where the parameter repeats, the shorter way round.

        Example:
            >>> line_angle("angle_deg", [0, 180]).apart(torch.tensor([178.0]), torch.tensor([4.0])).tolist()
            [6.0]
        """
        off = other - value
        return off if self.period is None else (off + self.period / 2) % self.period - self.period / 2


def parameter(name: str, unit: str, value: Range, *, signed: bool = False, estimable: bool = True) -> Parameter:
    """A parameter without a period, from ``[low, high]`` or from one number, which is then fixed.

    Args:
        name: Its name, unit last where it has one.
        unit: Its unit, or nothing.
        value: Two finite numbers, low <= high, or one.
        signed: May it be negative?
        estimable: Does an image tell it?

    Raises:
        TypeError: If the value is neither a number nor two numbers.
        ValueError: If it is reversed, not finite, or negative without a sign.

    Example:
        >>> parameter("correlation", "", [-0.9, 0.9], signed=True).middle
        0.0
    """
    return Parameter(name, unit, *_ends(value, name), signed=signed, estimable=estimable)


def length(name: str, value: Range) -> Parameter:
    """A length in pixels, >= 0.

    Example:
        >>> length("length_px", [1, 10]).high, length("length_px", 4).is_free
        (10.0, False)
    """
    return parameter(name, "px", value)


def line_angle(name: str, value: Range) -> Parameter:
    """The angle of a line in degrees: half a turn more is the same line."""
    return Parameter(name, "deg", *_ends(value, name), period=HALF_TURN_DEG, signed=True)


def _ends(value: Range, name: str) -> tuple[float, float]:
    pair = [value, value] if isinstance(value, int | float) else value
    is_pair = isinstance(pair, Sequence) and not isinstance(pair, str) and len(pair) == 2
    if not is_pair or any(isinstance(end, bool) or not isinstance(end, int | float) for end in pair):
        raise TypeError(f"{name} must be a number or [low, high], got {value!r}")
    return float(pair[0]), float(pair[1])


def rows_within(parameters: Sequence[Parameter], params: Tensor) -> Tensor:
    """Each column of ``params`` (n, P) brought into its parameter's range."""
    columns = [one.within(value) for one, value in zip(parameters, params.unbind(1), strict=True)]
    return torch.stack(columns, 1) if columns else params


def rows_apart(parameters: Sequence[Parameter], params: Tensor, other: Tensor) -> Tensor:
    """``other - params`` (n, P), of each column that repeats the shorter way round."""
    columns = zip(parameters, params.unbind(1), other.unbind(1), strict=True)
    found = [one.apart(value, new) for one, value, new in columns]
    return torch.stack(found, 1) if found else other - params
