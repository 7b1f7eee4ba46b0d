"""A training in two processes finds what one process finds."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tiny_run import TRAINED, go, same_training, stop

from blurlab.blur import Taps
from blurlab.dataset import Degrade
from blurlab.dataset.datamodule import part_of
from blurlab.learning.parts import part_of_whole
from blurlab.noise import NoNoise
from blurlab.run.command.compose import check
from blurlab.run.errors import UsageError
from blurlab.run.setup.processes import strategy

WEIGHTED = ("optimizer.ema_decay=0.9", "budget.batch_size=5")
"""With an average of weights, and batches that two processes cannot halve."""


def test_parts_of_a_batch_are_the_batch_and_one_left_empty_weighs_nothing() -> None:
    images = torch.rand(5, 1, 24, 24, generator=torch.Generator().manual_seed(0))
    batch = Degrade(Taps([3, 5]), NoNoise())(images, generator=torch.Generator().manual_seed(1), item=torch.arange(5))
    parts = [part_of(batch, process, 2) for process in range(2)]
    assert [len(part) for part in parts] == [3, 2]
    assert torch.equal(torch.cat([part.y for part in parts]), batch.y)
    assert torch.equal(torch.cat([part.item for part in parts]), batch.item)
    empty = part_of(batch.take(torch.tensor([0])), 1, 2)
    assert len(empty) == 1 and float(empty.weight.sum()) == 0


def test_the_mean_over_processes_is_that_of_the_whole_batch() -> None:
    """Parts of 3 and 2 items with weights: the plain mean of their means is another figure."""
    loss, weight = torch.rand(5, dtype=torch.float64), torch.tensor([1.0, 2, 3, 4, 5], dtype=torch.float64)
    parts = [slice(0, 3), slice(3, 5)]
    means = [float(weight[one] @ loss[one] / weight[one].sum()) for one in parts]
    total = weight.sum()
    reduced = SimpleNamespace(reduce=lambda value, reduce_op: total)
    module = SimpleNamespace(_trainer=SimpleNamespace(world_size=2, strategy=reduced))
    whole = [mean * float(part_of_whole(module, weight[one].sum())) for mean, one in zip(means, parts, strict=True)]  # type: ignore[arg-type]
    expected = float(weight @ loss / total)
    assert sum(whole) / 2 == pytest.approx(expected, rel=1e-6)
    assert sum(means) / 2 != pytest.approx(expected, rel=1e-3)


def test_one_process_is_started_by_nothing() -> None:
    assert strategy("auto", 1, True) == "auto"
    assert strategy("auto", 2, True)._start_method == "fork" and strategy("ddp", 2, False)._start_method == "spawn"


def test_outliers_want_one_process(tmp_path: Path) -> None:
    words = ["+stage.train.outliers._target_=blurlab.learning.Outliers", "trainer=cpu", "trainer.devices=2"]
    with pytest.raises(UsageError, match=r"outliers .* use trainer\.devices=1"):
        check([*words, "budget=smoke", "dataset=bundled", f"paths.runs_dir={tmp_path}"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*use of fork.. may lead to deadlocks:DeprecationWarning")  # torch starts threads
def test_two_gloo_processes_find_what_one_finds_and_go_on_where_they_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without dropout, whose draws are each process's own."""
    monkeypatch.setattr(torch.nn.Dropout, "forward", lambda self, x: x)
    one = go(tmp_path / "one", *WEIGHTED)
    two = go(tmp_path / "two", *WEIGHTED, "trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2")
    assert two == same_training(one)
    done = [json.loads((tmp_path / name / TRAINED / "finished.json").read_text()) for name in ("one", "two")]
    assert [(each["steps"], each["epochs"]) for each in done] == [(10, 5), (10, 5)]
    files = [next((tmp_path / name / "csv").rglob("metrics.csv")) for name in ("one", "two")]
    figures = [list(csv.DictReader(file.read_text().splitlines())) for file in files]
    losses = [[float(row["val_loss"]) for row in rows if row["val_loss"]] for rows in figures]
    assert len(losses[0]) == 5 and losses[1] == pytest.approx(losses[0], rel=1e-5)
    assert not (tmp_path / "two" / TRAINED / "relay.jsonl").exists()
    stop(tmp_path / "three", monkeypatch, *WEIGHTED)
    assert go(tmp_path / "three", *WEIGHTED, "trainer.devices=2") == same_training(one)
