"""Pre-train one layer of a head by contrastive divergence: no labels, the layers below as they are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor

from blurlab.core.rng import generator
from blurlab.dataset import Degraded
from blurlab.head import RBM, Pretrainable

RATE_GAUSSIAN, RATE_BINARY = 1e-3, 1e-2
"""Learning rates by the layer's visible units. After 0.1 for binary ones fewer patches were named rightly."""


class ContrastiveDivergence(pl.LightningModule):
    """Stochastic gradient descent with momentum on CD-1, [Hinton2010] sections 7, 9 and 10.

    Momentum is 0.5 in the first tenth of the epochs, one at least, and 0.9 after it; weights decay, biases do not. Only
    the layer's machine is learned, and with the lowest one the moments by which its input is standardised.

    Args:
        net: The head; all of it but the layer is frozen.
        layer: Which layer, 0 the lowest.
        epochs: Length of the whole training.
        seed: The run's seed.
        stage: The stage's name; with the seed, the epoch and the step it makes the draws of the hidden units.
        rate: Learning rate; that of the layer's kind of visible units if None.
        weight_decay: Share of the weights that is taken away each step, before the rate.

    Attributes:
        errors: Mean squared reconstruction error of each epoch (epochs,); NaN for those to come. Kept in checkpoints.

    Raises:
        ValueError: If the head has no such layer.
    """

    errors: Tensor

    def __init__(
        self,
        net: Pretrainable,
        layer: int,
        *,
        epochs: int,
        seed: int,
        stage: str,
        rate: float | None = None,
        weight_decay: float = 2e-4,
    ) -> None:
        super().__init__()
        if not 0 <= layer < len(net.rbms):
            raise ValueError(f"layer must be 0 to {len(net.rbms) - 1}, got {layer}")
        self.net = net
        self.layer = layer
        self.epochs = epochs
        self.seed = seed
        self.stage_name = stage
        self.rate = rate if rate is not None else RATE_GAUSSIAN if self.machine.gaussian_visible else RATE_BINARY
        self.weight_decay = weight_decay
        self.register_buffer("errors", torch.full((epochs,), torch.nan))
        net.requires_grad_(False)
        self.machine.requires_grad_(True)
        net.train(layer == 0)

    @property
    def machine(self) -> RBM:
        """The layer that is learned."""
        return self.net.rbms[self.layer]

    def training_step(self, batch: Degraded, batch_idx: int) -> Tensor:
        """One step of contrastive divergence on what the layer sees of the observed images."""
        v = self.net.visible(batch.y, self.layer)
        draw = generator(self.seed, self.stage_name, self.current_epoch, batch_idx, device=v.device)
        loss, error = self.machine.contrastive_divergence(v, generator=draw)
        self.log("reconstruction_error", error, on_step=False, on_epoch=True, prog_bar=True, batch_size=len(batch))
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """SGD; the biases without decay."""
        biases = [self.machine.visible_bias, self.machine.hidden_bias]
        groups: list[dict[str, Any]] = [
            {"params": [self.machine.weight], "weight_decay": self.weight_decay},
            {"params": biases},
        ]
        return torch.optim.SGD(groups, lr=self.rate, momentum=0.5)

    def on_train_epoch_start(self) -> None:
        """Raise the momentum when its time has come, also after a resume."""
        early = self.current_epoch < max(1, self.epochs // 10)
        for group in self.optimizers().param_groups:  # type: ignore[union-attr]  # there is one optimizer
            group["momentum"] = 0.5 if early else 0.9

    def on_train_epoch_end(self) -> None:
        """Note the epoch's reconstruction error."""
        self.errors[self.current_epoch] = self.trainer.callback_metrics["reconstruction_error"]


def filter_picture(filters: Tensor, most: int = 100) -> np.ndarray:
    """Filters beside one another, raster order, a black line between them.

    Each is scaled by its own largest weight: grey is 0, white positive.

    Args:
        filters: (n, rows, columns).
        most: How many of them are shown, the first.

    Returns:
        (H, W, 1), float32 in [0, 1].

    Example:
        >>> filter_picture(torch.tensor([[[2.0, -1.0]], [[0.0, 4.0]]]))[..., 0].tolist()
        [[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.25, 0.0, 0.5, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]
    """
    shown = filters[:most].detach().float().cpu()
    largest = shown.abs().amax((1, 2), keepdim=True).clamp_min(torch.finfo(torch.float32).tiny)
    tiles = torch.nn.functional.pad(shown / largest / 2 + 0.5, (1, 0, 1, 0))
    across = math.ceil(math.sqrt(len(tiles)))
    down = math.ceil(len(tiles) / across)
    height, width = tiles.shape[1:]
    grid = tiles.new_zeros(down * across, height, width)
    grid[: len(tiles)] = tiles
    picture = grid.reshape(down, across, height, width).transpose(1, 2).reshape(down * height, across * width)
    return torch.nn.functional.pad(picture, (0, 1, 0, 1))[..., None].numpy()
