"""Checkpoints are written whole, in their own folder; a ModelCheckpoint finds its files where the folder is now."""

from __future__ import annotations

import errno
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from blurlab.learning import FolderCheckpoint, RunStamp, WholeCheckpointIO, check_stamp, read_checkpoint
from blurlab.learning.checkpoint import OtherRun

SMALL, LARGE = {"state_dict": {"w": torch.ones(3)}}, {"state_dict": {"w": torch.ones(50_000)}}


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """No file may become larger: the write that would make it so fails, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_write_that_fails_leaves_the_file_before_and_names_it(tmp_path: Path) -> None:
    path = tmp_path / "stages" / "last.ckpt"
    WholeCheckpointIO().save_checkpoint(SMALL, path)
    with files_up_to(100_000), pytest.raises(OSError, match=r"last\.ckpt") as caught:
        WholeCheckpointIO().save_checkpoint(LARGE, path)
    assert caught.value.errno == errno.EFBIG and caught.value.filename == str(path)
    assert torch.equal(read_checkpoint(path)["state_dict"]["w"], SMALL["state_dict"]["w"])
    assert [file.name for file in path.parent.iterdir()] == ["last.ckpt"]


def test_nothing_is_written_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A TMPDIR on another file system, or none at all, does not matter."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    WholeCheckpointIO().save_checkpoint(LARGE, tmp_path / "last.ckpt")
    assert len(read_checkpoint(tmp_path / "last.ckpt")["state_dict"]["w"]) == 50_000


@pytest.mark.parametrize("before", ["/old/stages/train_type", "C:\\old\\train_type", "../train_type"])
def test_files_are_those_of_the_present_folder(before: str, tmp_path: Path) -> None:
    slash = "\\" if "\\" in before else "/"
    score = torch.tensor(0.25)
    keeper = FolderCheckpoint(dirpath=tmp_path, filename="best", monitor="val_loss")
    best = f"{before}{slash}best.ckpt"
    keeper.load_state_dict({
        "monitor": "val_loss", "best_model_score": score, "best_model_path": best, "current_score": torch.tensor(2.0),
        "dirpath": before, "best_k_models": {best: score}, "kth_best_model_path": best, "kth_value": score,
        "last_model_path": "",
    })  # fmt: skip
    here = str(tmp_path.resolve() / "best.ckpt")
    assert (keeper.best_model_path, keeper.kth_best_model_path, keeper.last_model_path) == (here, here, "")
    assert keeper.best_model_score == keeper.kth_value == 0.25 and keeper.best_k_models == {here: score}


def test_a_stamp_is_compared_and_its_lack_is_not() -> None:
    mine = RunStamp("a", "train_type")
    check_stamp({"callbacks": {}}, [mine])
    check_stamp({"callbacks": {mine.state_key: {"run": "a", "stage": "train_type"}}}, [mine])
    for other in ({"run": "b", "stage": "train_type"}, {"run": "a", "stage": "train_strength"}):
        with pytest.raises(OtherRun, match=f"of run {other['run']}, stage {other['stage']}"):
            check_stamp({"callbacks": {mine.state_key: other}}, [mine])


def test_what_is_no_checkpoint_is_said_in_one_line(tmp_path: Path) -> None:
    for content in (b"", b"PK\x03\x04 cut off", b"text"):
        (tmp_path / "x.ckpt").write_bytes(content)
        with pytest.raises(ValueError, match=r"x\.ckpt is no whole checkpoint$"):
            read_checkpoint(tmp_path / "x.ckpt")
    torch.save({"w": torch.zeros(1)}, tmp_path / "x.ckpt")
    with pytest.raises(ValueError, match=r"x\.ckpt is no training checkpoint$"):
        read_checkpoint(tmp_path / "x.ckpt")
