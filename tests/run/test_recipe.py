"""Arguments of Lightning's Trainer: those that a run decides on are refused in a line, all others do what they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from tiny_run import go

from blurlab.run.command.compose import check
from blurlab.run.errors import UsageError
from blurlab.run.setup.recipe import DECIDED, check_trainer

NODE = {"_target_": "pytorch_lightning.Trainer", "_partial_": True, "accelerator": "cpu"}


@pytest.mark.parametrize(
    ("key", "value", "instead"),
    [
        ("max_epochs", 1, "use budget.epochs"),
        ("gradient_clip_val", 1.0, "use optimizer.gradient_clip"),
        ("logger", False, "use logger=<one of"),
        ("callbacks", [], "leave it out"),
        ("plugins", [], "leave it out"),
        ("enable_checkpointing", False, "leave it out"),
        ("enable_progress_bar", False, "use run.progress"),
        ("default_root_dir", "x", "use hydra.run.dir"),
        ("num_sanity_val_steps", 2, "leave it out"),
        ("num_nodes", 2, "use launcher=slurm"),
        ("use_distributed_sampler", True, "each process takes its part of every batch"),
        ("barebones", True, "leave it out"),
    ],
)
def test_what_the_run_decides_on_is_refused_with_what_to_do_instead(key: str, value: Any, instead: str) -> None:
    assert key in DECIDED
    with pytest.raises(UsageError, match=rf"trainer.{key} is decided by the run; .*{instead}"):
        check_trainer(OmegaConf.create({**NODE, key: value}))


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"devices": 2},
        {"devices": 2, "strategy": "ddp"},
        {"precision": "bf16-mixed"},
        {"deterministic": True},
        {"profiler": "simple"},
        {"limit_val_batches": 2},
        {"limit_train_batches": 0.5},
        {"fast_dev_run": True},
        {"max_steps": 3},
        {"max_time": "00:00:00:10"},
        {"accumulate_grad_batches": 2},
        {"check_val_every_n_epoch": 2},
        {"overfit_batches": 1},
        {"log_every_n_steps": 1},
    ],
)
def test_the_rest_is_lightnings(more: dict[str, Any]) -> None:
    check_trainer(OmegaConf.create({**NODE, **more}))


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"nonsense": 1}, "no argument 'nonsense'"),
        ({"max_step": 1}, "did you mean 'max_steps'"),
        ({"strategy": "deepspeed"}, "strategy must be one of auto, ddp, ddp_fork, ddp_spawn, fsdp, got deepspeed"),
        ({"limit_val_batches": 0}, "leaves nothing to choose the best network by"),
        ({"accelerator": "abacus"}, "trainer: "),
        ({"precision": "abc"}, "trainer: "),
        ({"profiler": "abc"}, "trainer: "),
        ({"devices": 0}, "trainer: "),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_read(more: dict[str, Any], line: str) -> None:
    with pytest.raises(UsageError, match=line) as caught:
        check_trainer(OmegaConf.create({**NODE, **more}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["gpu", "mps", "fsdp"])
def test_a_device_that_is_not_there_is_told_in_a_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UsageError, match=rf"trainer={name}, but .* use trainer=auto or trainer=cpu"):
        check([f"trainer={name}", f"paths.runs_dir={tmp_path}"])


def test_a_command_line_with_the_trainers_epochs_is_refused(tmp_path: Any) -> None:
    with pytest.raises(UsageError, match=r"trainer\.max_epochs is decided by the run; use budget\.epochs"):
        check(["+trainer.max_epochs=1", f"paths.runs_dir={tmp_path}"])
    assert list(tmp_path.iterdir()) == []


def test_more_processes_than_images_of_a_batch_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"budget\.batch_size=1 is less than the 2 processes"):
        check(["trainer=cpu", "trainer.devices=2", "budget=smoke", "budget.batch_size=1", f"paths.runs_dir={tmp_path}"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "steps", "epochs"),
    [
        (("trainer.fast_dev_run=true",), 1, 1),
        (("trainer.max_steps=3",), 3, 2),
        (("trainer.max_steps=1",), 1, 1),
        (("trainer.limit_train_batches=1",), 5, 5),
        (("trainer.accumulate_grad_batches=2",), 5, 5),
        (("trainer.limit_val_batches=1",), 10, 5),
    ],
)
def test_a_training_is_as_long_as_the_trainer_says(
    words: tuple[str, ...], steps: int, epochs: int, tmp_path: Path
) -> None:
    """Two steps an epoch, five epochs, unless the words say otherwise; a network is kept in any case."""
    assert go(tmp_path / "run", *words)["val_loss"] > 0
    done = json.loads((tmp_path / "run" / "stages" / "train_taps" / "finished.json").read_text())
    assert (done["steps"], done["epochs"]) == (steps, epochs)
