"""The command line as a test uses it: in this process, or in one of its own where a process is what is tested."""

from __future__ import annotations

import atexit
import io
import multiprocessing
import os
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread

import pytest
import torch
from hydra.core.singleton import Singleton

from blurlab.cli import main
from blurlab.run.command import sweep


@dataclass(frozen=True)
class Ended:
    """What a command leaves: its exit status and what it said."""

    returncode: int
    stdout: str
    stderr: str


def environment(cwd: Path) -> dict[str, str]:
    """Where a command finds its data and puts what it makes."""
    places = {"BLURLAB_DATA": "data", "BLURLAB_RUNS": "runs"}
    return {**{name: str(cwd / folder) for name, folder in places.items()}, "OMP_NUM_THREADS": "1", "COLUMNS": "100"}


def in_process(*words: str, cwd: Path) -> Ended:
    """``python -m blurlab WORDS`` in the directory ``cwd``, without a process of its own."""
    out, err = io.StringIO(), io.StringIO()
    with chdir(cwd), redirect_stdout(out), redirect_stderr(err), untouched(environment(cwd)):
        try:
            main(list(words))
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
    return Ended(status, out.getvalue(), err.getvalue())


def in_own_process(*words: str, cwd: Path, code: str | None = None, env: dict[str, str] | None = None) -> Ended:
    """The same in a process of its own, as :class:`Started` makes it."""
    with Started(*words, cwd=cwd, code=code, env=env) as process:
        return process.end()


PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([
    "albumentations", "blurlab.run.command.job", "blurlab.run.stage.report", "hydra.main", "pytest",
    "pytorch_lightning", "skimage.metrics", "torch.utils.tensorboard", "torchmetrics", "wandb",
])  # fmt: skip
"""Processes are copies of one that has imported all of this once, and has done nothing else."""


class Started:
    """A command that runs in a process of its own, in the directory ``cwd``; for use in a ``with`` statement.

    Args:
        words: The command's.
        cwd: Where it runs.
        code: Python that is run in place of ``main(words)``; it finds the words in ``sys.argv``.
        env: The whole environment; that of this process and :func:`environment` if None.
    """

    def __init__(self, *words: str, cwd: Path, code: str | None = None, env: dict[str, str] | None = None) -> None:
        whole = {**os.environ, **environment(cwd)} if env is None else env
        pipes = [PROCESSES.Pipe(duplex=False) for _ in ("stdout", "stderr")]
        self.process = PROCESSES.Process(target=_command, args=(words, cwd, whole, code, [end for _, end in pipes]))
        self.process.start()
        for _, end in pipes:
            end.close()
        self._said = [bytearray() for _ in pipes]
        self._listeners = [
            Thread(target=_listen, args=(pipe, said), daemon=True)
            for (pipe, _), said in zip(pipes, self._said, strict=True)
        ]
        for listener in self._listeners:
            listener.start()

    def __enter__(self) -> Started:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.join()

    def end(self, timeout_s: float | None = None) -> Ended:
        """Wait until it ends.

        Raises:
            TimeoutError: If it does not within ``timeout_s``.
        """
        self.process.join(timeout_s)
        if self.process.exitcode is None:
            raise TimeoutError(f"no end after {timeout_s} s")
        for listener in self._listeners:
            listener.join()
        return Ended(self.process.exitcode, *(said.decode() for said in self._said))


def _listen(pipe: Connection, said: bytearray) -> None:
    """Keep what a process says until it ends."""
    with pipe:
        while part := os.read(pipe.fileno(), 1 << 16):
            said += part


def _command(words: tuple[str, ...], cwd: Path, env: dict[str, str], code: str | None, said: list[Connection]) -> None:
    """What the new process does."""
    for descriptor, pipe in enumerate(said, 1):
        os.dup2(pipe.fileno(), descriptor)
        pipe.close()
    sys.stdout, sys.stderr = (os.fdopen(descriptor, "w", buffering=1) for descriptor in (1, 2))
    os.environ.clear()
    os.environ.update(env)
    os.environ.pop("WANDB_SERVICE", None)  # that of the tests' process, where a test has used wandb there
    os.chdir(cwd)
    sys.argv = ["blurlab", *words]
    torch.set_num_threads(1)
    atexit._clear()  # what the copied process has to clear up at its own end
    try:
        if code is None:
            main(list(words))
        else:
            exec(code, {"__name__": "__main__"})
    finally:
        atexit._run_exitfuncs()  # a copied process ends without them


@contextmanager
def untouched(environment: dict[str, str]) -> Iterator[None]:
    """Leave the words of this process, its environment and what Hydra and sweeps keep for it as they were."""
    kept = Singleton.get_state()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["blurlab"])
        patch.setattr(sweep, "finished", [])
        for name, value in environment.items():
            patch.setenv(name, value)
        try:
            yield
        finally:
            Singleton.set_state(kept)
