"""Training that adds the stages of a network one after another [Schuler2016]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from blurlab.core.weights import read_weights
from blurlab.head import LearningToDeblur
from blurlab.learning.checkpoint import read_checkpoint


class Growing(Callback):
    """Adds a stage of :class:`~blurlab.head.LearningToDeblur` at each of some shares of a training.

    A new stage is at first learned alone; then all stages are, end to end.

    Args:
        shares: Of all steps, after which another stage is added; rising, between 0 and 1.
        alone: Steps for which a new stage is learned alone; half of those until the next one at most.

    Raises:
        ValueError: If the shares do not rise from 0 to 1, or a number is negative.

    Example:
        >>> growing = Growing([0.5], alone=10)
        >>> [growing.at(step, 100) for step in (0, 50, 59, 60)]
        [(1, False), (2, True), (2, True), (2, False)]
    """

    def __init__(self, shares: Sequence[float], alone: int = 1000) -> None:
        if list(shares) != sorted({*shares}) or any(not 0 < one < 1 for one in shares) or alone < 0:
            raise ValueError(f"shares must rise between 0 and 1 and alone be 0 or more, got {list(shares)} and {alone}")
        self.shares = tuple(shares)
        self.alone = alone
        self.now: tuple[int, bool] | None = None

    def at(self, step: int, total: int) -> tuple[int, bool]:
        """Stages in use at a step of so many, and whether the last of them is learned alone."""
        starts = [0, *(round(share * total) for share in self.shares), total]
        count = sum(start <= step for start in starts[:-1])
        begun, ends = starts[count - 1], starts[count]
        return count, count > 1 and step - begun < min(self.alone, (ends - begun) // 2)

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forget an earlier training."""
        self.now = None

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: object, batch_idx: int
    ) -> None:
        """Use the stages of this step."""
        now = self.at(trainer.global_step, int(trainer.estimated_stepping_batches))
        if now != self.now:
            net = pl_module.net
            assert isinstance(net, LearningToDeblur)
            net.use_stages(now[0], last_alone=now[1])
            self.now = now


def start_from(net: LearningToDeblur, path: Path) -> None:
    """Take over the weights of a network of the same or of smaller kernels, as :func:`begin_larger`, from a file.

    Args:
        net: A network that is to be trained.
        path: A training's checkpoint, or a ``.safetensors`` file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, or holds no such network.
    """
    found = read_weights(path) if path.suffix == ".safetensors" else _trained(path)
    try:
        begin_larger(net, found)
    except ValueError as error:
        raise ValueError(f"{path} {error}") from error


def begin_larger(net: LearningToDeblur, found: Mapping[str, Tensor]) -> None:
    """Take over the weights of a network whose scales are the first of this one's.

    A scale that is new begins as the one before it, save a first stage that saw no latent image: what sharp edges look
    like differs little between scales.

    Args:
        net: A network that is to be trained.
        found: The other's ``state_dict``.

    Raises:
        ValueError: If that is of another kind of network.
    """
    own, given = net.state_dict(), dict(found)
    beta, in_use = given.pop("log_beta", None), given.pop("in_use", None)
    strange = [name for name, value in given.items() if name not in own or own[name].shape != value.shape]
    fits = beta is not None and beta.shape[1] == net.stages and len(beta) <= len(net.sides)
    if beta is None or in_use is None or strange or not fits:
        raise ValueError(
            f"holds no network whose scales are the first of this one's (sides {list(net.sides)} px, "
            f"{net.stages} stages each); choose the head's options of its training"
        )
    own.update(given)
    for scale in range(len(beta), len(net.sides)):
        for name in [one for one in own if one.startswith(f"scales.{scale}.")]:
            _, _, stage, weights = name.split(".")
            for nearest in (stage, str(int(stage) + 1)):
                before = own.get(f"scales.{scale - 1}.{nearest}.{weights}")
                if before is not None and before.shape == own[name].shape:
                    own[name] = before.clone()
                    break
    own["log_beta"][: len(beta)], own["log_beta"][len(beta) :] = beta, beta[-1]
    own["in_use"][: len(beta)] = in_use
    net.load_state_dict(own)


def _trained(path: Path) -> dict[str, Tensor]:
    return {name.removeprefix("net."): value for name, value in read_checkpoint(path)["state_dict"].items()}
