"""Every logger of the group, built as a run builds it; and the names by which earlier runs saved them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fast_set import slow_where
from omegaconf import OmegaConf

from blurlab.run.command.names import conf_dir, options
from blurlab.run.errors import UsageError
from blurlab.run.setup.build import build
from blurlab.run.setup.logger import Csv, RunLogger, TensorBoard, Wandb
from blurlab.run.setup.logger.wandb import wandb_folders
from blurlab.run.setup.targets import resolve


@pytest.mark.parametrize("name", slow_where(options("logger"), lambda name: name == "wandb"))
def test_a_logger_takes_all_that_a_run_says_and_writes_below_the_run_directory(name: str, tmp_path: Path) -> None:
    with wandb_folders(tmp_path):
        logger = build(OmegaConf.load(conf_dir() / "logger" / f"{name}.yaml"))(tmp_path, "a run", {"run.seed": 0})
        assert isinstance(logger, RunLogger)
        logger.log_metrics({"psnr": 31.5}, step=0)
        logger.log_confusion({"kind": {"labels": ["none", "motion"], "matrix": [[3, 1], [0, 4]]}})
        logger.log_pictures({"example/0/sharp": np.full((8, 8, 1), 0.5)})
        logger.save()
        logger.close("success")
    assert any(path.is_file() and path.stat().st_size for path in tmp_path.rglob("*"))


@pytest.mark.parametrize("folder", ["blurlab.run.logging", "blurlab.run.setup.logging"])
@pytest.mark.parametrize(("old", "new"), [("csv", Csv), ("tensorboard", TensorBoard), ("wandb", Wandb)])
def test_a_logger_that_an_earlier_version_saved_is_found(folder: str, old: str, new: type) -> None:
    assert resolve(f"{folder}.{old}_logger") is new


@pytest.mark.parametrize("name", ["csv.CSVLogger", "wandb.wandb_folders", "base.eight_bit", "wandb.os.system"])
def test_what_the_loggers_import_or_help_themselves_with_may_not_be_named(name: str) -> None:
    with pytest.raises(UsageError, match="not allowed"):
        resolve(f"blurlab.run.setup.logger.{name}")
