"""The code gives what it gave before its contracts were changed, but for what house_changed.py names."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import pytest
from house_changed import CHANGED
from house_file import ELSEWHERE, TOLERANCE, Digest, read_digests, rounding
from house_members import members
from make_house import MEMBERS, ROWS, column_difference, compute, is_changed, read_rows, run_rows

GOLDEN = Path(__file__).parent / "house"
BEFORE, MADE_WITH = read_digests(GOLDEN / MEMBERS)
ALIKE = rounding() == MADE_WITH
ALLOWED = TOLERANCE if ALIKE else ELSEWHERE
PRINTED = 1.1e-5
"""The rows are printed with five decimals: one of the last."""


def goldens() -> dict[str, Digest]:
    """What each member is held to."""
    after = read_digests(GOLDEN / "changed" / MEMBERS)[0] if any(map(is_changed, BEFORE)) else {}
    return {name: after.get(name, golden) if is_changed(name) else golden for name, golden in BEFORE.items()}


@pytest.mark.parametrize("group", sorted({name.split(".")[0] for name in BEFORE}))
def test_members_give_what_they_gave(group: str) -> None:
    off = {}
    for name, golden in goldens().items():
        if name.split(".")[0] == group:
            assert name in members(), f"{name} is gone; name it in house_changed.py if it was removed on purpose"
            difference = compute(name).difference(golden)
            if difference > ALLOWED:
                off[name] = difference
    assert not off, "largest difference by member: " + ", ".join(f"{name} {one:.3g}" for name, one in off.items())


@pytest.mark.slow
def test_a_small_run_gives_the_rows_it_gave() -> None:
    golden = read_rows(GOLDEN / "changed" / ROWS if is_changed(ROWS) else GOLDEN / ROWS)
    rows = run_rows()
    assert len(rows) == len(golden) > 0
    differences = {column: column_difference(rows, golden, column) for column in golden[0]}
    allowed = PRINTED if ALIKE else ELSEWHERE
    off = {column: one for column, one in differences.items() if one > allowed}
    assert not off, "largest difference by column: " + ", ".join(f"{name} {one:.3g}" for name, one in off.items())


def test_what_is_named_as_changed_is_changed_and_nothing_else() -> None:
    after = read_digests(GOLDEN / "changed" / MEMBERS)[0] if (GOLDEN / "changed" / MEMBERS).is_file() else {}
    assert (GOLDEN / "changed" / ROWS).is_file() == is_changed(ROWS)
    for name in after:
        assert is_changed(name), f"{name} has new values but no reason; name it in house_changed.py"
    for pattern in CHANGED:
        named = [name for name in [*BEFORE, ROWS] if fnmatch(name, pattern)]
        assert named, f"{pattern} in house_changed.py matches no golden"
        still = all(name in after and after[name].difference(BEFORE[name]) <= TOLERANCE for name in named)
        assert not still, f"{pattern} is as it was; take it out of house_changed.py"
