"""Train the network of a learned deconvolver on degraded photographs whose kernel and noise are known."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from blurlab.dataset import Degraded
from blurlab.learning.restoration_loss import RestorationLoss
from blurlab.learning.supervised import SCHEDULES, OptimizerFactory, check_schedule, scheduled
from blurlab.metric import isnr, psnr

PICTURES = 4
"""Items of the validation set that are shown after each epoch."""


class Restoration(pl.LightningModule):
    """The mean loss of what a network makes of (y, psf, sigma).

    Args:
        net: (y (B, C, H, W), psf (B, 1, k, k), sigma (B, 1, 1, 1)) -> (B, C, H, W).
        loss: What a restored image costs.
        optimizer: Makes the optimizer from the parameters.
        schedule: A key of :data:`~blurlab.learning.supervised.SCHEDULES`.
        total_steps: Steps of the whole training, for the schedule.
        facts: Plain values that describe the net, kept as hyperparameters in the checkpoint.

    Raises:
        ValueError: If the schedule is unknown.
    """

    def __init__(
        self,
        net: nn.Module,
        loss: RestorationLoss,
        optimizer: OptimizerFactory,
        *,
        schedule: str,
        total_steps: int,
        facts: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        check_schedule(schedule)
        self.net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
        self.loss = loss
        self.make_optimizer = optimizer
        self.schedule = schedule
        self.total_steps = total_steps
        self.save_hyperparameters({"schedule": schedule, "loss": type(loss).__name__, **(facts or {})})

    def forward(self, batch: Degraded) -> Tensor:
        """Restored images (B, C, H, W)."""
        return self.net(batch.y, batch.psf, batch.sigma.clamp_min(SIGMA_FLOOR).reshape(-1, 1, 1, 1)).float()

    def training_step(self, batch: Degraded, batch_idx: int) -> Tensor:
        """One step of the loss."""
        loss = self.loss(self(batch), batch.x).mean()
        self.log("train_loss", loss, prog_bar=True, batch_size=len(batch))
        return loss

    def validation_step(self, batch: Degraded, batch_idx: int) -> None:
        """Loss, PSNR and ISNR on degradations that are the same in every epoch; the first items are shown."""
        restored = self(batch)
        figures = {
            "val_loss": self.loss(restored, batch.x).mean(),
            "val_psnr": psnr(restored, batch.x).mean(),
            "val_isnr": isnr(batch.y, restored, batch.x).mean(),
        }
        self.log_dict(figures, prog_bar=True, batch_size=len(batch))
        if batch_idx == 0:
            self._show(batch, restored)

    def configure_optimizers(self) -> Any:
        """The optimizer with its schedule, stepped every batch."""
        return scheduled(self.make_optimizer(self.net.parameters()), self.schedule, self.total_steps)

    def _show(self, batch: Degraded, restored: Tensor) -> None:
        """Log sharp, observed and restored images side by side, where the logger takes pictures."""
        rows = torch.cat([batch.x, batch.y, restored], dim=-1)[:PICTURES].clamp(0, 1).cpu()
        pictures = [row.permute(1, 2, 0).float().numpy() for row in rows]
        for logger in self.loggers:
            if hasattr(logger, "log_image"):
                logger.log_image("sharp, observed, restored", pictures)
