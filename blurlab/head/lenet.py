"""The network of Williams et al. 2017: four convolutions and two fully connected layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

SMALLEST_SD = 1e-6
"""Below it an image counts as constant, on the [0, 1] scale."""


class LeNet(nn.Module):
    """Four 3x3 convolutions (32, 32, 64, 64), each pair followed by ReLU, 2x2 max-pooling and dropout 0.25.

    Then a fully connected layer of 512 units with ReLU and dropout 0.5 and one of ``num_classes``; all weights Glorot
    uniform, biases 0. The paper gives neither the filters nor the kernel sizes: those above are this library's choice.
    The paper's network sees the whole image (``input_size`` = the image's side). An image larger than ``input_size`` is
    cut into non-overlapping tiles, those that do not fill the last row or column left out, and the logits are the mean
    over the tiles (in training the logits of one tile drawn at random): a deviation from the paper that makes the
    network small.

    Args:
        num_classes: Length of the output.
        in_channels: Channels of the images.
        input_size: Side of what the network sees at once, px.
        standardise: Is what the network sees first shifted and scaled to mean 0 and standard deviation 1? The paper
            does not say. The traces of a blur are a few hundredths of an image's range: without it the paper's
            learning rate of 0.001 takes many more steps before anything is learned.

    Raises:
        ValueError: If ``input_size`` is too small for two pairs of convolutions.

    [Williams2017], section 3; [Glorot2010]
    """

    def __init__(
        self, num_classes: int, in_channels: int = 1, input_size: int = 256, standardise: bool = False
    ) -> None:
        super().__init__()
        side = ((input_size - 2) // 2 - 2) // 2
        if side < 1:
            raise ValueError(f"input_size must be at least 10 px, got {input_size}")
        self.in_channels = in_channels
        self.input_size = input_size
        self.standardise = standardise
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 32, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 32, 3),
            nn.MaxPool2d(2),  # ReLU after the maximum is the maximum after ReLU, and has a quarter of the pixels
            nn.ReLU(),
            nn.Dropout(0.25),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Dropout(0.25),
            nn.Flatten(),
        )
        self.classify = nn.Sequential(
            nn.Linear(64 * side * side, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, num_classes)
        )
        self.apply(_glorot)
        self.features.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a CPU is faster so

    def forward(self, y: Tensor) -> Tensor:
        """Logits (B, num_classes) of images (B, C, H, W) in [0, 1].

        Raises:
            ValueError: If the images have other channels or are smaller than ``input_size``.
        """
        tiles = cut_tiles(y, self.input_size, self.in_channels)
        if self.training and tiles.shape[1] > 1:
            one = torch.randint(tiles.shape[1], (len(tiles),), device=tiles.device)
            tiles = tiles[torch.arange(len(tiles), device=tiles.device), one].unsqueeze(1)
        seen = tiles.flatten(0, 1)
        logits = self.classify(self.features(standardised(seen) if self.standardise else seen))
        return logits.unflatten(0, tiles.shape[:2]).mean(1)


def cut_tiles(y: Tensor, size: int, channels: int) -> Tensor:
    """Non-overlapping tiles (B, n, C, size, size) of images (B, C, H, W), in raster order."""
    if y.ndim != 4 or y.shape[1] != channels or min(y.shape[-2:]) < size:
        raise ValueError(
            f"images must be (B, {channels}, H, W) with H and W at least input_size={size}, got {tuple(y.shape)}"
        )
    tiles = y.unfold(-2, size, size).unfold(-2, size, size)
    return tiles.permute(0, 2, 3, 1, 4, 5).flatten(1, 2)


def standardised(images: Tensor) -> Tensor:
    """Images (n, C, H, W) shifted and scaled to mean 0 and standard deviation 1 each; a constant one is 0."""
    centred = images - images.mean((1, 2, 3), keepdim=True)
    return centred / centred.square().mean((1, 2, 3), keepdim=True).sqrt().clamp_min(SMALLEST_SD)


def _glorot(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
