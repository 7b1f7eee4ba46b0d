"""A run that was stopped ends as one that was not, wherever it lies now and whatever became of its checkpoints."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import open_dict
from rich.console import Console
from tiny_run import BEST_EPOCH, EPOCHS, TRAINED, config, finished, go, same_training, stop

from blurlab.learning import Supervised
from blurlab.run.command.job import run
from blurlab.run.errors import UsageError

pytestmark = pytest.mark.slow
LAST, BEST = TRAINED / "last.ckpt", TRAINED / "best.ckpt"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The run without a stop."""
    return same_training(go(tmp_path_factory.mktemp("whole") / "run"))


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run stopped in its last epoch, whose network is not the best; to be copied."""
    run_dir = tmp_path_factory.mktemp("stopped") / "run"
    with pytest.MonkeyPatch.context() as monkeypatch:
        stop(run_dir, monkeypatch)
    assert torch.load(run_dir / BEST, weights_only=True)["epoch"] == BEST_EPOCH < EPOCHS - 1
    return run_dir


def copied(stopped: Path, to: Path) -> Path:
    return Path(shutil.copytree(stopped, to))


def renamed_folder(stopped: Path, tmp_path: Path) -> Path:
    copied(stopped, tmp_path / "runs" / "it")
    return (tmp_path / "runs").rename(tmp_path / "archive") / "it"


def behind_a_link(stopped: Path, tmp_path: Path) -> Path:
    copied(stopped, tmp_path / "real" / "it")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    return tmp_path / "link" / "it"


def named_otherwise(stopped: Path, tmp_path: Path) -> Path:
    return copied(stopped, tmp_path / "été [1]=x, y")


@pytest.mark.parametrize("move", [lambda a, b: copied(a, b / "moved"), renamed_folder, behind_a_link, named_otherwise])
def test_a_moved_run_ends_with_the_same_best_network(
    move: Callable[[Path, Path], Path], whole: Any, stopped: Path, tmp_path: Path
) -> None:
    assert go(move(stopped, tmp_path)) == whole


def test_a_run_goes_on_from_another_working_directory(
    whole: Any, stopped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied(stopped, tmp_path / "a" / "it")
    (tmp_path / "b").mkdir()
    monkeypatch.chdir(tmp_path / "b")
    cfg = config(tmp_path)
    run(cfg, Path("..", "a", "it"), Console(quiet=True))
    assert finished(tmp_path / "a" / "it") == whole


def test_a_run_stopped_twice_and_moved_between_ends_the_same(
    whole: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop(tmp_path / "one", monkeypatch, epoch=2)
    shutil.move(tmp_path / "one", tmp_path / "two")
    stop(tmp_path / "two", monkeypatch)
    shutil.move(tmp_path / "two", tmp_path / "three")
    assert go(tmp_path / "three") == whole


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3000])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("not a checkpoint")


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps(Path("x")))


def weights_alone(path: Path) -> None:
    torch.save({"net.weight": torch.zeros(3)}, path)


DAMAGES = [cut, empty, text, pickled, weights_alone]


@pytest.mark.parametrize(
    ("damage", "which"), [*((damage, [path]) for damage in DAMAGES for path in (LAST, BEST)), (cut, [LAST, BEST])]
)
def test_a_damaged_checkpoint_is_named_and_passed_over(
    damage: Callable[[Path], None], which: list[Path], whole: Any, stopped: Path, tmp_path: Path
) -> None:
    folder = copied(stopped, tmp_path / "run")
    for path in which:
        damage(folder / path)
    said = io.StringIO()
    assert go(folder, console=Console(file=said, width=500)) == whole
    assert all(f"{folder / path} is empty, cut off or no checkpoint: passed over" in said.getvalue() for path in which)


@pytest.mark.parametrize("missing", [LAST, BEST])
def test_a_missing_checkpoint_changes_nothing_in_the_end(
    missing: Path, whole: Any, stopped: Path, tmp_path: Path
) -> None:
    folder = copied(stopped, tmp_path / "run")
    (folder / missing).unlink()
    assert go(folder) == whole


def test_checkpoints_of_two_times_end_the_same(
    whole: Any, stopped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``best.ckpt`` from a backup: the network of the score that ``last.ckpt`` names is not there."""
    early = tmp_path / "early"
    stop(early, monkeypatch, epoch=2)
    shutil.copy(early / "settings.json", tmp_path / "id")
    for name in ("older", "newer"):
        folder = copied(stopped, tmp_path / name)
        for old in early.glob("stages/*/*.ckpt"):  # as if of the same run
            restamp(old, folder)
        kept = BEST if name == "older" else LAST
        shutil.copy(early / kept, folder / kept)
        assert go(folder) == whole


def restamp(checkpoint: Path, run_dir: Path) -> None:
    """Let a checkpoint be of the run that lies in ``run_dir``."""
    held = torch.load(checkpoint, weights_only=True)
    held["callbacks"]["RunStamp"] = torch.load(run_dir / LAST, weights_only=True)["callbacks"]["RunStamp"]
    torch.save(held, checkpoint)


@pytest.mark.parametrize("which", [LAST, BEST])
def test_a_checkpoint_of_another_run_is_refused_by_name(
    which: Path, stopped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    stop(other, monkeypatch, "run.seed=3")
    folder = copied(stopped, tmp_path / "run")
    shutil.copy(other / which, folder / which)
    with pytest.raises(UsageError, match=f"{which.name} is of run .*, not of this one"):
        go(folder)


def test_a_best_network_of_another_run_is_not_used_after_the_training(stopped: Path, tmp_path: Path) -> None:
    folder = copied(stopped, tmp_path / "run")
    go(folder)
    other = tmp_path / "other"
    go(other, "run.seed=3")
    shutil.copy(other / BEST, folder / BEST)
    cfg = config(tmp_path)
    with open_dict(cfg):
        cfg.stage.evaluate = {"_target_": "blurlab.run.stage.evaluate.Evaluate"}
    with pytest.raises(ValueError, match=r"best\.ckpt is of run .*, stage taps; put back its own"):
        run(cfg, folder, Console(quiet=True))


def test_checkpoints_without_a_stamp_are_gone_on_from(whole: Any, stopped: Path, tmp_path: Path) -> None:
    """Those of an earlier version: no stamp, absolute paths, the present keys of Lightning's own callbacks."""
    folder = copied(stopped, tmp_path / "run")
    for path in (LAST, BEST):
        held = torch.load(folder / path, weights_only=True)
        assert sum(key.startswith("ModelCheckpoint{") for key in held["callbacks"]) == 2
        del held["callbacks"]["RunStamp"]
        torch.save(held, folder / path)
    assert go(folder) == whole


def test_a_training_that_had_ended_at_the_plateau_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after its last epoch, before its mark: the epoch after it could be better, and the run another."""
    words = ["budget.epochs=8", "budget.patience=1"]
    whole = same_training(go(tmp_path / "run", *words))
    mark = tmp_path / "run" / TRAINED / "finished.json"
    steps = json.loads(mark.read_text())["steps"]
    assert steps == EPOCHS * 2  # of eight epochs
    mark.unlink()
    monkeypatch.setattr(Supervised, "training_step", lambda *_: pytest.fail("trained on"))
    assert go(tmp_path / "run", *words) == whole
    assert json.loads(mark.read_text())["steps"] == steps


def test_a_training_needs_no_folder_for_temporary_files(
    whole: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lightning's own checkpoints are written there and moved, which between file systems is a copy."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    assert go(tmp_path / "run") == whole
