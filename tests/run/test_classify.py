"""A network trained on fixed degradations, tested alone, and tested again on other photographs."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf
from rich.console import Console

from blurlab.run.command.compose import check
from blurlab.run.command.job import run
from blurlab.run.errors import UsageError

DRAWN = "{_target_: blurlab.dataset.FundusSynthetic, n: 8, seed: 5, size: 64}"
TINY = [
    "+experiment=messidor_hier", "budget=paper128", "budget.photos=10", "budget.epochs=2", "budget.batch_size=8",
    "dataset.source.size=64", "dataset.size=32", "head=lenet", "head.standardise=true", "stage=classify",
    "~stage.report", "logger=csv", "run.progress=false", "trainer=cpu", "pipeline.weak_share=0",
]  # fmt: skip


def go(folder: Path, name: str, *words: str) -> dict[str, Any]:
    """The record of one run."""
    dataset = [] if any(word.startswith("dataset=") for word in words) else ["dataset=fundus_synthetic"]
    paths = [f"paths.runs_dir={folder}", f"paths.cache_dir={folder / 'cache'}"]
    (cfg,) = check([*TINY, *dataset, *paths, *words])
    record = run(cfg, folder / name, Console(quiet=True))
    (folder / name / ".hydra").mkdir()
    OmegaConf.save(cfg, folder / name / ".hydra" / "config.yaml")  # as Hydra does where it starts a run
    return json.loads(record.read_text())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("type")
    go(folder, "first")
    return folder


@pytest.mark.slow
def test_the_first_network_alone_is_trained_and_tested(finished: Path) -> None:
    record = json.loads((finished / "first" / "record.json").read_text())
    trained = record["dataset"]["train"]
    assert sorted(path.name for path in (finished / "first" / "stages").iterdir()) == ["classify", "train_type"]
    assert record["training"]["type"]["steps"] == 2 * -(-3 * trained // 8)  # every class of every photograph, twice
    assert record["training"]["type"]["epochs"] == 2
    with (finished / "first" / "per_image.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 * record["dataset"]["test"] == record["metrics"]["type_accuracy"]["n"]
    right = sum(row["truth"] == row["answer"] for row in rows)
    assert record["metrics"]["type_accuracy"]["value"] == pytest.approx(right / len(rows))
    assert sum(map(sum, record["confusion"]["type"]["matrix"])) == len(rows)


@pytest.mark.slow
@pytest.mark.parametrize(("damage", "why"), [("", ""), ("[]", ""), ("{}", r" \(it lacks head\)"), ('{"he', "")])
def test_a_damaged_record_of_the_run_that_trained_is_named(
    damage: str, why: str, finished: Path, tmp_path: Path
) -> None:
    first = Path(shutil.copytree(finished / "first", tmp_path / "first"))
    (first / "record.json").write_text(damage)
    with pytest.raises(UsageError, match=rf"first/record\.json is damaged{why}; put it back, or make it again by"):
        go(
            tmp_path,
            "again",
            "stage.train=null",
            f"stage.classify.run={first}",
            f"paths.cache_dir={finished / 'cache'}",
        )


@pytest.mark.slow
def test_a_finished_network_tested_again_gives_the_same_figures(finished: Path) -> None:
    first = json.loads((finished / "first" / "record.json").read_text())
    again = go(finished, "again", "stage.train=null", f"stage.classify.run={finished / 'first'}")
    assert again["metrics"] == first["metrics"]
    assert again["trained_by"]["created"] == first["created"]
    assert again["training"]["type"] == json.loads((finished / "first/stages/train_type/finished.json").read_text())
    assert (finished / "again/per_image.csv").read_bytes() == (finished / "first/per_image.csv").read_bytes()


@pytest.mark.slow
def test_a_finished_network_is_tested_on_photographs_of_another_set(finished: Path) -> None:
    other = ["dataset=synthetic_to_drive_chase", f"dataset.test_source.sources=[{DRAWN}]"]
    record = go(finished, "other", *other, "stage.train=null", f"stage.classify.run={finished / 'first'}")
    assert record["dataset"]["name"].startswith("fundus_synthetic->")
    assert record["metrics"]["type_accuracy"]["n"] == 6 * record["dataset"]["test"]
    assert not (finished / "other" / "stages" / "train_type").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["budget.photos=11"], "of other photographs"),
        (["head.standardise=false"], "of another head"),
    ],
)
def test_a_network_of_other_photographs_or_another_head_is_refused(
    finished: Path, words: list[str], match: str
) -> None:
    with pytest.raises(UsageError, match=match):
        go(finished, "refused", *words, "stage.train=null", f"stage.classify.run={finished / 'first'}")
    shutil.rmtree(finished / "refused")


@pytest.mark.slow
def test_a_run_without_a_network_is_refused(finished: Path) -> None:
    with pytest.raises(UsageError, match="no stage before stage=classify"):
        go(finished, "none", "stage.train=null")
    assert not (finished / "none").exists()


@pytest.mark.slow
def test_a_training_ends_where_the_validation_loss_does_not_fall(tmp_path: Path) -> None:
    record = go(tmp_path, "still", "optimizer.factory.lr=1e-30", "budget.epochs=6", "budget.patience=2")
    assert record["training"]["type"]["epochs"] == 3


@pytest.mark.parametrize(
    ("word", "match"),
    [
        ("budget.draws_train=-1", "budget.draws_train must be a whole number from 0"),
        ("budget.patience=-1", "budget.patience must be a whole number from 0"),
        ("augment=varied", "budget.draws_train=0"),
    ],
)
def test_wrong_options_are_refused_before_any_work(word: str, match: str) -> None:
    with pytest.raises(UsageError, match=match):
        check([*TINY, "dataset=fundus_synthetic", word])


def test_a_question_without_classes_is_refused() -> None:
    with pytest.raises(UsageError, match="names a class"):
        check([*[word for word in TINY if "weak" not in word], "dataset=fundus_synthetic", "pipeline=regression"])
