"""Goldens of the whole house: make them, or compare the code with them.

    python tests/golden/make_house.py FOLDER                make members.npz and per_image.csv in a folder
    python tests/golden/make_house.py FOLDER --changed      the same of what house_changed.py names alone
    python tests/golden/make_house.py --compare FOLDER      print member | largest difference | bit-equal

The goldens in tests/golden/house were made at revision 47170e8, before the contracts of the house were changed, and
stay as they are. What changes its values on purpose is named in house_changed.py with the reason; then

    python tests/golden/make_house.py tests/golden/house/changed --changed

makes the values that it is held to from now on. Values are held to 1e-6 where processor and libraries round as they
did where the goldens were made (``house_file.rounding``), and to 3e-2 elsewhere; there, to see small differences, make
goldens from the old revision first, and compare with those:

    git worktree add ../before 47170e8
    PYTHONPATH=../before python tests/golden/make_house.py /tmp/before
    PYTHONPATH=. python tests/golden/make_house.py --compare /tmp/before
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import subprocess
import sys
import tempfile
from fnmatch import fnmatch
from pathlib import Path

import torch
from house_changed import CHANGED
from house_file import Digest, digest, read_digests, write_digests
from house_members import CHECKOUT, members

MEMBERS, ROWS = "members.npz", "per_image.csv"
RUN = [
    "+experiment=messidor_hier", "budget=smoke", "budget.photos=10", "budget.epochs=2", "budget.steps_per_epoch=3",
    "budget.batch_size=8", "budget.draws_test=4", "budget.risk_strengths_px=[3,8]", "budget.risk_errors_px=[-1,0,1]",
    "budget.risk_photos=1", "dataset.size=96", "deconvolver=wiener", "head.width=4", "head.hidden=16",
    "head.window=32", "head.hop=16", "run.progress=false", "logger=csv", "trainer=cpu",
]  # fmt: skip
"""The cheapest run that passes the whole main job: three networks, their risk tables, identified and restored items."""


def is_changed(name: str) -> bool:
    """Is this member one whose values were changed on purpose?"""
    return any(fnmatch(name, pattern) for pattern in CHANGED)


def compute(name: str) -> Digest:
    """A member's values as the code gives them, on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return digest(members()[name]())
    finally:
        torch.set_num_threads(threads)


def run_rows() -> list[dict[str, str]]:
    """The lines of the small run's per_image.csv, made anew.

    Raises:
        RuntimeError: If the run fails, with its errors.
    """
    with tempfile.TemporaryDirectory() as folder:
        places = {"BLURLAB_CACHE": "cache", "BLURLAB_DATA": "data", "BLURLAB_RUNS": "runs"}
        env = {**os.environ, **{key: f"{folder}/{name}" for key, name in places.items()}}
        env |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(CHECKOUT), "NO_ALBUMENTATIONS_UPDATE": "1"}
        words = [sys.executable, "-m", "blurlab", *RUN, f"hydra.run.dir={folder}/run"]
        done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the small run failed:\n{done.stderr}")
        return read_rows(Path(folder) / "run" / ROWS)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Lines of a CSV file."""
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def column_difference(mine: list[dict[str, str]], golden: list[dict[str, str]], column: str) -> float:
    """Largest difference of a column's numbers, as a share where above 1; infinite where a text or a gap differs."""
    if len(mine) != len(golden) or any(column not in row for row in mine):
        return math.inf
    return max(_apart(here[column], there[column]) for here, there in zip(mine, golden, strict=True))


def _apart(here: str, there: str) -> float:
    try:
        return abs(float(here) - float(there)) / max(1.0, abs(float(there)))
    except ValueError:
        return 0.0 if here == there else math.inf


def make(folder: Path, changed: bool) -> None:
    """Write the goldens, of the changed ones alone if asked for."""
    names = [name for name in members() if not changed or is_changed(name)]
    if names:
        write_digests(folder / MEMBERS, {name: compute(name) for name in names})
    if not changed or is_changed(ROWS):
        folder.mkdir(parents=True, exist_ok=True)
        rows = run_rows()
        with (folder / ROWS).open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def compare(folder: Path) -> None:
    """Print how far the code is from the goldens of a folder."""
    golden, _ = read_digests(folder / MEMBERS)
    print(f"{'member':<44} {'largest difference':>18}  bit-equal")
    for name, there in golden.items():
        here = compute(name) if name in members() else Digest(there.moments[:0], there.sample[:0])
        print(f"{name:<44} {here.difference(there):>18.3g}  {'yes' if here.equals(there) else 'no'}")
    rows, before = run_rows(), read_rows(folder / ROWS)
    for column in before[0]:
        equal = [row.get(column) for row in rows] == [row[column] for row in before]
        off = column_difference(rows, before, column)
        print(f"{ROWS + ' ' + column:<44} {off:>18.3g}  {'yes' if equal else 'no'}")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Make the goldens of the house, or compare the code with them.")
    parser.add_argument("folder", nargs="?", type=Path, help="where to write members.npz and per_image.csv")
    parser.add_argument("--changed", action="store_true", help="only what house_changed.py names")
    parser.add_argument("--compare", type=Path, metavar="FOLDER", help="compare with the goldens of this folder")
    asked = parser.parse_args()
    if (asked.folder is None) == (asked.compare is None):
        parser.error("name a folder to write to, or --compare one")
    if asked.compare is not None:
        compare(asked.compare)
    else:
        make(asked.folder, asked.changed)


if __name__ == "__main__":
    main()
