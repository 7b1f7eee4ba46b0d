"""Sweeps as a command runs them, on engines that really run: one table from all of them, and none is lost."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from cli_run import Ended, Started, in_own_process
from engines import ENGINES, TINY, needs, ready

from blurlab.core.lock import Locked, locked


def swept(folder: Path, *words: str, env: dict[str, str] | None = None) -> Ended:
    """A sweep in ``folder/sw``, with the tests' cache of photographs."""
    whole = {**os.environ, "COLUMNS": "160", "OMP_NUM_THREADS": "1", "BLURLAB_RUNS": str(folder), **(env or {})}
    return in_own_process("-m", *TINY, "hydra.sweep.dir=sw", *words, cwd=folder, env=whole)


def table(said: str) -> list[str]:
    """The lines of the sweep's table."""
    return [line.rstrip() for line in said.splitlines() if line.startswith("│")]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_gives_the_table_of_one_process_and_a_failed_job_stops_no_other(engine: str, tmp_path: Path) -> None:
    """The first job fails: its file is damaged. Photographs are augmented in a process beside each job."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with ready(engine, tmp_path / "slurm") as found:
        for folder in ("one", "two"):
            (tmp_path / folder / "sw" / "0").mkdir(parents=True)
            (tmp_path / folder / "sw" / "0" / "data.json").write_text("{")
        words = ["run.seed=3,0", "budget.workers=1"]
        here = swept(tmp_path / "one", *words)
        there = swept(tmp_path / "two", *words, f"launcher={engine}", env=found)
    for done in (here, there):
        assert done.returncode == 2 and "1 of 2 jobs did not finish" in done.stderr, done.stdout + done.stderr
        assert "sw/0/data.json is damaged" in done.stdout.replace("\n", "") or "is damaged" in done.stdout
    rows = [[re.sub(r"\S*/(one|two)/", "", line) for line in table(done.stdout)] for done in (here, there)]
    assert rows[0] == rows[1] and any(line.startswith("│ 1   │ 0 ") for line in rows[0]), rows


@pytest.mark.slow
def test_a_process_that_dies_ends_its_own_job_alone(tmp_path: Path) -> None:
    needs("joblib")
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "def die(frame, event, arg):\n"
        "    if event == 'call' and frame.f_code.co_name == 'do_stages':\n"
        "        context = frame.f_locals['context']\n"
        "        if context.seed == 3: os.kill(os.getpid(), 9)\n"
        "sys.setprofile(die)\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = swept(tmp_path, "run.seed=3,0", "launcher=joblib", "hydra.launcher.n_jobs=1", env={"PYTHONPATH": path})
    assert done.returncode == 2 and "1 of 2 jobs did not finish" in done.stderr, done.stdout + done.stderr
    assert "its process died" in (tmp_path / "sw" / "0" / "error.txt").read_text()
    assert json.loads((tmp_path / "sw" / "1" / "record.json").read_text())["finished"] is True


@pytest.mark.slow
def test_a_sweep_that_was_killed_goes_on_with_what_is_left(tmp_path: Path) -> None:
    """It ends with the table of one that was not; what had finished is not touched."""
    (tmp_path / "whole").mkdir()
    whole = swept(tmp_path / "whole", "run.seed=0,1")
    env = {**os.environ, "COLUMNS": "160", "OMP_NUM_THREADS": "1", "BLURLAB_RUNS": str(tmp_path)}
    with Started("-m", *TINY, "hydra.sweep.dir=sw", "run.seed=0,1", cwd=tmp_path, env=env) as process:
        first, second = tmp_path / "sw" / "0" / "record.json", tmp_path / "sw" / "1"
        while not second.exists():
            assert process.process.exitcode is None
            process.process.join(0.05)
        process.process.kill()
        process.process.join()
    before = first.read_bytes()
    assert not (second / "record.json").exists()
    done = in_own_process("run.resume=sw", cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    assert first.read_bytes() == before and table(done.stdout) == table(whole.stdout)
    again = in_own_process("run.resume=sw", cwd=tmp_path, env=env)
    assert again.returncode == 0 and "train_taps" not in again.stdout and table(again.stdout) == table(whole.stdout)


@pytest.mark.slow
def test_a_search_runs_prunes_and_goes_on(tmp_path: Path) -> None:
    needs("optuna")
    lr = "{low: null, high: null, log: null, choices: [0.03, 1.0e-12]}"
    space = f"++hydra.sweeper.space={{optimizer.factory.lr: {lr}}}"
    options = ["hydra.sweeper.warm_up_epochs=0", "hydra.sweeper.first_trials=2", "budget.epochs=2"]
    words = ["hparams=optimizer", space, *options]
    done = swept(tmp_path, *words, "hydra.sweeper.trials=4")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "sw" / "study.db").is_file() and "best of 4 trials" in done.stdout
    env = {**os.environ, "COLUMNS": "160", "OMP_NUM_THREADS": "1", "BLURLAB_RUNS": str(tmp_path)}
    more = in_own_process("run.resume=sw", "hydra.sweeper.trials=5", cwd=tmp_path, env=env)
    assert more.returncode == 0 and "best of 5 trials" in more.stdout, more.stdout + more.stderr
    best = json.loads((tmp_path / "sw" / "best.json").read_text())
    assert "optimizer.factory.lr=0.03" in best["words"]


@pytest.mark.slow
def test_a_lock_keeps_other_processes_out_and_ends_with_its_process(tmp_path: Path) -> None:
    hold = "import sys, time; from pathlib import Path; from blurlab.core.lock import locked\n"
    hold += "with locked(Path(sys.argv[1])):\n    Path(sys.argv[1] + '.held').touch()\n    time.sleep(60)"
    with Started(str(tmp_path / "lock"), cwd=tmp_path, code=hold) as process:
        while not (tmp_path / "lock.held").exists():
            assert process.process.exitcode is None
            process.process.join(0.02)
        with pytest.raises(Locked, match="locked by another process"), locked(tmp_path / "lock", wait=False):
            pass
    with locked(tmp_path / "lock", wait=False):
        pass
