"""``seeds=5``: a sweep over the seed that ends in one table, printed and kept."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from cli_run import in_own_process
from tiny_run import WORDS, go

from blurlab.run.command.job import ERROR
from blurlab.run.command.seeds import with_seeds
from blurlab.run.command.sweep import by_seed, own_words, records
from blurlab.run.errors import UsageError
from blurlab.run.record.record import FINISHED


def test_seeds_is_a_sweep_over_run_seed() -> None:
    assert with_seeds(["a=1", "seeds=5"]) == ["a=1", "run.seed=0,1,2,3,4"]
    assert with_seeds(["seeds=1"]) == ["run.seed=0"]
    assert with_seeds(["seed=3", "run.seed=2"]) == ["seed=3", "run.seed=2"]


@pytest.mark.parametrize("count", ["0", "-1", "x", "", "2.5", "1,2", "²"])
def test_a_number_of_seeds_that_is_none_is_refused(count: str) -> None:
    with pytest.raises(UsageError, match=f"seeds must be a whole number from 1, got '{re.escape(count)}'"):
        with_seeds([f"seeds={count}"])


@pytest.mark.parametrize("word", ["run.seed=3", "++run.seed=3", "run.seed=1,2"])
def test_seeds_beside_a_seed_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"{word} beside seeds=3: name one of them")):
        with_seeds([word, "seeds=3"])


@pytest.mark.slow
def test_seeds_end_in_one_table_that_is_kept(tmp_path: Path) -> None:
    words = [word for word in WORDS if word not in ("~stage.calibrate", "~stage.evaluate", "~stage.report")]
    env = {**os.environ, "BLURLAB_CACHE": str(tmp_path / "cache"), "COLUMNS": "200"}
    small = ["deconvolver=wiener", "budget.epochs=1", "budget.draws_test=2", "run.keep=true", "hydra.sweep.dir=sw"]
    variants = ["blur.taps=9,5", "run.variant='taps${blur.taps}'", "seeds=2"]
    done = in_own_process(*words, *small, *variants, cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("2 seeds (0, 1)") == 2 and "blur.taps=5" in done.stdout
    kept = tmp_path / "experiments" / "own" / "results" / "smoke"
    assert sorted(path.name for path in kept.glob("*.json")) == [
        f"custom.taps{taps}{seed}.json" for taps in (5, 9) for seed in ("", ".seed1")
    ]
    for place in (tmp_path / "sw" / "seeds_0.json", kept / "seeds" / "custom.taps9.json"):
        table = json.loads(place.read_text())
        files = [place.parent / file for file in table["records"].values()]
        accuracies = [json.loads(file.read_text())["metrics"]["binary_accuracy"]["value"] for file in files]
        assert list(table["metrics"]["binary_accuracy"]["values"].values()) == accuracies
        assert [json.loads(file.read_text())["seed"] for file in files] == table["seeds"] == [0, 1]


@pytest.mark.slow
def test_only_jobs_of_this_sweep_count(tmp_path: Path) -> None:
    """Directories of an earlier, longer sweep, and of jobs that failed this time, are left out."""
    go(tmp_path / "run")
    for job in ("0", "1", "2", "10"):
        shutil.copytree(tmp_path / "run", tmp_path / "sw" / job)
        held = json.loads((tmp_path / "sw" / job / "record.json").read_text())
        (tmp_path / "sw" / job / "record.json").write_text(json.dumps({**held, "seed": int(job), "overrides": [job]}))
    stopped = tmp_path / "sw" / "stopped"
    shutil.copytree(tmp_path / "run", stopped)
    half = {key: value for key, value in held.items() if key != FINISHED}
    (stopped / "record.json").write_text(json.dumps(half))
    (tmp_path / "sw" / "1" / ERROR).write_text("failed")
    found = records(tmp_path / "sw", 3)
    assert [file.parent.name for file, _ in found] == ["0", "2"]
    assert [[record["seed"] for _, record in group] for group in by_seed(found)] == [[0, 2]]
    assert own_words(found[:1], found) == ["0"]
    (tmp_path / "sw" / "deep").mkdir()
    shutil.move(tmp_path / "sw" / "2", tmp_path / "sw" / "deep" / "2")  # where hydra.sweep.subdir has a slash
    assert [file.parent.name for file, _ in records(tmp_path / "sw", 3)] == ["0", "2"]


@pytest.mark.slow
def test_jobs_that_make_no_report_have_not_failed(tmp_path: Path) -> None:
    words = ["budget.epochs=1", "hydra.sweep.dir=sw", "blur.taps=9,7"]
    done = in_own_process("-m", *WORDS, *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "│ 9 " in done.stdout and "│ 7 " in done.stdout and done.stderr == ""
    seeds = in_own_process(*WORDS, *words[:1], "hydra.sweep.dir=seeds", "seeds=2", cwd=tmp_path)
    assert seeds.returncode == 0 and "2 seeds (0, 1)" in seeds.stdout, seeds.stderr
