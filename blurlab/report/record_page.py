"""A record as a page of Markdown: conditions, figures, bounds, confusion, curves, other conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from blurlab.report.bounds import bounds_blocks
from blurlab.report.headline import names
from blurlab.report.paper import published_entry
from blurlab.report.record import page_of
from blurlab.report.reliability import reliability_blocks
from blurlab.report.robustness import robustness_blocks
from blurlab.report.rows import conditions, interval_note, rows, variant
from blurlab.report.spread import accuracy_table, strength_table
from blurlab.report.text import brief, link, md, md_table


def record_page(file: str, record: Mapping[str, Any], figures: Sequence[Mapping[str, str]]) -> str:
    """The page's text.

    Args:
        file: The record's file, seen from the paper's folder.
        record: A valid record.
        figures: Rows of the paper's published.csv.
    """
    theirs = {row["metric"]: published_entry(row) for row in figures if names({**row, "where": ""}, record)}
    held = {**conditions(record), "blur": brief(record["blur"]), "seed": record["seed"], "git": record["git"]}
    parts = [f"# {md(record['experiment'])}: {md(variant(record))}, budget {md(record['budget'])}"]
    up = "../" * (len(PurePosixPath(page_of(file)).parts) - 1)
    parts.append("; ".join(f"{name}: {md(value)}" for name, value in held.items()) + f". {link('Record', up + file)}.")
    lines = [
        [md(row.label.text + (f" ({row.unit})" if row.unit else "")), md(row.head), row.published_text, row.ours_text,
         row.interval_text, row.n_text, row.limit_text, md((row.limit or {}).get("how", ""))]
        for row in rows(record, theirs)
    ]  # fmt: skip
    parts.append(md_table(["metric", "by", "published", "ours", "95 % interval", "n", "limit", "limit: how"], lines))
    parts.append(interval_note(record))
    parts += bounds_blocks(record)
    for name, table in record.get("confusion", {}).items():
        matrix = [[md(t), *map(str, counts)] for t, counts in zip(table["labels"], table["matrix"], strict=True)]
        parts.append(md_table([f"{md(name)}: true \\ taken for", *map(md, table["labels"])], matrix))
    parts += accuracy_table(record)
    parts += strength_table(record)
    parts += reliability_blocks(record)
    parts += robustness_blocks(record)
    parts += [f"- {md(note)}" for note in record.get("notes", [])]
    return "\n\n".join(parts) + "\n"
