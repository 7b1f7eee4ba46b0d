"""A small head on the spectra of an image and on what surrounds its edges: for blurs that have an orientation."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from blurlab.head.edge_average import AVERAGES, HOP, SPECTRA, WINDOW, contrast_spectra, edge_averages, noise_power
from blurlab.head.spectrum import frequency_axes, window_power

NUMBERS = 3
"""Log of the noise, of the contrast beside it, and of the number of pixels."""
Measured = tuple[Tensor, Tensor, Tensor]
"""Spectra (n, 3, 64, 33), averages (n, 10, 25, 25), numbers (n, 3)."""


def measure(y: Tensor) -> Measured:
    """What the head looks at in images (B, C, H, W) in [0, 1] of 64 px a side or more; nothing is learned.

    Example:
        >>> [part.shape[1:] for part in measure(torch.rand(1, 1, 64, 72))]
        [torch.Size([3, 64, 33]), torch.Size([10, 25, 25]), torch.Size([3])]
    """
    with torch.autocast(y.device.type, enabled=False):
        y = y.float().mean(1, keepdim=True)
        power = window_power(y, WINDOW, HOP)[:, 0]
        noise = noise_power(power.mean(1))
        contrast = y.var((1, 2, 3)).clamp_min(1e-12) / noise
        size = torch.full_like(noise, math.log(y[0].numel() / 256**2))
        numbers = torch.stack([noise.log() / 4 + 2, contrast.log() / 4 - 1, size], 1)
        return contrast_spectra(y, power), edge_averages(y, power), numbers


def turned(measured: Measured) -> Measured:
    """What :func:`measure` gives of the images turned by half a circle."""
    spectra, averages, numbers = measured
    sign = averages.new_tensor([-1.0] * (AVERAGES - 2) + [1.0] * 2)[:, None, None]
    return spectra, sign * averages.flip(-2, -1), numbers


def inverted(measured: Measured) -> Measured:
    """What :func:`measure` gives of the images ``1 - y``."""
    spectra, averages, numbers = measured
    bright, dark = averages[:, -2:-1], averages[:, -1:]
    return spectra, torch.cat([averages[:, :-2], dark, bright], 1), numbers


class SpectrumAndEdges(nn.Module):
    """Convolutions over log spectra and over the means about strong edges, then two hidden layers for both.

    The spectra tell the size of a blur's transfer function, the means its phase
    (:mod:`blurlab.head.edge_average`); the parts of the means that are even and odd about tau = 0 enter apart. Colours
    are averaged.

    Args:
        num_classes: Length of the output.
        in_channels: Channels of the images, any.
        width: Channels of the first convolutions; the later ones have twice as many.
        hidden: Units of the hidden layers.

    Raises:
        ValueError: If ``width`` or ``hidden`` is below 1.
    """

    axes: Tensor

    def __init__(self, num_classes: int, in_channels: int = 1, width: int = 32, hidden: int = 192) -> None:
        super().__init__()
        if width < 1 or hidden < 1:
            raise ValueError(f"width and hidden must be at least 1, got {width} and {hidden}")
        self.num_classes, self.in_channels = num_classes, in_channels
        self.register_buffer("axes", frequency_axes(WINDOW), persistent=False)
        self.spectra = _convolutions([SPECTRA + 2, width, width, 2 * width, 2 * width], [1, 2, 2, 2])
        self.averages = _convolutions([2 * AVERAGES, width, 2 * width, 2 * width], [1, 2, 2])
        self.seen = nn.Sequential(nn.Flatten(), nn.Linear(2 * width * 8 * 5, hidden), nn.ReLU())
        self.placed = nn.Sequential(nn.Flatten(), nn.Linear(2 * width * 7 * 7, hidden), nn.ReLU())
        self.joined = nn.Sequential(
            nn.Linear(2 * hidden + NUMBERS, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()
        )
        self.answer = nn.Linear(hidden, num_classes)

    def forward(self, y: Tensor) -> Tensor:
        """Outputs (B, num_classes) of images (B, C, H, W) in [0, 1], 64 px a side or more."""
        return self.of(measure(y))

    def of(self, measured: Measured) -> Tensor:
        """The same from what :func:`measure` gave."""
        spectra, averages, numbers = measured
        opposite = averages.flip(-2, -1)
        halves = torch.cat([averages + opposite, 4 * (averages - opposite)], 1)
        seen = self.spectra(torch.cat([spectra / 4, self.axes.expand(len(spectra), -1, -1, -1)], 1))
        both = torch.cat([self.seen(seen), self.placed(self.averages(8 * halves)), numbers], 1)
        return self.answer(self.joined(both))


def _convolutions(widths: list[int], strides: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after, stride in zip(widths, widths[1:], strides, strict=False):
        layers += [nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers)
