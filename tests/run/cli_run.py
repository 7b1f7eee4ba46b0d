"""The command line as a test uses it: in this process, or in one of its own where a process is what is tested."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
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
    """``python -m blurlab WORDS`` in the directory ``cwd``, without the five seconds that a new process imports."""
    out, err = io.StringIO(), io.StringIO()
    with chdir(cwd), redirect_stdout(out), redirect_stderr(err), untouched(environment(cwd)):
        try:
            main(list(words))
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
    return Ended(status, out.getvalue(), err.getvalue())


def in_own_process(*words: str, cwd: Path, code: str | None = None) -> Ended:
    """The same in a process of its own; ``code`` is run in place of ``-m blurlab``."""
    start = ["-c", code] if code else ["-m", "blurlab"]
    env = {**os.environ, **environment(cwd)}
    done = subprocess.run(
        [sys.executable, *start, *words], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    return Ended(done.returncode, done.stdout, done.stderr)


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
