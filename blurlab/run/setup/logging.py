"""Loggers by name and what a run says to them: figures, a confusion matrix, example pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger

from blurlab.core.rng import seed_from


@contextmanager
def wandb_folders(run_dir: Path) -> Iterator[None]:
    """Let wandb write below ``<run_dir>/wandb`` alone, where it would use the home directory, which may be read-only.

    Folders that the environment names stay.
    """
    places = {"WANDB_DATA_DIR": "data", "WANDB_CACHE_DIR": "cache"}
    ours = {name: str(run_dir / "wandb" / place) for name, place in places.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)


def wandb_logger(run_dir: Path, name: str, config: dict[str, Any], *, project: str) -> Logger:
    """Weights & Biases, offline unless WANDB_MODE=online is set; files under ``run_dir/wandb``.

    A run directory has one id: a run that is resumed goes on in the same W&B run.
    """
    os.environ.setdefault("WANDB_SILENT", "true")
    import wandb

    run = wandb.init(
        project=project,
        name=name,
        dir=str(run_dir),
        id=f"{seed_from(str(run_dir.resolve())):016x}",
        resume="allow",
        config=config,
        mode=os.environ.get("WANDB_MODE", "offline"),  # type: ignore[arg-type]  # wandb refuses other words itself
        reinit="finish_previous",
        settings=wandb.Settings(console="off", silent=True),
    )
    return WandbLogger(experiment=run)


def csv_logger(run_dir: Path, name: str, config: dict[str, Any]) -> Logger:
    """Comma-separated values under ``run_dir/csv``, a folder for each time the run was started."""
    logger = CSVLogger(save_dir=str(run_dir), name="csv")
    logger.log_hyperparams(config)
    return logger


def tensorboard_logger(run_dir: Path, name: str, config: dict[str, Any]) -> Logger:
    """TensorBoard events under ``run_dir/tensorboard``."""
    logger = TensorBoardLogger(save_dir=str(run_dir), name="tensorboard", version="")
    logger.log_hyperparams(config)
    return logger


def log_results(
    logger: Logger,
    metrics: dict[str, float],
    confusion: dict[str, Any] | None = None,
    pictures: dict[str, np.ndarray] | None = None,
) -> None:
    """Log final figures, and where the logger can show them the confusion matrices and pictures.

    Args:
        logger: Any Lightning logger.
        metrics: Figures by metric name.
        confusion: Name -> {"labels": [...], "matrix": [[...]]}, rows the truth.
        pictures: Title -> array (H, W, C) in [0, 1].
    """
    logger.log_metrics(metrics)
    if isinstance(logger, WandbLogger):
        import wandb

        tables = {
            f"confusion/{name}": wandb.Table(
                columns=["true", *table["labels"]],
                data=[[label, *row] for label, row in zip(table["labels"], table["matrix"], strict=True)],
            )
            for name, table in (confusion or {}).items()
        }
        logger.experiment.log(tables)
    log_pictures(logger, {f"example/{title}": image for title, image in (pictures or {}).items()})
    logger.save()


def log_pictures(logger: Logger, pictures: dict[str, np.ndarray]) -> None:
    """Log pictures where the logger can show them.

    Args:
        logger: Any Lightning logger.
        pictures: Title -> array (H, W, C) in [0, 1].
    """
    if isinstance(logger, WandbLogger):
        import wandb

        logger.experiment.log({title: wandb.Image(_eight_bit(image)) for title, image in pictures.items()})
    elif isinstance(logger, TensorBoardLogger):
        for title, image in pictures.items():
            logger.experiment.add_image(title, _eight_bit(image), dataformats="HWC")


def close(logger: Logger, status: str) -> None:
    """End the logger's run as ``success`` or ``failed``, so the next job of a sweep begins its own."""
    logger.finalize(status)
    if isinstance(logger, WandbLogger):
        logger.experiment.finish(exit_code=int(status != "success"))


def _eight_bit(image: np.ndarray) -> np.ndarray:
    return np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
