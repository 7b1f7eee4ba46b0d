"""Train a head to answer a question about the blur, by the loss of the answer that is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from blurlab.dataset import Degraded
from blurlab.head import Answer

OptimizerFactory = Callable[[Iterable[Tensor]], torch.optim.Optimizer]


class Supervised(pl.LightningModule):
    """The weighted mean of an answer's loss; for classes the cross-entropy, as [Williams2017] section 2.1.

    Args:
        net: Head, (B, C, H, W) -> (B, len(answer)).
        answer: What the outputs mean and what a wrong one costs.
        optimizer: Makes the optimizer from the parameters.
        schedule: ``constant`` (the paper's) or ``one_cosine``: linear warm-up over 5 % of the steps, cosine to zero.
        total_steps: Steps of the whole training, for the schedule.
        facts: Plain values that describe the net, kept as hyperparameters in the checkpoint.

    Raises:
        ValueError: If the schedule is unknown.
    """

    def __init__(
        self,
        net: nn.Module,
        answer: Answer,
        optimizer: OptimizerFactory,
        *,
        schedule: str,
        total_steps: int,
        facts: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if schedule not in SCHEDULES:
            raise ValueError(f"unknown schedule '{schedule}', expected one of {', '.join(SCHEDULES)}")
        self.net = net
        self.answer = answer
        self.make_optimizer = optimizer
        self.schedule = schedule
        self.total_steps = total_steps
        self.save_hyperparameters({"classes": list(answer.names), "schedule": schedule, **(facts or {})})

    def forward(self, y: Tensor) -> Tensor:
        """Outputs (B, m) for observed images (B, C, H, W)."""
        return self.net(y)

    def training_step(self, batch: Degraded, batch_idx: int) -> Tensor:
        """One step of the loss."""
        loss, accuracy = self._loss_and_accuracy(batch)
        self.log_dict({"train_loss": loss, "train_accuracy": accuracy}, prog_bar=True, batch_size=len(batch))
        return loss

    def validation_step(self, batch: Degraded, batch_idx: int) -> None:
        """Loss and accuracy on degradations that are the same in every epoch."""
        loss, accuracy = self._loss_and_accuracy(batch)
        self.log_dict({"val_loss": loss, "val_accuracy": accuracy}, prog_bar=True, batch_size=len(batch))

    def configure_optimizers(self) -> Any:
        """The optimizer with its schedule, stepped every batch."""
        optimizer = self.make_optimizer(self.net.parameters())
        factor = SCHEDULES[self.schedule]
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: factor(step / max(1, self.total_steps)))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def _loss_and_accuracy(self, batch: Degraded) -> tuple[Tensor, Tensor]:
        output = self(batch.y)
        share = batch.weight / batch.weight.sum()
        loss = share @ self.answer.loss(output, batch.kind, batch.strength_px, batch.params)
        accuracy = share @ self.answer.right(output, batch.kind, batch.strength_px).to(share)
        return loss, accuracy


def one_cosine(progress: float) -> float:
    """Warm-up over the first 5 % of the training, then a cosine to zero; ``progress`` in [0, 1].

    Example:
        >>> round(one_cosine(0.05), 3), round(one_cosine(1.0), 3)
        (1.0, 0.0)
    """
    warm = 0.05
    if progress < warm:
        return max(progress / warm, 0.01)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - warm) / (1 - warm))))


SCHEDULES: dict[str, Callable[[float], float]] = {"constant": lambda progress: 1.0, "one_cosine": one_cosine}


def load_net(net: nn.Module, checkpoint: Path) -> nn.Module:
    """Put the weights of a training checkpoint into a head, in evaluation mode.

    Args:
        net: A head of the same shape.
        checkpoint: A file that :class:`Supervised`'s training wrote; read with ``weights_only``.

    Returns:
        The same head.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, or holds another network.
    """
    try:
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"]
        net.load_state_dict({name.removeprefix("net."): value for name, value in state.items()})
    except FileNotFoundError:
        raise
    except Exception as error:  # torch.load has no one error for a file that is none of its own
        raise ValueError(
            f"{checkpoint} cannot be read as this network's weights; remove its folder and train again"
        ) from error
    return net.eval()
