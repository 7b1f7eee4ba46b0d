"""Records worth keeping: one a seed, one a setting, none overwritten by another's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from fast_set import first_fast, slow_where
from rich.console import Console
from tiny_run import config, go

from blurlab.report import load_record
from blurlab.run.command import job
from blurlab.run.command.compose import check
from blurlab.run.errors import UsageError
from blurlab.run.record.kept import keep_seeds, kept_settings, refuse_other_records
from blurlab.run.setup.context import Context
from blurlab.run.setup.naming import record_path
from blurlab.run.setup.settings import differences

ROOT = Path(__file__).parents[2]
RECORDS = sorted(ROOT.glob("experiments/*/results/*/*.json"))


def keeping(folder: Path, *words: str) -> list[str]:
    return ["run.keep=true", f"paths.experiments_dir={folder / 'experiments'}", *words]


def kept(folder: Path) -> dict[str, dict[str, Any]]:
    """Every record kept, by the name of its file."""
    return {path.name: json.loads(path.read_text()) for path in folder.glob("experiments/own/results/smoke/*.json")}


def keep(folder: Path, name: str, *words: str) -> None:
    go(folder / name, *keeping(folder, *words))


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one kept record; to be copied."""
    folder = tmp_path_factory.mktemp("first")
    keep(folder, "first")
    return folder


@pytest.mark.slow
def test_each_seed_is_a_record_and_seed_0_has_the_plain_name(tmp_path: Path) -> None:
    for seed in (0, 1, 10):
        keep(tmp_path, f"seed{seed}", f"run.seed={seed}")
    found = kept(tmp_path)
    assert {name: record["seed"] for name, record in found.items()} == {
        "custom.bundled.json": 0, "custom.bundled.seed1.json": 1, "custom.bundled.seed10.json": 10,
    }  # fmt: skip
    assert {record["variant"] for record in found.values()} == {"bundled"}
    table = json.loads((tmp_path / "experiments/own/results/smoke/seeds/custom.bundled.json").read_text())
    assert table["seeds"] == [0, 1, 10] and table["records"]["10"] == "../custom.bundled.seed10.json"


@pytest.mark.parametrize(
    ("word", "line"),
    first_fast([
        ("noise.sigma=0.05", r"noise\.sigma was 0\.004, is 0\.05; .*variant='\$\{dataset\.name\}\.sigma\$\{noise\."),
        ("optimizer.factory.lr=0.1", r"optimizer\.factory\.lr was 0\.03, is 0\.1"),
        ("trainer.precision=bf16-mixed", r"trainer\.precision was 32-true, is bf16-mixed"),
        ("dataset.cut=centre", r"dataset\.cut was whole, is centre"),
    ]),
)  # fmt: skip
def test_another_setting_is_refused_before_the_work(word: str, line: str, first: Path) -> None:
    before = kept(first)
    with pytest.raises(UsageError, match=rf"custom\.bundled\.json is kept with other settings: {line}") as caught:
        config(first, *keeping(first, word))
    assert "\n" not in str(caught.value) and kept(first) == before
    config(first, *keeping(first, word, "run.variant=mine"))
    config(first, *keeping(first, word, "run.seed=1"))


@pytest.mark.slow
def test_another_setting_is_refused_at_the_moment_of_keeping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process kept its record while this one worked."""
    cfg = config(tmp_path, *keeping(tmp_path, "noise.sigma=0.05"))

    def meanwhile(context: Context, stages: object) -> None:
        monkeypatch.undo()
        keep(tmp_path, "other")

    monkeypatch.setattr(job, "say_plan", meanwhile)
    with pytest.raises(UsageError, match=r"noise\.sigma was 0\.004, is 0\.05"):
        job.run(cfg, tmp_path / "late", Console(quiet=True))
    assert [record["noise"]["sigma"] for record in kept(tmp_path).values()] == [0.004]


def test_the_same_settings_are_kept_again_and_other_photographs_are_not(first: Path, tmp_path: Path) -> None:
    shutil.copytree(first, tmp_path, dirs_exist_ok=True)
    keep(tmp_path, "again")
    path = tmp_path / "experiments/own/results/smoke/custom.bundled.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "dataset": {**record["dataset"], "sha256": "other"}}))
    with pytest.raises(UsageError, match=r"dataset\.sha256 was other, is "):
        keep(tmp_path, "third")
    assert not (tmp_path / "third" / "stages").exists()


def test_a_damaged_record_of_another_seed_is_named(first: Path, tmp_path: Path) -> None:
    shutil.copytree(first, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "experiments/own/results/smoke/custom.bundled.json"
    for damage in ("", "{}", "[]"):
        path.with_name("custom.bundled.seed3.json").write_text(damage)
        with pytest.raises(UsageError, match=r"custom\.bundled\.seed3\.json is damaged: move it away"):
            keep_seeds(path, "custom.bundled", {})


def test_a_stage_that_was_kept_is_not_lost(first: Path, tmp_path: Path) -> None:
    shutil.copytree(first, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "experiments/own/results/smoke/custom.bundled.json"
    record = json.loads(path.read_text())
    record["config"]["stage"]["robustness"] = {"_target_": "blurlab.run.stage.robust.Robustness", "conditions": []}
    path.write_text(json.dumps(record))
    with pytest.raises(UsageError, match=r"stage\.robustness was done, is left out"):
        config(tmp_path, *keeping(tmp_path))


@pytest.mark.parametrize("damage", first_fast(["", "[]", '{"config": {}}']))
def test_a_damaged_record_is_refused_by_name(damage: str, first: Path, tmp_path: Path) -> None:
    shutil.copytree(first, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "experiments/own/results/smoke/custom.bundled.json"
    path.write_text(damage)
    with pytest.raises(UsageError, match=r"custom\.bundled\.json is damaged: move it away"):
        config(tmp_path, *keeping(tmp_path))


def jobs(folder: Path, *words: str) -> list[tuple[Any, list[str]]]:
    """A sweep on a set that is not there, in whose place the synthetic one stands."""
    places = [f"paths.{name}={folder / name}" for name in ("runs_dir", "cache_dir", "data_dir", "experiments_dir")]
    made = [check(["+experiment=messidor_binary", *places, "run.keep=true", *words, word]) for word in VALUES]
    return [(cfg, []) for (cfg,) in made]


VALUES = ["blur.taps=5", "blur.taps=3"]


def test_jobs_of_a_sweep_on_a_set_that_stands_in_have_names_of_their_own(tmp_path: Path) -> None:
    made = jobs(tmp_path)
    refuse_other_records(made)
    names = [record_path(cfg, "fundus_synthetic").name for cfg, _ in made]
    assert names == [f"messidor_binary.messidor.taps{taps}.fundus_synthetic.json" for taps in (5, 3)]


def test_two_jobs_of_one_name_are_refused_before_the_work(tmp_path: Path) -> None:
    line = r"two jobs would be kept as .*messidor_binary\.one\.fundus_synthetic\.json: blur\.taps was 5, is 3"
    with pytest.raises(UsageError, match=line):
        refuse_other_records(jobs(tmp_path, "run.variant=one"))


FIRST = {path.parent: path for path in reversed(RECORDS)}


@pytest.mark.parametrize(
    "path", slow_where(RECORDS, lambda path: path != FIRST[path.parent]), ids=lambda path: path.stem
)
def test_records_kept_before_have_their_names_and_can_be_compared(path: Path) -> None:
    record = load_record(path)
    run = {key: record[key] for key in ("experiment", "variant", "seed", "paper")}
    cfg = {"run": run, "budget": {"name": record["budget"]}, "paths": {"experiments_dir": ROOT / "experiments"}}
    assert record_path(cfg) == path
    places = {"data_dir": "/somewhere", "runs_dir": "runs", "cache_dir": "/cache", "experiments_dir": "experiments"}
    own = kept_settings(record, places)
    assert own.values["run.seed"] == record["seed"] and own.values["noise._target_"].startswith("blurlab.noise.")
    elsewhere = kept_settings(record, {**places, "data_dir": "/elsewhere"})
    assert differences(own, elsewhere, complete=True) == []
    other = kept_settings(
        {**record, "config": {**record["config"], "noise": {"_target_": "blurlab.noise.NoNoise"}}}, places
    )
    assert any(line.startswith("noise._target_ was ") for line in differences(own, other)) or path.stem.endswith("none")
