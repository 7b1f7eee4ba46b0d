"""Weights & Biases, which writes below the run directory alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from pytorch_lightning.loggers import WandbLogger

from blurlab.core.rng import seed_from
from blurlab.run.setup.logger.base import RunLogger, eight_bit


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


class Wandb(RunLogger, WandbLogger):
    """Weights & Biases, offline unless WANDB_MODE=online is set; files under ``run_dir/wandb``.

    A run directory has one id: a run that is resumed goes on in the same W&B run.

    Args:
        run_dir: Directory of the run.
        name: Name of the run.
        config: Configuration, logged as hyperparameters.
        project: Project of W&B to which the run belongs.
    """

    def __init__(self, run_dir: Path, name: str, config: dict[str, Any], *, project: str) -> None:
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
        super().__init__(experiment=run)

    def log_pictures(self, pictures: dict[str, np.ndarray]) -> None:
        import wandb

        self.experiment.log({title: wandb.Image(eight_bit(image)) for title, image in pictures.items()})

    def log_confusion(self, tables: dict[str, dict[str, Any]]) -> None:
        import wandb

        self.experiment.log({
            f"confusion/{name}": wandb.Table(
                columns=["true", *table["labels"]],
                data=[[label, *row] for label, row in zip(table["labels"], table["matrix"], strict=True)],
            )
            for name, table in tables.items()
        })  # fmt: skip

    def close(self, status: str) -> None:
        super().close(status)
        self.experiment.finish(exit_code=int(status != "success"))
