"""Tables of figures inside a text (a paper's, the README's, the documentation's), filled from records.

A text asks for one by two comments, each a line of its own; what stands between them is replaced:

    <!-- figures: answered calibration_error of results/small/camera_bsds.photograph.json -->
    <!-- end of figures -->

Of one record each figure is a row, with its 95 % interval and the number of images; after ``figures, published and
limit:`` between the published figure and the limit. Of several records each record is a row, then with the published
figure and the limit of the first of the figures.
"""

from __future__ import annotations

import re
from pathlib import Path

from blurlab.core.atomic import write_text
from blurlab.report.record import load_record, page_of
from blurlab.report.rows import Row, rows, variant
from blurlab.report.text import link, md, md_table

BEGIN = re.compile(
    r"^<!-- figures(?P<beside>, published and limit)?: (?P<names>[^\n]+?) of (?P<files>[^\n]+?) -->$", re.MULTILINE
)
END = "<!-- end of figures -->"


def write_narratives(folder: Path) -> list[Path]:
    """Fill the tables of every ``*.md`` in a folder; files that ask for none stay as they are.

    Returns:
        The files that ask for some.

    Raises:
        FileNotFoundError: If a record is not there.
        ValueError: If a table has no end, or a record lacks a figure that is asked for.
    """
    asked = [path for path in sorted(folder.glob("*.md")) if BEGIN.search(path.read_text(encoding="utf-8"))]
    for path in asked:
        text = path.read_text(encoding="utf-8")
        filled = narrative(text, folder, path.name)
        if filled != text:
            write_text(path, filled)
    return asked


def narrative(text: str, folder: Path, name: str) -> str:
    """The text with its tables filled; ``name`` is for messages."""
    parts, place = [], 0
    for begin in BEGIN.finditer(text):
        end = text.find(END, begin.end())
        following = BEGIN.search(text, begin.end())
        if end < 0 or (following is not None and following.start() < end):
            raise ValueError(f"{name}: a table of figures has no end; write {END} on a line of its own below it")
        asked = begin["names"].split(), begin["files"].split()
        table = _beside(*asked, folder, name) if begin["beside"] else _table(*asked, folder, name)
        parts += [text[place : begin.end()], "\n\n", table, "\n\n"]
        place = end
    return "".join([*parts, text[place:]])


def _table(names: list[str], files: list[str], folder: Path, name: str) -> str:
    found = {file: _rows(names, folder / file, name) for file in files}
    if len(files) == 1:
        lines = [[_label(row), row.ours_text, row.interval_text, row.n_text] for row in found[files[0]]]
        return md_table(["", "value", "95 % interval", "of"], lines)
    head = [_label(row) for row in found[files[0]]]
    return md_table(
        ["", *head], [[_page(file, folder), *(row.ours_text for row in own)] for file, own in found.items()]
    )


def _beside(names: list[str], files: list[str], folder: Path, name: str) -> str:
    if len(files) != 1:
        found = {file: _rows(names, folder / file, name) for file in files}
        head = [_label(row) for row in found[files[0]]]
        return md_table(
            ["", *head, f"published, {head[0]}", f"limit, {head[0]}"],
            [
                [_page(file, folder), *(row.ours_text for row in own), own[0].published_text, own[0].limit_text]
                for file, own in found.items()
            ],
        )
    return md_table(
        ["", "published", "ours", "95 % interval", "of", "limit"],
        [
            [_label(row), row.published_text, row.ours_text, row.interval_text, row.n_text, row.limit_text]
            for row in _rows(names, folder / files[0], name)
        ],
    )


def _rows(names: list[str], file: Path, name: str) -> list[Row]:
    known = {row.name: row for row in rows(load_record(file))}
    lacking = [one for one in names if one not in known]
    if lacking:
        raise ValueError(f"{name}: {file.name} has no figure {', '.join(lacking)}; it has {', '.join(sorted(known))}")
    return [known[one] for one in names]


def _label(row: Row) -> str:
    unit = f" ({row.unit})" if row.unit else ""
    return md(f"{row.label.text}{unit}" + (f", {row.head}" if row.head else ""))


def _page(file: str, folder: Path) -> str:
    return link(md(variant(load_record(folder / file))), page_of(file))
