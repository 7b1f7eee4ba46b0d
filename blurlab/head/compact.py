"""A small head on the Welch log power spectrum."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from blurlab.head.spectrum import frequency_axes, tapered_log_spectrum, welch_log_spectrum


class Compact(nn.Module):
    """Five small convolutions and one hidden layer on the log power spectrum of the image.

    The spectrum does not depend on where things are in the image, only on how sharp they are in which direction, so
    few weights suffice; two coordinate channels tell the convolutions at which frequency they are. Any image size from
    ``window`` on is accepted. Colour images enter by the mean power of their channels.

    With ``tapers`` the spectrum is that of each pair of sine tapers, free of the image's contrast: made for patches so
    small that they hold one window or few.

    Args:
        num_classes: Length of the output.
        in_channels: Channels of the images (any; the spectra are averaged over them).
        width: Channels of the first convolution; the later ones have 2 and 4 times as many.
        hidden: Units of the hidden layer.
        window: Side of the windows of the spectrum, px; a multiple of 16.
        hop: Distance between windows, px.
        dropout: Share of the hidden units dropped in training.
        tapers: Sine tapers along each axis; 0 for a Hann window.

    Raises:
        ValueError: If ``window`` is not a multiple of 16, or another option is too small.
    """

    coordinates: Tensor

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 1,
        width: int = 8,
        hidden: int = 64,
        window: int = 64,
        hop: int = 32,
        dropout: float = 0.1,
        tapers: int = 0,
    ) -> None:
        super().__init__()
        if window < 16 or window % 16:
            raise ValueError(f"window must be a multiple of 16 px, got {window}; use 32, 64 or 128")
        if hop < 1 or tapers < 0:
            raise ValueError(f"hop must be at least 1 px and tapers at least 0, got {hop} and {tapers}")
        if width < 1 or hidden < 1:
            raise ValueError(f"width and hidden must be at least 1, got {width} and {hidden}")
        self.window = window
        self.hop = hop
        self.tapers = tapers
        self.register_buffer("coordinates", frequency_axes(window), persistent=False)
        widths = [2 + (tapers**2 or 2), width, 2 * width, 2 * width, 4 * width, 4 * width]
        strides = [2, 1, 2, 1, 2]
        layers: list[nn.Module] = []
        for before, after, stride in zip(widths, widths[1:], strides, strict=False):
            layers += [nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.features = nn.Sequential(*layers, nn.Flatten())
        cells = (window // 8) * (window // 16 + 1)
        self.classify = nn.Sequential(
            nn.Linear(4 * width * cells, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, num_classes)
        )

    def forward(self, y: Tensor) -> Tensor:
        """Logits (B, num_classes) of images (B, C, H, W) in [0, 1]."""
        if self.tapers:
            spectrum = tapered_log_spectrum(y, self.window, self.hop, self.tapers) / 3.0
        else:
            # Constants, not statistics of the training set: with each frequency whitened, unseen photographs did worse.
            spectrum = (welch_log_spectrum(y, self.window, self.hop) + 9.0) / 3.0
        coordinates = self.coordinates.expand(len(y), -1, -1, -1)
        return self.classify(self.features(torch.cat([spectrum, coordinates], dim=1)))
