"""Train a head by the loss of its target."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from blurlab.head import Target
from blurlab.learning.checkpoint import OtherRun, RunStamp, check_stamp, read_checkpoint
from blurlab.learning.outliers import Outliers
from blurlab.learning.parts import part_of_whole, steps_in_all
from blurlab.learning.schedule import OptimizerFactory, check_schedule, scheduled
from blurlab.physics import Degraded


class Supervised(pl.LightningModule):
    """The weighted mean of a target's loss; for classes the cross-entropy, as [Williams2017] section 2.1.

    Args:
        net: Head, (B, C, H, W) -> (B, len(target)).
        target: What the outputs mean and what a wrong one costs.
        optimizer: Makes the optimizer from the parameters.
        schedule: ``constant`` (the paper's) or ``one_cosine``: linear warm-up over 5 % of the steps, cosine to zero.
        total_steps: Steps of the whole training, for the schedule.
        facts: Plain values that describe the net, kept as hyperparameters in the checkpoint.
        outliers: Says which items of a training step are left out; None for none.

    Raises:
        ValueError: If the schedule is unknown.
    """

    def __init__(
        self,
        net: nn.Module,
        target: Target,
        optimizer: OptimizerFactory,
        *,
        schedule: str,
        total_steps: int,
        facts: dict[str, Any] | None = None,
        outliers: Outliers | None = None,
    ) -> None:
        super().__init__()
        check_schedule(schedule)
        self.outliers = outliers
        self.net = net
        self.target = target
        self.make_optimizer = optimizer
        self.schedule = schedule
        self.total_steps = total_steps
        self.save_hyperparameters({"classes": list(target.names), "schedule": schedule, **(facts or {})})

    def forward(self, y: Tensor) -> Tensor:
        """Outputs (B, m) for observed images (B, C, H, W)."""
        return self.net(y)

    def training_step(self, batch: Degraded, batch_idx: int) -> Tensor:
        """One step of the loss."""
        means = self.means(batch, self.outliers)
        self._log("train", means, len(batch))
        return means["loss"] * part_of_whole(self, batch.weight.sum())

    def validation_step(self, batch: Degraded, batch_idx: int) -> None:
        """Loss and figures on degradations that are the same in every epoch."""
        self._log("val", self.means(batch), len(batch))

    def configure_optimizers(self) -> Any:
        """The optimizer with its schedule, stepped every batch."""
        return scheduled(self.make_optimizer(self.net.parameters()), self.schedule, steps_in_all(self))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the mean that outliers are held against."""
        if self.outliers is not None:
            checkpoint["mean_loss"] = self.outliers.mean

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with that mean."""
        if self.outliers is not None:
            self.outliers.mean = checkpoint.get("mean_loss")

    def means(self, batch: Degraded, outliers: Outliers | None = None) -> dict[str, Tensor]:
        """Weighted means over a batch, without ``outliers``: ``loss``, and each figure of the target by its name."""
        output = self(batch.y).float()
        with torch.autocast(output.device.type, enabled=False):  # it would round the means to half precision
            each = {"loss": self.target.loss(output, batch), **self.target.figures(output, batch)}
            weight = batch.weight if outliers is None else batch.weight * outliers.keep(each["loss"])
            share = weight / weight.sum().clamp_min(torch.finfo(weight.dtype).tiny)
            return {name: share @ value.to(share) for name, value in each.items()}

    def _log(self, part: str, means: dict[str, Tensor], count: int) -> None:
        named = {f"{part}_{name}": value for name, value in means.items()}
        self.log_dict(named, prog_bar=True, batch_size=count)


def load_net(net: nn.Module, checkpoint: Path, stamp: RunStamp | None = None) -> nn.Module:
    """Put the weights of a training checkpoint into a head, in evaluation mode.

    Args:
        net: A head of the same shape.
        checkpoint: A file that :class:`Supervised`'s training wrote; read with ``weights_only``.
        stamp: Of which run and stage it must be, where it says so; None for any.

    Returns:
        The same head.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, or holds another network, or that of another run.
    """
    try:
        found = read_checkpoint(checkpoint)
        check_stamp(found, [] if stamp is None else [stamp])
        net.load_state_dict({name.removeprefix("net."): value for name, value in found["state_dict"].items()})
    except OtherRun as error:
        raise ValueError(f"{checkpoint} is {error}; put back its own, or remove its folder and train again") from error
    except (ValueError, RuntimeError) as error:  # damaged, or of other layers
        raise ValueError(
            f"{checkpoint} cannot be read as this network's weights; remove its folder and train again"
        ) from error
    return net.eval()
