"""The other end of ``deepinv_side.py``."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

HINT = (
    "deepinv not found at {python}: run `make bench-deepinv`, or name its python by --deepinv; its ratios are left out"
)


class NotInstalled(Exception):
    """There is no environment of deepinv; the message says how to make it."""


class DeepinvSide:
    """A process of deepinv's environment that has the same arrays.

    Args:
        python: Of that environment.
        threads: Of its torch.
        arrays: y (1, 1, H, W), batch (B, C, h, w), psf (k, k).

    Raises:
        NotInstalled: If there is no such python.
    """

    def __init__(self, python: Path, threads: int, **arrays: Tensor) -> None:
        if not python.exists():
            raise NotInstalled(HINT.format(python=python))
        self._folder = tempfile.TemporaryDirectory()
        here = Path(self._folder.name)
        np.savez(here / "arrays.npz", **{name: array.numpy() for name, array in arrays.items()})
        script = Path(__file__).with_name("deepinv_side.py")
        command = [str(python), str(script), str(threads)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.versions = self.ask("load", path=str(here / "arrays.npz"))

    def ask(self, do: str, **options: Any) -> dict[str, Any]:
        """One order and its answer.

        Raises:
            RuntimeError: If the process ended; what it said stands on the standard error stream.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **options}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"deepinv's process ended on {do!r}; its error stands above")
        return json.loads(answer)

    def seconds(self, do: str, **options: Any) -> float:
        """How long the process says that one order took."""
        return float(self.ask(do, **options)["seconds"])

    def image(self) -> Tensor:
        """The last image that the process made."""
        path = Path(self._folder.name) / "image.npy"
        self.ask("save", path=str(path))
        return torch.from_numpy(np.load(path))

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._folder.cleanup()
