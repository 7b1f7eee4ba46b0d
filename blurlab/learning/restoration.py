"""Train the network of a learned deconvolver on degraded photographs whose kernel and noise are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from blurlab.dataset import Degraded
from blurlab.deconvolver import SIGMA_FLOOR
from blurlab.learning.kernel_error import KernelError
from blurlab.learning.parts import part_of_whole, steps_in_all
from blurlab.learning.restoration_loss import RestorationLoss
from blurlab.learning.schedule import OptimizerFactory, check_schedule, scheduled
from blurlab.metric import isnr, psnr
from blurlab.physics import Convolution

PICTURES = 4
"""Items of the validation set that are shown after each epoch."""


class Restoration(pl.LightningModule):
    """The mean loss of what a network makes of (y, psf, sigma).

    Args:
        net: (y (B, C, H, W), psf (B, 1, k, k), sigma (B, 1, 1, 1)) -> (B, C, H, W); of a blur that is not one kernel
            an image it is given the operator in place of psf.
        loss: What a restored image costs.
        optimizer: Makes the optimizer from the parameters.
        schedule: A key of :data:`~blurlab.learning.schedule.SCHEDULES`.
        total_steps: Steps of the whole training, for the schedule.
        kernel_error: How wrong the kernels are that the net is told in training; None for not at all.
        show: Called after each validation with titles and pictures (H, W, C) in [0, 1]; None shows nothing.
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
        kernel_error: KernelError | None = None,
        show: Callable[[dict[str, np.ndarray]], None] | None = None,
        facts: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        check_schedule(schedule)
        self.net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
        self.loss = loss
        self.make_optimizer = optimizer
        self.schedule = schedule
        self.total_steps = total_steps
        self.kernel_error = kernel_error
        self.show = show
        self.save_hyperparameters({"schedule": schedule, "loss": type(loss).__name__, **(facts or {})})

    def forward(self, batch: Degraded) -> Tensor:
        """Restored images (B, C, H, W)."""
        blur = batch.psf if isinstance(batch.blur, Convolution) else batch.blur
        return self.net(batch.y, blur, batch.sigma.clamp_min(SIGMA_FLOOR).reshape(-1, 1, 1, 1)).float()

    def training_step(self, batch: Degraded, batch_idx: int) -> Tensor:
        """One step of the loss."""
        told = batch if self.kernel_error is None else misinformed(batch, self.kernel_error)
        loss = self.loss(self(told), batch.x).mean()
        self.log("train_loss", loss, prog_bar=True, batch_size=len(batch))
        return loss * part_of_whole(self, batch.weight.count_nonzero())

    def validation_step(self, batch: Degraded, batch_idx: int) -> None:
        """Loss, PSNR and ISNR on degradations that are the same in every epoch; the first items are shown."""
        restored = self(batch)
        figures = {
            "val_loss": self.loss(restored, batch.x).mean(),
            "val_psnr": psnr(restored, batch.x).mean(),
            "val_isnr": isnr(batch.y, restored, batch.x).mean(),
        }
        self.log_dict(figures, prog_bar=True, batch_size=len(batch))
        if batch_idx == 0 and self.show is not None:
            self.show(side_by_side(batch, restored))

    def configure_optimizers(self) -> Any:
        """The optimizer with its schedule, stepped every batch."""
        return scheduled(self.make_optimizer(self.net.parameters()), self.schedule, steps_in_all(self))


def misinformed(batch: Degraded, error: KernelError) -> Degraded:
    """The same observations with wrong kernels; sigma is then that of all that these do not explain."""
    psf = error(batch.psf)
    unexplained = Convolution(psf - batch.psf, "reflect").A(batch.x).square().mean((1, 2, 3))
    return replace(batch, blur=Convolution(psf, "valid"), sigma=(batch.sigma.square() + unexplained).sqrt())


def side_by_side(batch: Degraded, restored: Tensor) -> dict[str, np.ndarray]:
    """Sharp, observed and restored image of the first items, by title."""
    rows = torch.cat([batch.x, batch.y, restored], dim=-1)[:PICTURES].clamp(0, 1).cpu()
    return {f"sharp, observed, restored/{i}": row.permute(1, 2, 0).float().numpy() for i, row in enumerate(rows)}
