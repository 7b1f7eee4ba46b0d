"""``hparams=``: what a search asks for, what it is told, and that one that was stopped ends as one that was not."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from engines import TINY, needs
from omegaconf import OmegaConf

from blurlab.run.command.compose import check
from blurlab.run.command.manifest import Manifest, read_manifest, search_words
from blurlab.run.command.search import Search, corners, objective, refuse_other_search, run_search
from blurlab.run.errors import UsageError

RATE, CHOICE = "optimizer.factory.lr", "optimizer.schedule"
SPACE = {RATE: {"low": 1e-4, "high": 1e-1, "log": True}, CHOICE: {"choices": ["constant", "one_cosine"]}}


class Stopped(BaseException):
    """In place of a kill."""


class Jobs:
    """In place of a launcher: a job's loss is a matter of its words; some fail, some are ended early."""

    def __init__(self, folder: Path, stop_at: int = -1) -> None:
        self.folder, self.stop_at = folder, stop_at
        self.seen: list[list[str]] = []

    def launch(self, words: Sequence[Sequence[str]], initial_job_idx: int) -> list[Any]:
        for job in words:
            held = dict(word.split("=", 1) for word in job)
            number = int(held["hydra.sweep.subdir"].strip("'"))
            if number == self.stop_at:
                raise Stopped
            self.seen.append([*job])
            place = self.folder / str(number)
            place.mkdir(exist_ok=True)
            if number == 2:
                (place / "error.txt").write_text("failed\n")
            elif number == 3:
                (place / "pruned.txt").write_text("ended early\n")
            else:
                loss = abs(math.log10(float(held[RATE])) + 2) + (held[CHOICE] == "constant")
                (place / "record.json").write_text(json.dumps(made_up(loss)))
        return [SimpleNamespace(status=None, _return_value=None)] * len(words)


def made_up(loss: float) -> dict[str, Any]:
    record = {
        "experiment": "x", "variant": "x", "budget": "smoke", "seed": 0, "git": "", "created": "", "device": "",
        "dataset": {"name": "x", "requested": "x"}, "blur": {}, "noise": {}, "inverse_crime": False, "versions": {},
        "boundary": {"data": "valid", "solver": "valid"}, "seconds": {}, "published": {}, "limit": {},
        "metrics": {"psnr": {"value": 30 - loss}}, "training": {"a": {"val_loss": loss}}, "finished": True,
    }  # fmt: skip
    return record


def searched(folder: Path, search: Search, **more: Any) -> Jobs:
    jobs = Jobs(folder, **more)
    config = OmegaConf.create({
        "run": {"seed": 0},
        "hydra": {"sweep": {"dir": str(folder)}, "overrides": {"hydra": ["hydra.sweeper.trials=8"]}},
    })  # fmt: skip
    run_search(jobs, config, ["budget=smoke"], search, False)
    return jobs


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [1, 2])
def test_a_search_that_was_stopped_ends_as_one_that_was_not(at_once: int, tmp_path: Path) -> None:
    needs("optuna")
    search = Search(SPACE, trials=8, at_once=at_once, first_trials=2)
    whole = searched(tmp_path / "whole", search)
    with pytest.raises(Stopped):
        searched(tmp_path / "broken", search, stop_at=5)
    searched(tmp_path / "broken", search)
    held = [(tmp_path / name / "best.json").read_text() for name in ("whole", "broken")]
    assert held[0] == held[1] and json.loads(held[0])["trial"] not in (2, 3)
    assert read_manifest(tmp_path / "whole") == read_manifest(tmp_path / "broken")
    assert len(whole.seen) == 8 and len({tuple(words) for words in whole.seen}) == 8
    assert read_manifest(tmp_path / "whole").search == ("hydra.sweeper.trials=8",)


@pytest.mark.slow
def test_what_is_best_is_what_was_asked_for(tmp_path: Path) -> None:
    needs("optuna")
    searched(tmp_path, Search(SPACE, trials=8, first_trials=2, metric="psnr", direction="maximize"))
    best = json.loads((tmp_path / "best.json").read_text())
    records = [json.loads(path.read_text()) for path in tmp_path.glob("*/record.json")]
    assert len(records) == 6 and best["value"] == max(record["metrics"]["psnr"]["value"] for record in records)


def test_a_folder_of_another_search_or_with_a_damaged_memory_is_refused(tmp_path: Path) -> None:
    needs("optuna")
    Manifest(("budget=smoke",), ()).write(tmp_path)
    refuse_other_search(tmp_path, ["budget=smoke"])
    refuse_other_search(tmp_path / "new", ["budget=small"])
    with pytest.raises(
        UsageError, match=r"holds a sweep of other words \(run\.seed=4\); go on with it by run\.resume="
    ):
        refuse_other_search(tmp_path, ["budget=smoke", "run.seed=4"])
    (tmp_path / "study.db").write_text("junk" * 500)
    with pytest.raises(UsageError, match=r"study\.db cannot be read as the memory of a search"):
        searched(tmp_path, Search(SPACE, trials=1))


def test_a_figure_that_runs_do_not_have_is_told_with_those_they_have() -> None:
    with pytest.raises(UsageError, match=r"hydra\.sweeper\.metric=psn is no figure .*did you mean 'psnr'"):
        objective(made_up(1.0), "psn")
    assert objective(made_up(1.5), "val_loss") == 1.5


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"space": {}}, "names no setting to search"),
        ({"space": {RATE: {"low": 1}}}, "must be like"),
        ({"space": {RATE: {"low": 2, "high": 1}}}, "no greater than high"),
        ({"space": {RATE: {"low": 0, "high": 1, "log": True}}}, "log wants low above 0"),
        ({"space": {RATE: {"choices": []}}}, "must be like"),
        ({"space": {"hydra.run.dir": {"choices": ["x"]}}}, "is no setting of a run"),
        ({"space": SPACE, "direction": "up"}, "minimize or maximize, got up"),
        ({"space": SPACE, "trials": 0}, "trials must be a whole number from 1, got 0"),
    ],
)
def test_a_search_that_cannot_be_is_refused(options: dict[str, Any], line: str) -> None:
    with pytest.raises(UsageError, match=line):
        Search(**options)


@pytest.mark.slow
def test_the_ends_of_every_range_are_checked_before_the_first_trial(tmp_path: Path) -> None:
    needs("optuna")
    assert [*corners(Search(SPACE))] == [
        [f"{RATE}=0.0001"], [f"{RATE}=0.1"], [f"{CHOICE}=constant"], [f"{CHOICE}=one_cosine"]
    ]  # fmt: skip
    words = [*TINY, f"paths.runs_dir={tmp_path}", "hparams=optimizer"]
    check(words, sweep=True)
    with pytest.raises(UsageError, match=r"budget\.epochs must be a whole number from 1"):
        check([*words, "+hydra.sweeper.space.budget.epochs={low: 0, high: 3}"], sweep=True)
    with pytest.raises(UsageError, match="unknown key"):
        check([*words, "+hydra.sweeper.space.head.widht={low: 1, high: 3}"], sweep=True)


@pytest.mark.slow
def test_a_figure_that_no_trial_will_have_is_told_before_the_first_one(tmp_path: Path) -> None:
    needs("optuna")
    words = [*TINY, f"paths.runs_dir={tmp_path}", "hparams=optimizer"]
    for figure in ("length_median_px/motion", "type_accuracy", "accuracy_shake", "isnr_map/tv"):
        check([*words, f"hydra.sweeper.metric={figure}"], sweep=True)
    with pytest.raises(UsageError, match=r"metric=type_acuracy is no figure, did you mean 'type_accuracy'"):
        check([*words, "hydra.sweeper.metric=type_acuracy"], sweep=True)
    with pytest.raises(UsageError, match=r"metric=val_loss, but these runs train nothing; name a figure"):
        others = [word for word in words if not word.startswith(("blur", "pipeline"))]
        check([*others, "blur=motion", "pipeline=likelihood"], sweep=True)
    assert not [*tmp_path.iterdir()]


def test_the_options_of_a_search_are_kept_and_nothing_else() -> None:
    kept = ["hydra.sweeper.trials=5", "+hydra.sweeper.space.head.width={low: 2, high: 4}", "hydra.sweeper.prune=false"]
    assert search_words([*kept, "hydra.sweep.dir=x", "hydra.sweeper.storage=sqlite:///x"]) == tuple(kept)
