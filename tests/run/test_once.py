"""The main job builds its parts once, restores its examples once, and reads nothing back that it has in hand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from blurlab.blur import Defocus, Motion
from blurlab.cli import main
from blurlab.dataset import FixedItems, Messidor
from blurlab.deconvolver import TV
from blurlab.head import Compact
from blurlab.noise import Sensor
from blurlab.pipeline import Hierarchical
from blurlab.run.command import job
from blurlab.run.stage import calibrate
from blurlab.run.stage.evaluate import Evaluate

WORDS = [
    "+experiment=messidor_hier", "budget=smoke", "budget.photos=10", "dataset.fallback.size=160",
    "budget.epochs=1", "budget.steps_per_epoch=2",
    "budget.batch_size=4", "budget.draws_val=1", "budget.draws_test=3", "budget.risk_strengths_px=[3,8]",
    "budget.risk_errors_px=[0,1]", "budget.risk_photos=1", "dataset.size=64", "head.window=32",
    "deconvolver.iterations=3", "run.progress=false", "logger=csv", "trainer=cpu",
]  # fmt: skip
CLASSES = (Defocus, Motion, TV, Sensor, Hierarchical, Messidor, Evaluate)


def counted(made: Counter[str], name: str, whole: Callable[..., Any]) -> Callable[..., Any]:
    def count(*args: Any, **more: Any) -> Any:
        done = whole(*args, **more)  # a file that is not there is not read
        made[name] += 1
        return done

    return count


@pytest.mark.slow
def test_the_main_job_does_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BLURLAB_CACHE", str(tmp_path / "cache"))
    made: Counter[str] = Counter()
    for one in CLASSES:
        monkeypatch.setattr(one, "__init__", counted(made, one.__name__, one.__init__))
    heads = Compact.__init__
    on_meta: list[bool] = []

    def head(self: Compact, *args: Any, **more: Any) -> None:
        heads(self, *args, **more)
        on_meta.append(next(self.parameters()).is_meta)

    monkeypatch.setattr(Compact, "__init__", head)
    monkeypatch.setattr(torch, "load", counted(made, "torch.load", torch.load))
    monkeypatch.setattr(calibrate, "load_table", counted(made, "load_table", calibrate.load_table))
    monkeypatch.setattr(job, "read_image", counted(made, "read_image", job.read_image))
    drawn: list[tuple[str, int]] = []
    item = FixedItems.__getitem__

    def draw(self: FixedItems, index: int) -> Any:
        drawn.append((self.split, index))
        return item(self, index)

    monkeypatch.setattr(FixedItems, "__getitem__", draw)
    main([*WORDS, f"hydra.run.dir={tmp_path / 'run'}"])
    assert {one.__name__: made[one.__name__] for one in CLASSES} == dict.fromkeys((one.__name__ for one in CLASSES), 1)
    assert on_meta.count(False) == 3  # a network a task
    assert made["torch.load"] == 3  # the best epoch of each, which only its file holds
    assert made["load_table"] == made["read_image"] == 0
    items = Counter(drawn)
    tested = [count for (split, _), count in items.items() if split == "test"]
    assert len(tested) == 3 * json.loads((tmp_path / "run" / "data.json").read_text())["test"]
    assert set(tested) == {2}  # once degraded, once whole for the observer who knows the photograph
    record = json.loads((tmp_path / "run" / "record.json").read_text())
    assert 1 <= len(record["examples"]) <= record["dataset"]["test"]
    said = capsys.readouterr().out
    assert "3 networks to train, 1 x 2 steps of 4 images each" in said
