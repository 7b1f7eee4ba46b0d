"""From the samples of a file to [0, 1] and back: which sample value is white."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blurlab.core.image_decode import Refused, Samples

ROUNDING = 1e-5  # how far floats may leave [0, 1]; they are clipped
EIGHT_BITS, SIXTEEN_BITS = 255, 65535
ONE_BIT = "as its samples are bits"
DECLARED = "as the file declares"


@dataclass(frozen=True)
class SampleScale:
    """Which sample value of a file is 1.

    Attributes:
        white: That value.
        why: Where it comes from: the type of the samples, what the file declares, or the range that they use.
    """

    white: float
    why: str

    @property
    def is_deep(self) -> bool:
        """Are these samples of more than 8 bits?"""
        return self.white != EIGHT_BITS and self.why != ONE_BIT

    def __str__(self) -> str:
        """One phrase for a user, such as ``white is 4095, from the 12 bits that its samples use``."""
        return f"white is {self.white:g}, {self.why}"


def to_unit_range(samples: Samples) -> tuple[NDArray[np.float32], SampleScale]:
    """Divide samples by their white: as float32 in [0, 1], with the scale.

    8 bits are divided by 255. Deeper integers are divided by the white that the file declares, or else by the largest
    value of the bits that they use, at least 8: 12-bit data in a 16-bit file by 4095. Floats are taken as they are, or
    divided by the white that the file declares.

    Raises:
        Refused: If the samples are signed integers, NaN, infinite or, after the division, outside [0, 1].
    """
    values = samples.values
    scale = _scale(values, samples.declared_white)
    floats = values.dtype.kind == "f"
    if floats:
        _check_floats(values, scale.white)
    white = np.float32(scale.white) if floats else values.dtype.type(scale.white)
    if samples.white_is_zero:
        values = ~values if values.dtype.kind == "b" else white - values
    unit = np.divide(values, white, dtype=np.float32, casting="same_kind")
    return (unit.clip(0, 1) if floats else unit), scale


def _check_floats(values: NDArray[Any], white: float) -> None:
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise Refused("it holds NaN or infinite values; replace them")
    if low < -ROUNDING * white or high > (1 + ROUNDING) * white:
        raise Refused(
            f"its floating-point values run from {low:.4g} to {high:.4g}, and 0 is black and {white:g} white; "
            "scale them to [0, 1]"
        )


def _scale(values: NDArray[Any], declared: float | None) -> SampleScale:
    kind = values.dtype.kind
    if kind == "b":
        return SampleScale(1.0, ONE_BIT)
    if kind == "f":
        told = declared is not None and 0 < declared < np.inf
        return SampleScale(declared or 1.0, DECLARED) if told else SampleScale(1.0, "as its samples are floats")
    if kind != "u":
        raise Refused(f"its samples are {values.dtype}; convert them to unsigned integers of 8 or 16 bits")
    if values.dtype.itemsize == 1:
        return SampleScale(float(EIGHT_BITS), "as its samples have 8 bits")
    largest = int(values.max())
    if declared is not None and declared >= largest and declared > 0:
        return SampleScale(declared, DECLARED)
    bits = max(8, largest.bit_length())
    return SampleScale(float(2**bits - 1), f"from the {bits} bits that its {8 * values.dtype.itemsize}-bit samples use")
