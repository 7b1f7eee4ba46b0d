"""The words that a run is made of where they are not all typed: the budget, and those of a run that goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from blurlab.run.command.compose import with_budget
from blurlab.run.command.resume import with_resume
from blurlab.run.errors import UsageError


def test_budget_is_small_without_a_cuda_device_and_never_overrides_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert with_budget(["seed=1"])[0] == ["seed=1", "budget=small"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert with_budget(["budget=auto"])[0] == ["budget=full"]
    assert with_budget(["budget=smoke"]) == (["budget=smoke"], "")


def test_resume_replays_the_saved_command_line(tmp_path: Path) -> None:
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "overrides.yaml").write_text("- +experiment=messidor_hier\n- budget=smoke\n")
    words = with_resume([f"run.resume={tmp_path}"])
    assert words[:2] == ["+experiment=messidor_hier", "budget=smoke"]
    assert words[-1] == f"hydra.run.dir='{tmp_path}'"


def test_resume_refuses_other_settings(tmp_path: Path) -> None:
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "overrides.yaml").write_text("- budget=smoke\n")
    with pytest.raises(UsageError, match=r"noise.sigma=0.1 beside run.resume"):
        with_resume([f"run.resume={tmp_path}", "noise.sigma=0.1"])
    assert "run.keep=true" in with_resume([f"run.resume={tmp_path}", "run.keep=true"])


def test_resume_of_a_directory_that_no_run_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run directory"):
        with_resume([f"run.resume={tmp_path}"])
