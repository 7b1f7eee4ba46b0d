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

from blurlab.run.command.manifest import ERROR, Manifest, SweptJob
from blurlab.run.command.seeds import with_seeds
from blurlab.run.command.sweep import by_seed, ends_of, finished_of, own_words, print_sweep
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
def test_only_jobs_of_this_sweep_count_and_rows_have_their_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Directories of an earlier, longer sweep are left out; a job that failed or was stopped is marked."""
    go(tmp_path / "run")
    sweep = tmp_path / "sw"
    for job in ("0", "1", "deep/2", "10"):
        shutil.copytree(tmp_path / "run", sweep / job)
        held = json.loads((sweep / job / "record.json").read_text())
        held |= {"seed": int(job[-1]), "overrides": [f"run.seed={job[-1]}"]}
        (sweep / job / "record.json").write_text(json.dumps(held))
    half = {key: value for key, value in held.items() if key != FINISHED}
    (sweep / "3").mkdir()
    (sweep / "3" / "record.json").write_text(json.dumps(half))
    (sweep / "0" / ERROR).write_text("photographs are missing\n")
    names = ("0", "1", "deep/2", "3")
    Manifest((), tuple(SweptJob(name, (f"run.seed={name[-1]}",)) for name in names)).write(sweep)
    ends = ends_of(sweep)
    found = finished_of(sweep, ends)
    assert [file.parent.name for file, _ in found] == ["1", "2"]
    assert [end.note for _, end in ends] == ["photographs are missing", "", "", "stopped"]
    assert [[record["seed"] for _, record in group] for group in by_seed(found)] == [[1, 2]]
    assert own_words(found[:1], found) == []
    with pytest.raises(UsageError, match=r"2 of 4 jobs did not finish; .*run\.resume="):
        print_sweep(sweep)
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("│")]
    assert [row[1] for row in rows[:4]] == ["0", "1", "3", "deep/2"] and [row[3] for row in rows[:4]] == list("0132")
    assert "photographs" in rows[0] and "stopped" in rows[2]


@pytest.mark.slow
def test_jobs_that_make_no_report_have_not_failed(tmp_path: Path) -> None:
    words = ["budget.epochs=1", "hydra.sweep.dir=sw", "blur.taps=9,7"]
    done = in_own_process("-m", *WORDS, *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "│ 9 " in done.stdout and "│ 7 " in done.stdout and done.stderr == ""
    seeds = in_own_process(*WORDS, *words[:1], "hydra.sweep.dir=seeds", "seeds=2", cwd=tmp_path)
    assert seeds.returncode == 0 and "2 seeds (0, 1)" in seeds.stdout, seeds.stderr
