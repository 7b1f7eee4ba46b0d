"""Settings of Lightning's Trainer: which a run takes, and what to set instead of the others."""

from __future__ import annotations

from typing import Any

import pytest
from omegaconf import OmegaConf

from blurlab.run.command.compose import check
from blurlab.run.errors import UsageError
from blurlab.run.setup.recipe import TRAINER_SETTINGS, check_trainer

NODE = {"_target_": "pytorch_lightning.Trainer", "_partial_": True, "accelerator": "cpu"}


@pytest.mark.parametrize(
    ("key", "value", "instead"),
    [
        ("max_epochs", 1, "budget.epochs"),
        ("max_steps", 1, "budget.steps_per_epoch"),
        ("max_time", "00:00:00:10", "budget.epochs"),
        ("fast_dev_run", True, "budget=smoke"),
        ("limit_val_batches", 0, "budget.draws_val"),
        ("limit_train_batches", 1, "budget.steps_per_epoch"),
        ("overfit_batches", 1, "budget=smoke"),
        ("check_val_every_n_epoch", 2, "budget.steps_per_epoch"),
        ("val_check_interval", 0.5, "budget.steps_per_epoch"),
        ("accumulate_grad_batches", 2, "budget.batch_size"),
        ("gradient_clip_val", 1.0, "optimizer.gradient_clip"),
        ("logger", False, "logger=<one of"),
        ("callbacks", [], "trainer takes accelerator"),
        ("enable_checkpointing", False, "trainer takes accelerator"),
        ("default_root_dir", "x", "hydra.run.dir"),
        ("strategy", "ddp", "launcher=joblib"),
        ("num_nodes", 2, "launcher=slurm"),
        ("barebones", True, "trainer takes accelerator"),
        ("nonsense", 1, "trainer takes accelerator"),
    ],
)
def test_what_the_run_decides_on_is_refused_with_what_to_set_instead(key: str, value: Any, instead: str) -> None:
    with pytest.raises(UsageError, match=rf"trainer.{key} is decided by the run; .*{instead}"):
        check_trainer(OmegaConf.create({**NODE, key: value}))


@pytest.mark.parametrize("devices", [2, -1, "auto", [0, 1], "2", 0, None, "1,2"])
def test_a_run_trains_on_one_device(devices: Any) -> None:
    with pytest.raises(UsageError, match=r"trainer\.devices must be 1"):
        check_trainer(OmegaConf.create({**NODE, "devices": devices}))


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"devices": 1},
        {"precision": "bf16-mixed"},
        {"deterministic": True},
        {"profiler": "simple"},
    ],
)
def test_the_rest_is_lightnings(more: dict[str, Any]) -> None:
    assert {*more} <= {*TRAINER_SETTINGS}
    check_trainer(OmegaConf.create({**NODE, **more}))


@pytest.mark.parametrize(
    ("key", "value"), [("precision", "17"), ("precision", "abc"), ("accelerator", "abacus"), ("profiler", "abc")]
)
def test_what_lightning_refuses_is_found_before_anything_is_read(key: str, value: Any) -> None:
    with pytest.raises(UsageError, match="trainer: ") as caught:
        check_trainer(OmegaConf.create({**NODE, key: value}))
    assert "\n" not in str(caught.value)


def test_a_command_line_with_the_trainers_epochs_is_refused(tmp_path: Any) -> None:
    with pytest.raises(UsageError, match=r"trainer\.max_epochs is decided by the run; use budget\.epochs"):
        check(["+trainer.max_epochs=1", f"paths.runs_dir={tmp_path}"])
    assert list(tmp_path.iterdir()) == []
