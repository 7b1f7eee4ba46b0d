from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import tiny_sets as tiny

from blurlab.core.image_io import ImageReadError
from blurlab.dataset import (
    ChaseDb1,
    Concat,
    DataNotFound,
    Drive,
    Folder,
    Photo,
    Source,
    Split,
    make_split,
    scan,
)


class MadeUp(Source):
    """Photographs whose digests and groups are given: no files."""

    name = "made_up"
    site = "nowhere"

    def __init__(self, contents: dict[str, str], groups: dict[str, str] | None = None) -> None:
        self.contents = contents
        self.groups = groups or {}

    def photos(self) -> list[Photo]:
        return [Photo(id=name, group=self.groups.get(name, "")) for name in self.contents]

    def digest(self, photo: Photo) -> str:
        return self.contents[photo.id]


def alone(n: int, first: int = 0) -> dict[str, str]:
    return {f"p{i:04d}": f"{random.Random(i).getrandbits(256):064x}" for i in range(first, first + n)}


def parts(split: Split) -> dict[str, str]:
    named = {"train": split.train, "val": split.val, "test": split.test}
    return {photo.id: part for part, photos in named.items() for photo in photos}


def counts(split: Split) -> tuple[int, int, int]:
    return len(split.train), len(split.val), len(split.test)


@pytest.mark.parametrize(
    ("n", "expected"),
    [(1200, (720, 180, 300)), (500, (300, 75, 125)), (40, (24, 6, 10)), (10, (6, 1, 3)), (3, (1, 1, 1))],
)
def test_quotas_are_exact_for_photographs_on_their_own(n: int, expected: tuple[int, int, int]) -> None:
    assert counts(make_split(MadeUp(alone(n)))) == expected


def test_drive_and_chase(tmp_path: Path) -> None:
    tiny.put_all(tmp_path / "drive", tiny.DRIVE_FLAT)
    tiny.put_all(tmp_path / "chase_db1", tiny.CHASE)
    drive, chase = make_split(Drive(tmp_path)), make_split(ChaseDb1(tmp_path))
    assert counts(drive) == (24, 6, 10)
    assert counts(chase) == (16, 4, 8)
    both = make_split(Concat([Drive(tmp_path), ChaseDb1(tmp_path)]))
    assert counts(both) == (40, 10, 18)
    assert parts(both) == {f"drive/{k}": v for k, v in parts(drive).items()} | {
        f"chase_db1/{k}": v for k, v in parts(chase).items()
    }
    eyes = parts(chase)
    assert all(eyes[name] == eyes[name.replace("L.", "R.")] for name in eyes)


def test_a_split_depends_on_contents_alone() -> None:
    contents = alone(40)
    names, digests = list(contents), list(contents.values())
    first = make_split(MadeUp(contents))
    random.Random(1).shuffle(names)
    renamed = make_split(MadeUp(dict(zip(names, digests, strict=True))))
    part_of_digest = [{s.digests[k]: v for k, v in parts(s).items()} for s in (first, renamed)]
    assert part_of_digest[0] == part_of_digest[1]
    assert first.sha256 == renamed.sha256 != make_split(MadeUp(alone(41))).sha256


@pytest.mark.parametrize("n", [40, 68, 400])
def test_another_photograph_moves_only_few(n: int) -> None:
    before = parts(make_split(MadeUp(alone(n))))
    for new in range(20):
        after = parts(make_split(MadeUp(alone(n) | alone(1, first=10_000 + new))))
        assert sum(after[name] != part for name, part in before.items()) <= 2


def test_groups_and_copies_never_straddle() -> None:
    for seed in range(30):
        rng = np.random.default_rng(seed)
        contents = {f"p{i:03d}": f"{rng.integers(0, 60):064x}" for i in range(80)}
        groups = {name: f"g{rng.integers(0, 60)}" for name in contents if rng.random() < 0.5}
        try:
            split = make_split(MadeUp(contents, groups))
        except ValueError:  # everything hangs together
            continue
        part = parts(split)
        assert len(part) == 80
        for key in (contents, groups):
            for value in set(key.values()):
                assert len({part[name] for name in key if key[name] == value}) == 1


def test_ties_through_a_third_photograph_bind() -> None:
    contents = alone(30) | {"a": "1" * 64, "b": "2" * 64, "c": "1" * 64}
    for order in (["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"]):
        mixed = {name: contents[name] for name in [*order[:2], *alone(30), order[2]]}
        part = parts(make_split(MadeUp(mixed, {"b": "g", "c": "g"})))
        assert part["a"] == part["b"] == part["c"]


def test_counts_are_near_the_quota_with_groups() -> None:
    contents = alone(60)
    groups = {name: f"g{i // 3}" for i, name in enumerate(contents)}
    train, val, test = counts(make_split(MadeUp(contents, groups)))
    assert abs(test - 15) <= 1.5 and abs(val - 0.2 * (60 - test)) <= 1.5 and train + val + test == 60


def test_a_copy_in_a_second_set_is_left_out(tmp_path: Path) -> None:
    for folder, names in {"one": "abcdef", "two": "ghij"}.items():
        tiny.put_all(tmp_path / folder, [f"{name}.png" for name in names])
    shutil.copy(tmp_path / "one" / "a.png", tmp_path / "two" / "copy.png")
    split = make_split(Concat([Folder(tmp_path / "one"), Folder(tmp_path / "two")]))
    assert split.skipped == [("two/copy.png", "the same file as one/a.png")]
    assert sum(counts(split)) == 10 == len(split.digests)


def test_unreadable_files_are_skipped_and_named(tmp_path: Path) -> None:
    tiny.put_all(tmp_path, [f"{i}.png" for i in range(8)])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("not a photograph")
    tiny.put_photo(tmp_path / "dot.png", side=1)
    whole = (tmp_path / "0.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    split = make_split(Folder(tmp_path))
    assert [name for name, _ in split.skipped] == ["dot.png", "empty.png", "text.jpg"]
    assert all(name in reason for name, reason in split.skipped)
    source = Folder(tmp_path)
    found = scan(source, loader=source.load)
    assert [name for name, _ in found.skipped] == ["cut.png", "dot.png", "empty.png", "text.jpg"]
    assert len(found.photos) == 8


def test_each_photograph_is_read_once(tmp_path: Path) -> None:
    seen: list[str] = []
    steps: list[tuple[int, int]] = []
    scan(
        MadeUp(alone(5)),
        loader=lambda photo: seen.append(photo.id),
        progress=lambda *step: steps.append(step),
    )
    assert seen == list(alone(5)) and steps == [(i, 5) for i in range(1, 6)]


def test_sets_that_cannot_be_split(tmp_path: Path) -> None:
    with pytest.raises(DataNotFound, match="nowhere"):
        make_split(MadeUp({}))
    with pytest.raises(ValueError, match="2 independent photographs"):
        make_split(MadeUp(alone(6), {name: f"g{i % 2}" for i, name in enumerate(alone(6))}))

    def refuse(photo: Photo) -> None:
        raise ImageReadError(f"{photo.id} is broken")

    with pytest.raises(DataNotFound, match="3 skipped, the first because p0000 is broken"):
        scan(MadeUp(alone(3)), loader=refuse)
