"""Figures as comma-separated values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import CSVLogger

from blurlab.run.setup.logger.base import RunLogger


class Csv(RunLogger, CSVLogger):
    """Comma-separated values under ``run_dir/csv``, a folder for each time the run was started.

    Args:
        run_dir: Directory of the run.
        name: Name of the run; the folder is called csv whatever the run is called.
        config: Configuration, logged as hyperparameters.
    """

    def __init__(self, run_dir: Path, name: str, config: dict[str, Any]) -> None:
        super().__init__(save_dir=str(run_dir), name="csv")
        self.log_hyperparams(config)
