"""Checkpoints that are there whole or not at all, may be moved with their folder, and name the run they are of."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins import TorchCheckpointIO
from pytorch_lightning.callbacks import Callback, ModelCheckpoint

from blurlab.core.atomic import replace_whole

BEST = "best.ckpt"
LAST = "last.ckpt"


class WholeCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint under a temporary name in its own folder, to the disk, and then renames it.

    Lightning's own writes it into ``TMPDIR`` and moves it from there. Between two file systems that move is a copy,
    which a full disk or a kill leaves half done, under the name of the checkpoint.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | os.PathLike[str], storage_options: Any | None = None
    ) -> None:
        """Write a checkpoint whole; where that fails, an older one of that name stays as it was.

        Raises:
            OSError: With the file's name, for instance if the disk is full.
        """
        whole = io.BytesIO()  # torch.save into a file turns an error of the file into one of its own, without the cause
        torch.save(checkpoint, whole)
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            with replace_whole(path) as file:
                file.write(whole.getbuffer())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(path)) from error


class FolderCheckpoint(ModelCheckpoint):
    """A ModelCheckpoint that knows its files by their names in its folder, wherever the folder is now.

    Lightning's own keeps absolute paths, and forgets which checkpoint is the best, and its score, where the folder has
    been moved, copied or is reached by another path.
    """

    @property
    def state_key(self) -> str:
        """The key of Lightning's own, under which checkpoints of earlier versions keep this state."""
        return super().state_key.replace(type(self).__qualname__, ModelCheckpoint.__qualname__)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over scores and files, the latter as files of this folder."""
        here = {**state_dict, "dirpath": self.dirpath}
        for key in ("best_model_path", "kth_best_model_path", "last_model_path"):
            here[key] = self._here(state_dict.get(key, ""))
        scores = state_dict.get("best_k_models", {})
        here["best_k_models"] = {self._here(path): score for path, score in scores.items()}
        super().load_state_dict(here)

    def _here(self, path: str) -> str:
        """The file of that name in this folder; "" stays "", which is Lightning's word for none."""
        name = path.replace("\\", "/").rsplit("/", 1)[-1]
        return os.path.join(str(self.dirpath), name) if name else ""


class OtherRun(ValueError):
    """A checkpoint of another run or stage; the message says which."""


class RunStamp(Callback):
    """Writes into each checkpoint which run and which stage it is of, and refuses to go on from that of another.

    Args:
        run: The run's id.
        stage: The stage's name.
    """

    def __init__(self, run: str, stage: str) -> None:
        self.stamp = {"run": run, "stage": stage}

    def state_dict(self) -> dict[str, Any]:
        """The stamp."""
        return dict(self.stamp)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Compare the stamp.

        Raises:
            OtherRun: If it is another's.
        """
        if state_dict != self.stamp:
            raise OtherRun(f"of run {state_dict.get('run')}, stage {state_dict.get('stage')}")


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A training checkpoint, on the CPU, with ``weights_only``.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is empty, cut off or no checkpoint.
    """
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:  # torch.load has no one error for a file that is none of its own
        raise ValueError(f"{path} is no whole checkpoint") from error
    if not isinstance(found, dict) or "state_dict" not in found:
        raise ValueError(f"{path} is no training checkpoint")
    return found


def check_stamp(checkpoint: Mapping[str, Any], callbacks: Sequence[Callback]) -> None:
    """Refuse a checkpoint of another run or stage than the :class:`RunStamp` among ``callbacks`` says.

    One of an earlier version, which has no stamp, is taken.

    Raises:
        OtherRun: If it is another's.
    """
    for callback in callbacks:
        if isinstance(callback, RunStamp) and callback.state_key in checkpoint.get("callbacks", {}):
            callback.load_state_dict(checkpoint["callbacks"][callback.state_key])
