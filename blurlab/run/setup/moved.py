"""Where classes stand now that a configuration saved by an earlier version names otherwise."""

from __future__ import annotations

import re

MOVED = {
    "blurlab.dataset.Some": "blurlab.dataset.Subset",
    "blurlab.pipeline.Known": "blurlab.pipeline.KnownKernel",
    "blurlab.report.stage.WriteReport": "blurlab.run.stage.report.WriteReport",
    "blurlab.run.calibrate.Calibrate": "blurlab.run.stage.calibrate.Calibrate",
    "blurlab.run.evaluate.Evaluate": "blurlab.run.stage.evaluate.Evaluate",
    "blurlab.run.lessons.Lessons": "blurlab.run.stage.fit_parts.FitParts",
    "blurlab.run.logging.csv_logger": "blurlab.run.setup.logger.Csv",
    "blurlab.run.logging.tensorboard_logger": "blurlab.run.setup.logger.TensorBoard",
    "blurlab.run.logging.wandb_logger": "blurlab.run.setup.logger.Wandb",
    "blurlab.run.setup.logging.csv_logger": "blurlab.run.setup.logger.Csv",
    "blurlab.run.setup.logging.tensorboard_logger": "blurlab.run.setup.logger.TensorBoard",
    "blurlab.run.setup.logging.wandb_logger": "blurlab.run.setup.logger.Wandb",
    "blurlab.run.restoration.Restoration": "blurlab.run.stage.restore.Restore",
    "blurlab.run.restorer.TrainRestorer": "blurlab.run.stage.train_restore.TrainRestorer",
    "blurlab.run.robustness.Robustness": "blurlab.run.stage.robust.Robustness",
    "blurlab.run.train.Train": "blurlab.run.stage.train.Train",
}
"""Old target -> present one."""

KEYS = {"stage.lessons": "stage.fit_parts"}
"""Old key -> present one."""


def present_word(word: str) -> str:
    """A saved word of a command line, in which the key has its present name.

    Example:
        >>> present_word("~stage.lessons")
        '~stage.fit_parts'
    """
    for old, new in KEYS.items():
        word = re.sub(rf"^([+~]*){re.escape(old)}(?=[.=]|$)", rf"\1{new}", word)
    return word
