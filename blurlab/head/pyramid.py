"""A head on the log power spectra of a photograph at several sizes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from blurlab.head.spectrum import frequency_axes, welch_log_spectrum

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the brightness that JPEG files keep at full resolution (ITU-R BT.601)."""


class Pyramid(nn.Module):
    """Convolutions and one hidden layer on the log power spectra of the brightness at full size, 1/2, 1/3, ...

    A weak blur is seen at full size, where a camera's sharpening and compression are seen too; a wide one is seen best
    in a smaller copy, which they have hardly touched. Any image size from ``window`` on is accepted: a copy that would
    be smaller than a window is replaced by the next larger one.

    Args:
        num_classes: Length of the output.
        in_channels: Channels of the images, 1 or 3 (RGB).
        scales: By how much the sides of each copy are divided, rising.
        width: Channels of the first convolutions; the later ones have 2 and 4 times as many.
        hidden: Units of the hidden layer.
        window: Side of the windows of the spectra, px; a multiple of 16.
        dropout: Share of the inputs of the last layers dropped in training.

    Raises:
        ValueError: If ``window`` is not a multiple of 16, or another option is out of its range.

    Example:
        >>> Pyramid(5, in_channels=3)(torch.rand(2, 3, 200, 96)).shape
        torch.Size([2, 5])
    """

    coordinates: Tensor

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 3,
        scales: Sequence[int] = (1, 2, 3),
        width: int = 24,
        hidden: int = 128,
        window: int = 64,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        if window < 16 or window % 16:
            raise ValueError(f"window must be a multiple of 16 px, got {window}; use 32, 64 or 128")
        if in_channels not in (1, 3):
            raise ValueError(f"in_channels must be 1 or 3, got {in_channels}; use dataset.channel=grey or rgb")
        if not scales or list(scales) != sorted({*scales}) or scales[0] < 1:
            raise ValueError(f"scales must be whole numbers from 1 on, rising, got {list(scales)}; use [1, 2, 3]")
        if width < 1 or hidden < 1 or not 0 <= dropout < 1:
            raise ValueError(
                f"width and hidden must be at least 1 and dropout in [0, 1), got {width}, {hidden}, {dropout}"
            )
        self.scales = tuple(scales)
        self.window = window
        self.register_buffer("coordinates", frequency_axes(window), persistent=False)
        self.features = nn.Sequential(
            *_convolution(2 + 2 * len(self.scales), width, 2),
            *_convolution(width, width, 1),
            *_convolution(width, 2 * width, 2),
            *_convolution(2 * width, 2 * width, 1),
            *_convolution(2 * width, 4 * width, 2),
            *_convolution(4 * width, 4 * width, 1),
            nn.Flatten(),
        )
        cells = (window // 8) * (window // 16 + 1)
        self.classify = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(4 * width * cells, hidden), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(hidden, num_classes),
        )  # fmt: skip

    def forward(self, y: Tensor) -> Tensor:
        """Outputs (B, num_classes) of images (B, C, H, W) in [0, 1], H and W at least ``window``."""
        coordinates = self.coordinates.expand(len(y), -1, -1, -1)
        return self.classify(self.features(torch.cat([self.spectra(y), coordinates], dim=1)))

    def spectra(self, y: Tensor) -> Tensor:
        """Log spectra of the copies (B, 2 copies, window, window // 2 + 1), about 0 give or take 1."""
        light = brightness(y.float())
        spectra: list[Tensor] = []
        for scale in self.scales:
            if min(light.shape[-2:]) < scale * self.window and spectra:
                spectra.append(spectra[-1])
                continue
            copy = nn.functional.avg_pool2d(light, scale) if scale > 1 else light
            spectra.append(welch_log_spectrum(copy, self.window, self.window // 2))
        return (torch.cat(spectra, dim=1) + 9.0) / 3.0  # as in Compact


def brightness(y: Tensor) -> Tensor:
    """Brightness (B, 1, H, W) of images with one or three channels.

    Raises:
        ValueError: If they have another number.
    """
    if y.shape[1] == 1:
        return y
    if y.shape[1] != 3:
        raise ValueError(f"images must have 1 or 3 channels, got {tuple(y.shape)}; drop alpha or pick a channel")
    return torch.einsum("bchw,c->bhw", y, y.new_tensor(LUMA))[:, None]


def _convolution(before: int, after: int, stride: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
