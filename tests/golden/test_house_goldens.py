"""The code gives what it gave before its contracts were changed, but for what house_changed.py names."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import pytest
from cli_run import in_process
from house_changed import CHANGED
from house_file import ELSEWHERE, TOLERANCE, read_digests, rounding
from house_members import members
from make_house import MEMBERS, ROWS, RUN, column_difference, compute, is_changed, read_rows

GOLDEN = Path(__file__).parent / "house"
AFTERWARDS = GOLDEN / "changed" / MEMBERS
BEFORE, MADE_WITH = read_digests(GOLDEN / MEMBERS)
AFTER, REMADE_WITH = read_digests(AFTERWARDS) if AFTERWARDS.is_file() else ({}, MADE_WITH)
ALIKE = rounding() == MADE_WITH == REMADE_WITH
ALLOWED = TOLERANCE if ALIKE else ELSEWHERE
PRINTED = 1.1e-5
"""The rows are printed with five decimals: one of the last."""


GROUPS = sorted({name.split(".")[0] for name in BEFORE})
DEAR = ("astronaut", "camera", "deconvolver")


@pytest.mark.parametrize("group", [pytest.param(one, marks=pytest.mark.slow if one in DEAR else ()) for one in GROUPS])
def test_members_give_what_they_gave(group: str) -> None:
    off = {}
    for name, before in BEFORE.items():
        if name.split(".")[0] != group:
            continue
        if name not in members():
            assert is_changed(name), f"{name} is gone; if on purpose, name it in house_changed.py"
            continue
        difference = compute(name).difference(AFTER.get(name, before))
        if difference > ALLOWED:
            off[name] = difference
    assert not off, f"largest difference by member, if on purpose see make_house.py: {in_words(off)}"


def in_words(off: dict[str, float]) -> str:
    """The largest first."""
    return ", ".join(f"{name} {off[name]:.3g}" for name in sorted(off, key=off.__getitem__, reverse=True))


@pytest.mark.slow
def test_a_small_run_gives_the_rows_it_gave(tmp_path: Path) -> None:
    golden = read_rows(GOLDEN / "changed" / ROWS if is_changed(ROWS) else GOLDEN / ROWS)
    done = in_process(*RUN, f"hydra.run.dir={tmp_path / 'run'}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = read_rows(tmp_path / "run" / ROWS)
    assert len(rows) == len(golden) > 0
    differences = {column: column_difference(rows, golden, column) for column in golden[0]}
    allowed = PRINTED if ALIKE else ELSEWHERE
    off = {column: one for column, one in differences.items() if one > allowed}
    assert not off, f"largest difference by column, if on purpose see make_house.py: {in_words(off)}"


def test_what_is_named_as_changed_is_changed_and_nothing_else() -> None:
    assert (GOLDEN / "changed" / ROWS).is_file() == is_changed(ROWS)
    for name in AFTER:
        assert is_changed(name), f"{name} has new values but no reason; name it in house_changed.py"
    for pattern in CHANGED:
        named = [name for name in [*BEFORE, ROWS] if fnmatch(name, pattern)]
        assert named, f"{pattern} in house_changed.py matches no golden"
        still = all(name in AFTER and AFTER[name].difference(BEFORE[name]) <= TOLERANCE for name in named)
        assert not still, f"{pattern} is as it was; take it out of house_changed.py"
