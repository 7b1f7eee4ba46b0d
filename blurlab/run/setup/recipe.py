"""How networks are trained, checked before a run begins: optimizer, schedule, trainer."""

from __future__ import annotations

import logging
import warnings
from typing import Any

from omegaconf import DictConfig

from blurlab.run.errors import UsageError
from blurlab.run.setup.build import build, plain

TRAINER_SETTINGS = ("accelerator", "devices", "precision", "deterministic", "benchmark", "detect_anomaly", "profiler")
"""Arguments of Lightning's Trainer that a configuration may set; the run decides on all others."""
INSTEAD = {
    "max_epochs": "budget.epochs", "max_steps": "budget.epochs and budget.steps_per_epoch", "max_time": "budget.epochs",
    "min_epochs": "budget.epochs", "min_steps": "budget.epochs and budget.steps_per_epoch",
    "fast_dev_run": "budget=smoke", "overfit_batches": "budget=smoke", "limit_train_batches": "budget.steps_per_epoch",
    "limit_val_batches": "budget.draws_val", "check_val_every_n_epoch": "budget.steps_per_epoch",
    "val_check_interval": "budget.steps_per_epoch", "accumulate_grad_batches": "budget.batch_size",
    "gradient_clip_val": "optimizer.gradient_clip", "logger": "logger=<one of those that blurlab --help lists>",
    "default_root_dir": "hydra.run.dir", "enable_progress_bar": "run.progress",
    "strategy": "launcher=joblib, which runs jobs side by side", "num_nodes": "launcher=slurm, which runs a job a node",
}  # fmt: skip
"""Argument of the Trainer -> the setting of a run that decides on it."""


def check_recipe(cfg: DictConfig) -> None:
    """Raise where networks could not be trained with this optimizer, schedule, trainer and augmentation.

    Raises:
        UsageError: With the remedy.
    """
    import torch

    from blurlab.learning.schedule import SCHEDULES

    try:
        build(cfg.optimizer.factory)([torch.nn.Parameter(torch.zeros(1))])
    except (ValueError, TypeError) as error:
        raise UsageError(f"optimizer: {error}") from error
    if cfg.optimizer.schedule not in SCHEDULES:
        raise UsageError(f"unknown schedule '{cfg.optimizer.schedule}', expected one of {', '.join(SCHEDULES)}")
    if cfg.budget.draws_train and cfg.augment.name != "none":
        raise UsageError(
            f"augment={cfg.augment.name} degrades training items anew in every batch, and budget.draws_train="
            f"{cfg.budget.draws_train} keeps them fixed; use augment=none, or budget.draws_train=0"
        )
    check_trainer(cfg.trainer)


def check_trainer(trainer: DictConfig) -> None:
    """Raise where a setting of Lightning's Trainer is one that the run decides on, or cannot be had on this machine.

    Raises:
        UsageError: With the setting to use instead.
    """
    import torch

    options = {key: value for key, value in plain(trainer).items() if key not in ("_target_", "_partial_")}
    for key in options:
        if key not in TRAINER_SETTINGS:
            instead = f"; use {INSTEAD[key]}" if key in INSTEAD else f"; trainer takes {', '.join(TRAINER_SETTINGS)}"
            raise UsageError(f"trainer.{key} is decided by the run{instead}")
    devices = options.get("devices", 1)
    if devices not in (1, "1") and not (isinstance(devices, list) and len(devices) == 1):
        raise UsageError(
            f"trainer.devices must be 1, got {devices}: a run trains on one device; "
            "-m launcher=joblib runs jobs side by side"
        )
    if options.get("accelerator") == "gpu" and not torch.cuda.is_available():
        raise UsageError("trainer=gpu, but no CUDA device was found; use trainer=auto or trainer=cpu")
    try_trainer(build(trainer))


def try_trainer(factory: Any) -> None:
    """Make a Trainer and drop it: Lightning itself knows best which precisions and accelerators there are.

    Raises:
        UsageError: With what it says.
    """
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # shown again when a training begins
        try:
            factory(logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)
        except Exception as error:  # Lightning has several errors of its own
            raise UsageError(f"trainer: {' '.join(str(error).split())}") from error
