"""A made-up photograph with edges of all directions, and its observation through a shake."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.core.rng import generator
from blurlab.physics import Convolution


def scene(side: int, seed: int = 0) -> Tensor:
    """Discs of random place, size and brightness, one over the other (1, 1, side, side)."""
    draw = generator("blind scene", seed)
    at = torch.arange(float(side))
    x = torch.full((1, 1, side, side), 0.5)
    for _ in range(60):
        row, column, size, value = torch.rand(4, generator=draw).tolist()
        inside = (at[:, None] - side * row) ** 2 + (at - side * column) ** 2 < (2 + side / 6 * size) ** 2
        x = torch.where(inside, 0.1 + 0.8 * value, x)
    return x


def shake() -> Tensor:
    """A bent line with a bright end, 9 px (1, 1, 9, 9)."""
    psf = torch.zeros(1, 1, 9, 9)
    for step, (row, column) in enumerate([(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (6, 5), (6, 6), (7, 7)]):
        psf[0, 0, row, column] = 1.0 if step else 3.0
    return psf / psf.sum()


def observation(x: Tensor, psf: Tensor, sigma: float, seed: int = 0) -> Tensor:
    """Blurred, with noise; the sharp pixels beyond its border are blurred in (1, 1, H - 8, W - 8)."""
    y = Convolution(psf, "valid").A(x)
    return y + sigma * torch.randn(y.shape, generator=generator("blind noise", seed))
