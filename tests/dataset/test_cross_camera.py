"""Trained on one camera, tested on another."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_sets as tiny
from rich.console import Console

from blurlab.run.command.compose import check
from blurlab.run.setup.data import prepare
from blurlab.run.setup.parts import build_sources

SETS = {"drive": ("drive", tiny.DRIVE), "chase_db1": ("chase_db1", tiny.CHASE)}


@pytest.mark.parametrize(
    ("dataset", "first", "second"), [("drive_to_chase", "drive", "chase_db1"), ("chase_to_drive", "chase_db1", "drive")]
)
def test_every_photograph_of_the_other_camera_is_tested_and_none_trained_on(
    dataset: str, first: str, second: str, tmp_path: Path
) -> None:
    for folder, names in SETS.values():
        tiny.put_all(tmp_path / folder, names)
    places = [f"paths.{name}_dir={tmp_path}" for name in ("data", "cache", "runs")]
    (cfg,) = check(["+experiment=messidor_hier", f"dataset={dataset}", "run.progress=false", *places])
    assert cfg.run.variant == dataset and cfg.dataset.channel == "green" and cfg.dataset["size"] == 256
    cfg.dataset["size"] = 32
    data = prepare(cfg, build_sources(cfg.dataset), 2, Console(quiet=True))
    own, other = SETS[first][1], SETS[second][1]
    assert sorted(data.test.ids) == sorted(other)
    assert {*data.train.ids, *data.val.ids} < {*own} and data.train.ids and data.val.ids
    assert data.facts["name"] == f"{first}->{second}" and data.test.arrays[0].shape == (36, 36, 1)
