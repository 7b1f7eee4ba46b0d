"""Which photographs a run trains, validates and tests on, and how they are cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image
from rich.console import Console

from blurlab.run.errors import UsageError
from blurlab.run.setup.data import RunData, prepare
from blurlab.run.setup.parts import build_sources


def folder(root: Path, name: str, count: int, side: int = 90) -> dict[str, str]:
    for i in range(count):
        pixels = np.random.default_rng(1000 * len(name) + i).integers(0, 256, (side, side + 20), dtype=np.uint8)
        (root / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(root / name / f"{name}{i}.png")
    return {"_target_": "blurlab.dataset.Folder", "root": str(root / name), "name": name}


def prepared(tmp_path: Path, draws_train: int = 0, **dataset: object) -> RunData:
    known = {"name": "a", "size": 40, "channel": "grey", "strict": True, "source": folder(tmp_path, "a", 12)}
    cfg = {"dataset": {**known, **dataset}, "paths": {"cache_dir": str(tmp_path / "cache")}, "run": {"progress": False}}
    cfg["budget"] = {"draws_train": draws_train}
    made = OmegaConf.create(cfg)
    return prepare(made, build_sources(made.dataset), 6, Console(quiet=True))


def test_one_set_is_split_and_shrunk(tmp_path: Path) -> None:
    data = prepared(tmp_path)
    assert (len(data.train), len(data.val), len(data.test)) == (7, 2, 3) and data.size == 52
    assert {array.shape for array in data.val.arrays + data.test.arrays} == {(52, 52, 1)}
    assert data.facts["name"] == "a" and data.scale is not None


@pytest.mark.parametrize(("cut", "side"), [("whole", 52), ("centre", 52), ("anywhere", 90)])
def test_photographs_trained_on_as_fixed_items_are_as_those_tested(tmp_path: Path, cut: str, side: int) -> None:
    data = prepared(tmp_path, draws_train=1, cut=cut)
    assert {array.shape for array in data.train.arrays} == {array.shape for array in data.test.arrays}
    assert {array.shape for array in data.train.arrays} == {(side, side, 1)}


def test_validation_and_test_photographs_may_come_from_other_sets(tmp_path: Path) -> None:
    more = {"val_source": folder(tmp_path, "bb", 4), "test_source": folder(tmp_path, "ccc", 5), "test_part": "all"}
    data = prepared(tmp_path, **more)
    assert [name[0] for part in (data.train, data.val, data.test) for name in part.ids[:1]] == ["a", "b", "c"]
    assert (len(data.train), len(data.val), len(data.test)) == (9, 4, 5)
    assert data.facts["name"] == "a->ccc" and data.facts["val_name"] == "bb"
    assert data.facts["val_sha256"] != data.facts["sha256"] != data.facts["test_sha256"]


@pytest.mark.parametrize(("cut", "shape"), [("centre", (52, 52, 1)), ("anywhere", (90, 90, 1))])
def test_what_is_cut_is_not_resized(tmp_path: Path, cut: str, shape: tuple[int, int, int]) -> None:
    data = prepared(tmp_path, cut=cut)
    assert {array.shape for array in data.test.arrays} == {shape} and data.scale is None
    whole = np.asarray(Image.open(tmp_path / "a" / data.test.ids[0]))
    left = (whole.shape[1] - shape[1]) // 2
    top = (whole.shape[0] - shape[0]) // 2
    assert np.array_equal(data.test.arrays[0][..., 0], whole[top : top + shape[0], left : left + shape[1]])


def test_an_unknown_cut_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="whole, centre, anywhere, got middle"):
        prepared(tmp_path, cut="middle")


def test_a_photograph_in_two_parts_is_refused(tmp_path: Path) -> None:
    folder(tmp_path, "a", 12)
    other = folder(tmp_path, "bb", 4)
    (tmp_path / "bb" / "copy.png").write_bytes((tmp_path / "a" / "a3.png").read_bytes())
    with pytest.raises(UsageError, match="the same file as"):
        prepared(tmp_path, val_source=other)
