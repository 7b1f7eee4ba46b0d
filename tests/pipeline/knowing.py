"""Blurred textures, and a network that says what is true of them give or take an error."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from blurlab.blur import BlurFamily
from blurlab.dataset import Degrade
from blurlab.noise import Gaussian
from blurlab.physics import Degraded
from blurlab.pipeline import Regression


def textures(family: BlurFamily, count: int, seed: int = 0) -> Degraded:
    """Textures of spectrum 1/f^2, 96 px, blurred and noisy."""
    g = torch.Generator().manual_seed(seed)
    side = 96 + 2 * (family.size // 2)
    white = torch.fft.rfft2(torch.randn(count, 1, side, side, generator=g))
    down, across = torch.fft.fftfreq(side)[:, None], torch.fft.rfftfreq(side)[None, :]
    x = torch.fft.irfft2(white / (down**2 + across**2).sqrt().clamp_min(1 / side), s=(side, side))
    x = 0.5 + 0.12 * (x - x.mean()) / x.std()
    return Degrade(family, Gaussian(bsnr_db=35), "valid")(x.clamp(0, 1), generator=g)


class Knows(nn.Module):
    """Outputs that say the truth give or take an error, for images that it was made with."""

    def __init__(self, identifier: Regression, example: Degraded, error: float) -> None:
        super().__init__()
        target = identifier.target
        self.out = torch.zeros(len(example.y), len(target))
        self.out[torch.arange(len(example.y)), example.kind] = 3.0
        for slot in target.slots:
            one = slot.parameter
            value = example.params[:, slot.column].nan_to_num(one.low)
            if one.period is not None:
                turn = (value + 20 * error) * (2 * torch.pi / one.period)
                self.out[:, slot.start], self.out[:, slot.start + 1] = turn.cos(), turn.sin()
            else:
                self.out[:, slot.start] = 2 * (value - one.low) / (one.high - one.low) - 1 + error
            self.out[:, slot.end - 1] = -2.0

    def forward(self, y: Tensor) -> Tensor:
        return self.out
