"""Residual networks of MONAI on the log power spectrum, or on the pixels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from blurlab.head.spectrum import frequency_axes, welch_log_spectrum

DEPTHS = (18, 34)
STEMS = ("small", "paper")


class ResNet(nn.Module):
    """ResNet-18 or -34 ([He2016]); any image size from ``window`` on.

    What it sees is the Welch log power spectrum with a coordinate channel for each axis, as :class:`Compact` does, or,
    with ``window`` 0, the pixels themselves, less their mean and divided by their standard deviation.

    Args:
        num_classes: Length of the output.
        in_channels: Channels of the images.
        depth: 18 or 34.
        widen: Channels, as a share of the paper's 64 to 512.
        window: Side of the windows of the spectrum, px; 0 for the pixels.
        hop: Distance between windows, px.
        stem: ``small``, 3x3 weights at every second pixel, for spectra and patches; or ``paper``, 7x7 weights and a
            pooling, as [He2016] has it for whole images: a fourth of the work.

    Raises:
        ValueError: If an option is none of those above.
    """

    coordinates: Tensor

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 1,
        depth: int = 18,
        widen: float = 1.0,
        window: int = 64,
        hop: int = 32,
        stem: str = "small",
    ) -> None:
        super().__init__()
        if depth not in DEPTHS:
            raise ValueError(f"depth must be one of {DEPTHS}, got {depth}")
        if window and window < 16:
            raise ValueError(f"window must be 0 for the pixels or at least 16 px, got {window}")
        if hop < 1 or widen <= 0:
            raise ValueError(f"hop must be at least 1 px and widen above 0, got {hop} and {widen:g}")
        if stem not in STEMS:
            raise ValueError(f"stem must be one of {STEMS}, got {stem!r}")
        from monai.networks.nets import resnet18, resnet34

        self.window = window
        self.hop = hop
        make = {18: resnet18, 34: resnet34}[depth]
        self.net = make(
            spatial_dims=2,
            n_input_channels=4 if window else in_channels,
            num_classes=num_classes,
            conv1_t_size=7 if stem == "paper" else 3,  # 7x7 and pooling would blunt what is small
            conv1_t_stride=2,
            no_max_pool=stem != "paper",
            widen_factor=widen,
        )
        self.register_buffer("coordinates", frequency_axes(window) if window else torch.zeros(0), persistent=False)

    def forward(self, y: Tensor) -> Tensor:
        """Outputs (B, num_classes) for images (B, C, H, W) in [0, 1]."""
        if not self.window:
            centred = y - y.mean((2, 3), keepdim=True)
            return self.net(centred / centred.std((1, 2, 3), keepdim=True).clamp_min(1e-4))
        spectrum = (welch_log_spectrum(y, self.window, self.hop) + 9.0) / 3.0
        return self.net(torch.cat([spectrum, self.coordinates.expand(len(y), -1, -1, -1)], dim=1))
