"""Figures and pictures as TensorBoard events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pytorch_lightning.loggers import TensorBoardLogger

from blurlab.run.setup.logger.base import RunLogger, eight_bit


class TensorBoard(RunLogger, TensorBoardLogger):
    """TensorBoard events under ``run_dir/tensorboard``.

    Args:
        run_dir: Directory of the run.
        name: Name of the run; the folder is called tensorboard whatever the run is called.
        config: Configuration, logged as hyperparameters.
    """

    def __init__(self, run_dir: Path, name: str, config: dict[str, Any]) -> None:
        super().__init__(save_dir=str(run_dir), name="tensorboard", version="")
        self.log_hyperparams(config)

    def log_pictures(self, pictures: dict[str, np.ndarray]) -> None:
        for title, image in pictures.items():
            self.experiment.add_image(title, eight_bit(image), dataformats="HWC")
