"""How a camera turns light into the values of a file, and back: the curves of sRGB and of a plain power."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from blurlab.core.pieces import in_pieces
from blurlab.noise.rendering import Rendering

KNEE_FILE, KNEE_LIGHT, SLOPE, OFFSET, EXPONENT = 0.04045, 0.0031308, 12.92, 0.055, 2.4
"""Constants of the sRGB curve, IEC 61966-2-1: a line near black, a shifted power above."""


def srgb_to_light(values: Tensor) -> Tensor:
    """Light from sRGB values: ``v / 12.92`` up to 0.04045, else ``((v + 0.055) / 1.055)^2.4``.

    Args:
        values: Values in [0, 1], any shape; what lies outside is clipped.

    Returns:
        Light in [0, 1], in the type of ``values``; computed in float64, so that rounding does not depend on the batch.

    Example:
        >>> srgb_to_light(torch.tensor([0.0, 0.5, 1.0]))
        tensor([0.0000, 0.2140, 1.0000])
    """
    return in_pieces(_to_light, values)


def _to_light(values: Tensor) -> Tensor:
    v = values.double().clamp(0, 1)
    return torch.where(v <= KNEE_FILE, v / SLOPE, ((v + OFFSET) / (1 + OFFSET)) ** EXPONENT).to(values)


def light_to_srgb(light: Tensor) -> Tensor:
    """Inverse of :func:`srgb_to_light`; light outside [0, 1] is clipped, as in a file.

    Example:
        >>> light_to_srgb(torch.tensor([0.0, 0.214, 2.0]))
        tensor([0.0000, 0.5000, 1.0000])
    """
    return in_pieces(_to_srgb, light)


def _to_srgb(light: Tensor) -> Tensor:
    u = light.double().clamp(0, 1)
    return torch.where(u <= KNEE_LIGHT, u * SLOPE, (1 + OFFSET) * u ** (1 / EXPONENT) - OFFSET).to(light)


class Response(ABC):
    """A curve between the light that falls on a sensor and the values of a file, both in [0, 1]."""

    @abstractmethod
    def decode(self, values: Tensor) -> Tensor:
        """Light of the values of a file."""

    @abstractmethod
    def encode(self, light: Tensor) -> Tensor:
        """Values of the file; light outside [0, 1] is clipped."""

    @abstractmethod
    def slope(self, values: Tensor) -> Tensor:
        """``d light / d value`` at values of the file in [0, 1]."""


class Srgb(Response):
    """The curve of sRGB files.

    Example:
        >>> Srgb().encode(Srgb().decode(torch.tensor([0.25])))
        tensor([0.2500])
    """

    def decode(self, values: Tensor) -> Tensor:
        return srgb_to_light(values)

    def encode(self, light: Tensor) -> Tensor:
        return light_to_srgb(light)

    def slope(self, values: Tensor) -> Tensor:
        """``1 / 12.92`` in the line near black, above it the derivative of the shifted power.

        Example:
            >>> Srgb().slope(torch.tensor([0.02, 0.5, 1.0]))
            tensor([0.0774, 0.9256, 2.2749])
        """
        power = ((values + OFFSET) / (1 + OFFSET)).pow_(EXPONENT - 1).mul_(EXPONENT / (1 + OFFSET))
        return power.masked_fill_(values <= KNEE_FILE, 1 / SLOPE)


class Power(Response):
    """``light = value^gamma``.

    Args:
        gamma: Above 0; 1 is a camera whose files hold light itself.

    Raises:
        ValueError: If gamma is not above 0, or above 10.

    Example:
        >>> Power(2.0).encode(torch.tensor([0.25]))
        tensor([0.5000])
    """

    def __init__(self, gamma: float = 2.2) -> None:
        if not 0 < gamma <= 10:
            raise ValueError(f"gamma must be above 0 and at most 10, got {gamma}; files commonly have 2.2")
        self.gamma = float(gamma)

    def decode(self, values: Tensor) -> Tensor:
        return in_pieces(lambda v: (v.double().clamp(0, 1) ** self.gamma).to(v), values)

    def encode(self, light: Tensor) -> Tensor:
        return in_pieces(lambda u: (u.double().clamp(0, 1) ** (1 / self.gamma)).to(u), light)

    def slope(self, values: Tensor) -> Tensor:
        return self.gamma * values ** (self.gamma - 1)


class Encode(Rendering):
    """Light becomes the values of a file; nothing is drawn.

    Args:
        response: The curve.
    """

    def __init__(self, response: Response) -> None:
        self.response = response

    def draw(self, x: Tensor, *, generator: object) -> Tensor:
        return x.new_empty(len(x), 0)

    def render(self, x: Tensor, settings: Tensor) -> Tensor:
        return self.response.encode(x)
