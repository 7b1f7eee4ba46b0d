"""Rounding to the levels of an image file."""

from __future__ import annotations

import math

from torch import Tensor

from blurlab.core.checks import check_images
from blurlab.noise.base import NoiseModel
from blurlab.noise.draw import Generators, check_generators


def quantise(x: Tensor, bits: int = 8, *, clip: bool = True) -> Tensor:
    """Nearest multiple of 1 / (2^bits - 1), within [0, 1] if ``clip``. Its gradient is 0.

    Args:
        x: Values of any shape.
        bits: 1 to 16.
        clip: Whether values outside [0, 1] saturate, as they do in a file.

    Returns:
        The rounded values, in the shape of ``x``.

    Raises:
        ValueError: If bits is not a whole number from 1 to 16.

    Example:
        >>> import torch
        >>> quantise(torch.tensor([-0.2, 0.3, 0.9]), bits=2)
        tensor([0.0000, 0.3333, 1.0000])
    """
    check_bits(bits)
    top = 2**bits - 1
    levels = (x * top).round_()
    return (levels.clamp_(0, top) if clip else levels).div_(top)


def quantise_sigma(bits: int = 8) -> float:
    """Standard deviation step / sqrt(12) of rounding to ``bits``: uniform error in a step of 1 / (2^bits - 1).

    Example:
        >>> round(quantise_sigma(8), 6)
        0.001132
    """
    check_bits(bits)
    return 1 / ((2**bits - 1) * math.sqrt(12))


def check_bits(bits: int) -> None:
    """Raise unless ``bits`` is a whole number from 1 to 16."""
    if not isinstance(bits, int) or not 1 <= bits <= 16:
        raise ValueError(f"bits must be a whole number from 1 to 16, got {bits}; 8 is that of PNG and JPEG files")


class Quantise(NoiseModel):
    """Rounding to ``bits``; sigma = step / sqrt(12), which supposes that the image varies by more than a step.

    Args:
        bits: 1 to 16.
        clip: Whether values outside [0, 1] saturate.

    Raises:
        ValueError: If bits is out of its range.

    Example:
        >>> import torch
        >>> Quantise(bits=1)(torch.full((1, 1, 1, 1), 0.7), generator=torch.Generator())
        (tensor([[[[1.]]]]), tensor([0.2887]))
    """

    def __init__(self, bits: int = 8, clip: bool = True) -> None:
        check_bits(bits)
        self.bits = bits
        self.clip = clip

    def __call__(self, x: Tensor, *, generator: Generators) -> tuple[Tensor, Tensor]:
        """Rounded images and step / sqrt(12); nothing is drawn. See :class:`NoiseModel`."""
        check_images(x, "x")
        check_generators(generator, len(x))
        return quantise(x, self.bits, clip=self.clip), x.new_full((len(x),), quantise_sigma(self.bits))
