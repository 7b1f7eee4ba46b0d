"""How networks are trained, checked before a run begins: optimizer, schedule, trainer."""

from __future__ import annotations

import inspect
import logging
import warnings
from typing import Any

from omegaconf import DictConfig

from blurlab.run.errors import UsageError, nearest
from blurlab.run.setup.build import build, plain

DECIDED = {
    "max_epochs": "use budget.epochs", "logger": "use logger=<one of those that blurlab --help lists>",
    "default_root_dir": "use hydra.run.dir", "enable_progress_bar": "use run.progress",
    "gradient_clip_val": "use optimizer.gradient_clip", "num_nodes": "use launcher=slurm: a job a node",
    "callbacks": "leave it out", "plugins": "leave it out", "enable_checkpointing": "leave it out: a run needs them",
    "num_sanity_val_steps": "leave it out: photographs were checked before", "barebones": "leave it out",
    "use_distributed_sampler": "leave it out: each process takes its part of every batch",
}  # fmt: skip
"""Argument of Lightning's Trainer that a run decides on -> what to do instead; every other one is the user's."""
STRATEGIES = ("auto", "ddp", "ddp_fork", "ddp_spawn", "fsdp")


def check_recipe(cfg: DictConfig) -> None:
    """Raise where networks could not be trained with this optimizer, schedule, trainer and augmentation.

    Raises:
        UsageError: With the remedy.
    """
    import torch

    from blurlab.learning.schedule import SCHEDULES
    from blurlab.run.setup.processes import count, refuse_uneven

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
    echo = cfg.budget.echo
    if echo > 1 and (cfg.budget.draws_train or cfg.budget.steps_per_epoch % echo):
        raise UsageError(
            f"budget.echo={echo} repeats the batches of an epoch: budget.steps_per_epoch must be a multiple of it and "
            f"budget.draws_train 0, got {cfg.budget.steps_per_epoch} and {cfg.budget.draws_train}"
        )
    check_trainer(cfg.trainer)
    refuse_uneven(int(cfg.budget.batch_size), count(build(cfg.trainer)))


def check_trainer(trainer: DictConfig) -> None:
    """Raise where a setting of Lightning's Trainer is one that the run decides on, or cannot be had on this machine.

    Raises:
        UsageError: With the setting to use instead.
    """
    import pytorch_lightning as pl

    options = {key: value for key, value in plain(trainer).items() if key not in ("_target_", "_partial_")}
    known = inspect.signature(pl.Trainer).parameters
    for key, value in options.items():
        if key in DECIDED:
            raise UsageError(f"trainer.{key} is decided by the run; {DECIDED[key]}")
        if key not in known:
            raise UsageError(f"Lightning's Trainer has no argument '{key}'{nearest(key, {*known} - {*DECIDED})}")
        if value == 0 and key.startswith("limit_") and not isinstance(value, bool):
            raise UsageError(f"trainer.{key}=0 leaves nothing to choose the best network by; name 1 or more")
    if options.get("strategy", "auto") not in STRATEGIES:
        raise UsageError(f"trainer.strategy must be one of {', '.join(STRATEGIES)}, got {options['strategy']}")
    refuse_lacking_device(str(options.get("accelerator", "auto")), str(options.get("strategy", "auto")))
    try_trainer(build(trainer))


def refuse_lacking_device(accelerator: str, strategy: str) -> None:
    """Raise where this machine lacks the device that is asked for.

    Raises:
        UsageError: With the remedy.
    """
    import torch

    cuda = torch.cuda.is_available()
    if accelerator in ("gpu", "cuda") and not cuda and not (accelerator == "gpu" and torch.backends.mps.is_available()):
        raise UsageError(
            f"trainer={'fsdp' if strategy == 'fsdp' else 'gpu'}, but no CUDA device was found; "
            "use trainer=auto or trainer=cpu"
        )
    if accelerator == "mps" and not torch.backends.mps.is_available():
        raise UsageError("trainer=mps, but this is no Mac with such a device; use trainer=auto or trainer=cpu")
    if strategy == "fsdp" and not cuda:
        raise UsageError("trainer.strategy=fsdp needs CUDA devices; use trainer=ddp")


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
