"""What sweeps are run by in tests: the words of tiny jobs, and a Slurm of this machine alone."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tiny_run import WORDS

SLURM_NODE = Path(__file__).resolve().parents[2] / "experiments" / "bench" / "slurm_node.sh"
TINY = [word for word in WORDS if word not in ("~stage.calibrate", "~stage.evaluate")]
TINY += ["budget.epochs=1", "budget.draws_test=1", "budget.draws_restore=0", "deconvolver=wiener"]
ENGINES = {"joblib": "joblib", "submitit_local": "submitit", "slurm": "submitit", "ray": "ray"}
"""Launcher -> the package that it needs."""


def needs(package: str) -> None:
    """Skip a test where a package is not installed."""
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed; pip install 'blurlab-toolbox[sweeps,ray]'")


@contextmanager
def ready(engine: str, folder: Path) -> Iterator[dict[str, str]]:
    """Variables of the environment with which commands find an engine; skips the test where it cannot be had."""
    needs(ENGINES[engine])
    if engine != "slurm":
        yield {}
        return
    if shutil.which("sbatch") is None or shutil.which("srun") is None:
        pytest.skip("Slurm is not installed; apt-get install slurm-wlm munge")
    if os.geteuid() != 0:
        pytest.skip("a Slurm of one's own is started by root alone")
    begun = subprocess.run([SLURM_NODE, "start", folder], capture_output=True, text=True, timeout=120)
    if begun.returncode:
        pytest.skip(f"Slurm did not start: {begun.stderr.strip().splitlines()[-1]}")
    try:
        name, _, value = begun.stdout.strip().splitlines()[-1].partition("=")
        yield {name: value}
    finally:
        subprocess.run([SLURM_NODE, "stop", folder], check=True, timeout=120)
