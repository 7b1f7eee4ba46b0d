"""The first table of a paper's report: one line a published figure, the paper's own method and our best beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from blurlab.report.labels import label, split_name
from blurlab.report.paper import published_entry, tokens
from blurlab.report.rows import Row, conditions, rows, variant
from blurlab.report.text import MISSING, NOT_RUN, link, md, md_table

Record = Mapping[str, Any]
Found = Sequence[tuple[str, Record]]
Measured = tuple[str, Record, Row]
HEAD = ("experiment", "figure", "published", "the paper's own method, as we run it", "our best", "limit")
CELLS = (
    "A cell of ours is a figure with its 95 % interval, linked to its record; beside it stand variant, data set and "
    "noise. Our best is one record a table, whatever its method: the best in the first figure of that table."
)


def headlines(figures: Sequence[Mapping[str, str]], found: Found) -> str:
    """The table in Markdown.

    Args:
        figures: Rows of published.csv. ``variant`` and ``where`` hold words that a record must have (of its variant,
            its blur or its noise); ``own`` holds the words of the records that are the paper's own method; groups of
            them stand apart by ``;``, and each is shown.
        found: Records with their files, the links' targets.
    """
    leads: dict[tuple[str, str], Mapping[str, str]] = {}
    for row in figures:
        leads.setdefault((row["experiment"], row.get("variant", "")), row)
    lines = [_line(row, leads[row["experiment"], row.get("variant", "")], found) for row in figures]
    return md_table(HEAD, lines)


def _line(published: Mapping[str, str], lead: Mapping[str, str], found: Found) -> list[str]:
    """One line; ``lead`` is the figure of its table by which the best record is chosen."""
    known = label(published["metric"])
    what = known.text + (f" ({known.unit})" if known.unit else "")
    where = " ".join(filter(None, (published["experiment"], published.get("variant"))))
    members = [(file, record) for file, record in found if names(published, record)]
    ways = [way for way in published.get("own", "").split(";") if way.strip()]
    own = [_best(published, lead, [one for one in members if _has(way, one[1])]) for way in ways]
    best = _best(published, lead, members)
    limit = best[2].limit_text if best else MISSING
    shown = "<br>".join(_cell(one) for one in own if one) or NOT_RUN
    return [md(where), md(what), published["value"], shown, _cell(best) if best else NOT_RUN, limit]


def names(published: Mapping[str, str], record: Record) -> bool:
    """Is this published figure one of the record's table?"""
    words = f"{published.get('variant', '')} {published.get('where', '')}"
    return record["experiment"] == published["experiment"] and _has(words, record)


def _has(words: str, record: Record) -> bool:
    return set(words.split()) <= tokens(record)


def _of(name: str, record: Record, published: Mapping[str, str]) -> list[Row]:
    """The rows of a record that measure this: that of its own name; where there is none, one a head.

    A figure of some of the items, as of kernels of one size, is no match for a published one of all of them.
    """
    every = rows(record, {name: published_entry(published)})
    found = [row for row in every if split_name(row.name)[0] == split_name(name)[0] and row.ours is not None]
    return [row for row in found if row.name == name] or found


def _best(published: Mapping[str, str], lead: Mapping[str, str], members: Found) -> Measured | None:
    """The figure of the record that is best in the lead's, or where none has that, the best there is."""
    members = first_seeds(members)
    for figure in (lead, published):
        some = [(file, record, row) for file, record in members for row in _of(figure["metric"], record, figure)]
        some = [one for one in some if (one[2].ours or {}).get("value") is not None]
        if not some:
            continue
        sign = -1 if some[0][2].label.higher_is_better is False else 1
        file, record, row = max(some, key=lambda one: sign * float((one[2].ours or {})["value"]))
        same = [other for other in _of(published["metric"], record, published) if other.head == row.head]
        if same or figure is published:
            return file, record, (same or [row])[0]
    return None


def first_seeds(members: Found) -> Found:
    """The records without those of further seeds: the best of several seeds is better than any one is to be expected.

    Example:
        >>> a, b, c = ({"variant": v, "budget": "small", "seed": s} for v, s in (("x", 0), ("x", 1), ("y", 1)))
        >>> [file for file, _ in first_seeds([("a", a), ("b", b), ("c", c)])]
        ['a', 'c']
    """
    first: dict[tuple[str, str], int] = {}
    for _, record in members:
        key = record["variant"], record["budget"]
        first[key] = min(record["seed"], first.get(key, record["seed"]))
    return [(file, record) for file, record in members if record["seed"] == first[record["variant"], record["budget"]]]


def _cell(measured: Measured) -> str:
    file, record, row = measured
    held = conditions(record)
    figure = " ".join(filter(None, (row.ours_text, row.interval_text)))
    by = f" by {md(row.head)}" if row.head else ""
    return f"{link(figure, file)}{by}: {md(variant(record))}, {md(held['data set'])}, {md(held['noise'])}"
