"""Remembers where the last sweep wrote, so that its table can be printed when all jobs are done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

finished: list[Path] = []


class RememberSweep(Callback):
    """Hydra callback: notes the sweep's directory when its last job has ended."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Keep the directory in :data:`finished`."""
        finished.append(Path(config.hydra.sweep.dir))
