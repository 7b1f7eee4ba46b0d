"""The taste of a camera: a curve that makes dark tones darker and bright ones brighter."""

from __future__ import annotations

from torch import Tensor

from blurlab.noise.draw import Generators, Level, check_level, draw_level, per_image
from blurlab.noise.rendering import Rendering


def s_curve(x: Tensor, strength: Tensor) -> Tensor:
    """``x + s (3 x^2 - 2 x^3 - x)``: the cubic through (0, 0) and (1, 1) whose slope is 1 - s there, 1 + s / 2 between.

    Args:
        x: Values in [0, 1] (B, C, H, W); what lies outside is clipped.
        strength: s (B,) in [0, 1]; 0 changes nothing.

    Returns:
        (B, C, H, W) in [0, 1].

    Example:
        >>> import torch
        >>> s_curve(torch.tensor([0.25, 0.5]).reshape(1, 1, 1, 2), torch.tensor([0.4])).flatten()
        tensor([0.2125, 0.5000])
    """
    x, s = x.clamp(0, 1), per_image(strength)
    return x + s * (x * (3 * x - 2 * x * x - 1))


class SCurve(Rendering):
    """:func:`s_curve` on the values of the file.

    Args:
        strength: From 0 to 1, or [low, high], drawn uniformly per image.

    Raises:
        ValueError: If the strength is out of its range.
    """

    def __init__(self, strength: Level) -> None:
        self.strength = check_level("strength", strength, log=False, most=1.0)
        if self.strength[0] < 0:
            raise ValueError(f"strength must be >= 0, got {strength}; 0 changes nothing")

    def draw(self, x: Tensor, *, generator: Generators) -> Tensor:
        return draw_level(x, *self.strength, generator, log=False)[:, None]

    def render(self, x: Tensor, settings: Tensor) -> Tensor:
        return s_curve(x, settings[:, 0])
