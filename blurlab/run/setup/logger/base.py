"""What a run asks of its logger, besides what Lightning asks."""

from __future__ import annotations

from abc import ABC
from typing import Any

import numpy as np
from pytorch_lightning.loggers import Logger


class RunLogger(Logger, ABC):
    """A Lightning logger, built as ``Member(run_dir, name, config, **options)``; options come from its YAML file.

    A subclass writes below the run directory and logs ``config`` as its hyperparameters. What it cannot show, it need
    not override.
    """

    def log_pictures(self, pictures: dict[str, np.ndarray]) -> None:
        """Show pictures; here nothing.

        Args:
            pictures: Title -> array (H, W, C) in [0, 1].
        """

    def log_confusion(self, tables: dict[str, dict[str, Any]]) -> None:
        """Show confusion matrices; here nothing.

        Args:
            tables: Name -> {"labels": [...], "matrix": [[...]]}, rows the truth.
        """

    def close(self, status: str) -> None:
        """End the logger's run as ``success`` or ``failed``, so the next job of a sweep begins its own."""
        self.finalize(status)


def eight_bit(image: np.ndarray) -> np.ndarray:
    """A picture in [0, 1] as bytes; what lies outside is clipped."""
    return np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
