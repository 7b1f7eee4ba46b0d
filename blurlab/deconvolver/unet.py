"""A small residual U-Net that takes away noise whose level it is told."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F


class UNet(nn.Module):
    """Residual blocks at several scales, additive skips: the denoiser of [DebarnotWeiss2024], after [Zhang2022].

    The image is folded, ``fold`` x ``fold`` pixels to one of fold^2 channels, before anything is computed: at the same
    cost a network twice as wide sees twice as far. The result is the image plus a correction, which is zero before
    training.

    Args:
        in_channels: Channels of the input; the first is corrected, the others (noise level, guesses) are looked at.
        channels: Channels at each scale.
        blocks: Residual blocks (conv, ReLU, conv) at each scale, on the way down and on the way up.
        fold: Side of the squares of pixels that become one.

    Raises:
        ValueError: If a number is not positive.

    Example:
        >>> import torch
        >>> net = UNet(2, (8, 16), 1)
        >>> net(torch.rand(1, 2, 17, 24)).shape
        torch.Size([1, 1, 17, 24])
    """

    def __init__(
        self, in_channels: int = 2, channels: Sequence[int] = (32, 64, 96), blocks: int = 2, fold: int = 2
    ) -> None:
        super().__init__()
        if min(in_channels, blocks, fold, *channels) < 1:
            raise ValueError(
                f"channels, blocks and fold must be 1 or more, got {in_channels}, {channels}, {blocks}, {fold}"
            )
        self.fold = fold
        self.side = fold * 2 ** (len(channels) - 1)
        self.first = nn.Conv2d(in_channels * fold**2, channels[0], 3, padding=1)
        self.down_blocks = nn.ModuleList(_blocks(width, blocks) for width in channels)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(channels))
        self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in pairwise(channels))
        self.up_blocks = nn.ModuleList(_blocks(width, blocks) for width in channels[:-1])
        self.last = nn.Conv2d(channels[0], fold**2, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]  # it has one

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> the corrected first channel (B, 1, H, W), sides of any length."""
        height, width = x.shape[-2:]
        padded = F.pad(x, (0, -width % self.side, 0, -height % self.side), mode="replicate")
        features = self.first(F.pixel_unshuffle(padded, self.fold))
        skips = []
        for blocks, down in zip(self.down_blocks[:-1], self.down, strict=True):
            features = blocks(features)
            skips.append(features)
            features = down(features)
        features = self.down_blocks[-1](features)
        for blocks, up in zip(reversed(self.up_blocks), reversed(self.up), strict=True):
            features = blocks(up(features) + skips.pop())
        correction = F.pixel_shuffle(self.last(features), self.fold)[..., :height, :width]
        return x[:, :1] + correction.to(x.dtype)


class ResidualBlock(nn.Module):
    """``x + conv(relu(conv(x)))``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.a = nn.Conv2d(channels, channels, 3, padding=1)
        self.b = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, H, W) -> the same shape."""
        return x + self.b(F.relu(self.a(x)))


def _blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(channels) for _ in range(count)))
