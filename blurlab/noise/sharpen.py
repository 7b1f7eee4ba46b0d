"""Sharpening as cameras and editors do it: an unsharp mask."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.noise.draw import Generators, Level, check_level, draw_level, per_image
from blurlab.noise.rendering import Rendering

TRUNCATE = 4.0
"""Where the Gaussian is cut off, in standard deviations."""


def unsharp_mask(x: Tensor, amount: Tensor, sigma_px: Tensor, radius: int) -> Tensor:
    """``x + a (x - G * x)`` with G a Gaussian of ``sigma_px``; beyond its border an image is mirrored, edge repeated.

    Args:
        x: Images (B, C, H, W).
        amount: a (B,), >= 0.
        sigma_px: Standard deviation of the Gaussian (B,), px, above 0.
        radius: Where it is cut off, px.

    Returns:
        (B, C, H, W), which may leave [0, 1] beside edges.

    Example:
        >>> edge = torch.tensor([0.2, 0.2, 0.6, 0.6]).expand(1, 1, 4, 4)
        >>> unsharp_mask(edge, torch.tensor([1.0]), torch.tensor([0.5]), 2)[0, 0, 0]
        tensor([0.1999, 0.1573, 0.6427, 0.6001])
    """
    offset = torch.arange(-radius, radius + 1, device=x.device, dtype=torch.float64)
    taps = torch.exp(-0.5 * (offset / sigma_px.double()[:, None]) ** 2)
    taps = (taps / taps.sum(1, keepdim=True)).to(x)
    soft = _along(_along(x, taps, -1), taps, -2)
    return x + per_image(amount) * (x - soft)


def _along(x: Tensor, taps: Tensor, dim: int) -> Tensor:
    """Each image's own taps (B, 2 r + 1) along one axis, pixel by pixel in a fixed order: the batch changes no bit."""
    side, radius = x.shape[dim], taps.shape[1] // 2
    index = torch.arange(-radius, side + radius, device=x.device) % (2 * side)
    wide = x.index_select(dim, torch.where(index < side, index, 2 * side - 1 - index))
    total = torch.zeros_like(x)
    for place in range(taps.shape[1]):
        total.addcmul_(per_image(taps[:, place]), wide.narrow(dim, place, side))
    return total


class Sharpen(Rendering):
    """:func:`unsharp_mask` on the values of the file. What leaves [0, 1] is for the file to clip.

    Args:
        amount: >= 0, or [low, high], drawn uniformly per image; 0 changes nothing.
        sigma_px: Standard deviation of the mask, px, or [low, high], drawn uniformly per image; above 0.

    Raises:
        ValueError: If one is out of its range.
    """

    def __init__(self, amount: Level, sigma_px: Level) -> None:
        self.amount = check_level("amount", amount, log=False)
        self.sigma_px = check_level("sigma_px", sigma_px, positive=True, log=False)
        if self.amount[0] < 0:
            raise ValueError(f"amount must be >= 0, got {amount}; 0 changes nothing")
        self.radius = int(TRUNCATE * self.sigma_px[1] + 0.5)

    def draw(self, x: Tensor, *, generator: Generators) -> Tensor:
        drawn = [draw_level(x, *ends, generator, log=False) for ends in (self.amount, self.sigma_px)]
        return torch.stack(drawn, 1)

    def render(self, x: Tensor, settings: Tensor) -> Tensor:
        return unsharp_mask(x, settings[:, 0], settings[:, 1], self.radius)
