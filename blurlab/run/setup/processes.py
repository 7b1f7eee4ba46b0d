"""A training in several processes: how they are started, what they log, and how their end reaches the run's process.

Only a training runs in several; they are started for it and end with it, and the run goes on in its own process.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import Logger
from pytorch_lightning.strategies import DDPStrategy, FSDPStrategy
from pytorch_lightning.strategies.launchers.multiprocessing import _MultiProcessingLauncher
from pytorch_lightning.utilities import rank_zero_only

from blurlab.learning import LAST, Diverged, Pruned, read_checkpoint
from blurlab.run.errors import UsageError

RELAY = "relay.jsonl"


class StartedFSDP(FSDPStrategy):
    """FSDP whose processes are started for one training, as those of DDP are; Lightning's own runs the command anew."""

    def _configure_launcher(self) -> None:
        self._launcher = _MultiProcessingLauncher(self, start_method="spawn")


class Relay(Logger):
    """Keeps figures in a file until the processes have ended; a logger's connections do not outlive a new process.

    Args:
        folder: The stage's.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.path = folder / RELAY

    @property
    def name(self) -> str:
        """The logger's name."""
        return "relay"

    @property
    def version(self) -> int:
        """Of no meaning."""
        return 0

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """The run's logger has them."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Add a line to the file; only the first process does."""
        line = {"step": step, "metrics": {name: float(value) for name, value in metrics.items()}}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def hand_on(self, logger: Logger) -> None:
        """Log what was kept by the run's logger, and remove the file."""
        if self.path.is_file():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                held = json.loads(line)
                logger.log_metrics(held["metrics"], held["step"])
            self.path.unlink()


def count(factory: Any) -> int:
    """How many processes a training of a configured Trainer would have.

    Args:
        factory: Makes the Trainer.

    Raises:
        UsageError: If Lightning refuses the configuration.
    """
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # shown again when a training begins
        try:
            return int(factory(**quiet, strategy="auto", enable_model_summary=False).num_devices)
        except Exception as error:  # Lightning has several errors of its own
            raise UsageError(f"trainer: {' '.join(str(error).split())}") from error


def strategy(name: str, processes: int, on_cpu: bool) -> Any:
    """Lightning's strategy for a training.

    Args:
        name: ``auto``, ``ddp``, ``ddp_fork``, ``ddp_spawn`` or ``fsdp``.
        processes: How many it has.
        on_cpu: Is it on the CPU? Then processes are copies of this one; a CUDA device does not survive in a copy.
    """
    if name == "auto" and processes == 1:
        return "auto"
    if name == "fsdp":
        return StartedFSDP()
    start = {"ddp_fork": "fork", "ddp_spawn": "spawn"}.get(name, "fork" if on_cpu else "spawn")
    return DDPStrategy(start_method=start, process_group_backend="gloo" if on_cpu else None)  # type: ignore[arg-type]


def take_over(trainer: pl.Trainer, folder: Path) -> None:
    """Let a Trainer know how a training ended that other processes did: from ``last.ckpt``, which names the best."""
    held = read_checkpoint(folder / LAST)
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if callback.state_key in held["callbacks"]:
            callback.load_state_dict(held["callbacks"][callback.state_key])
    trainer.fit_loop.load_state_dict(held["loops"]["fit_loop"])
    current = trainer.fit_loop.epoch_progress.current
    current.completed = current.ready  # a checkpoint is written before its epoch counts


def said_by_process(error: Exception) -> Exception:
    """What ended a process of a training, in one line; the run's process gets a text with a traceback instead."""
    last = str(error).strip().splitlines()[-1]
    kind, _, words = last.partition(": ")
    known: dict[str, type[Exception]] = {"Diverged": Diverged, "Pruned": Pruned}
    return known.get(kind.rpartition(".")[2], RuntimeError)(words or last)


def refuse_uneven(batch_size: int, processes: int) -> None:
    """Raise where a batch has fewer images than there are processes.

    Raises:
        UsageError: With the remedy.
    """
    if batch_size < processes:
        raise UsageError(f"budget.batch_size={batch_size} is less than the {processes} processes of trainer.devices")


def torch_device(accelerator: str) -> torch.device:
    """The device on which a run computes beside its trainings."""
    if accelerator == "cpu":
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if accelerator in ("mps", "gpu") and torch.backends.mps.is_available() else "cpu")
