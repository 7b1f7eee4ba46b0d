"""REPORT.md of a paper's folder and the index of every record: generated, the same bytes from the same records."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from blurlab.core.atomic import write_text
from blurlab.report.bounds import bounds_blocks
from blurlab.report.labels import METRICS, label, sort_key, split_name
from blurlab.report.paper import published_entry, read_published, tokens
from blurlab.report.record import budget_rank, load_folder
from blurlab.report.robustness import robustness_blocks
from blurlab.report.rows import Row, conditions, interval_note, rows
from blurlab.report.spread import accuracy_table, noise_tables, side_by_side, strength_table
from blurlab.report.text import MISSING, NOT_RUN, brief, md, md_table

Found = Sequence[tuple[str, Mapping[str, Any]]]
_HELD = ("data set", "noise", "boundary", "budget", "device")


def write_report_md(folder: str | Path) -> Path:
    """Write ``<folder>/REPORT.md`` from its published.csv and results/<budget>/*.json.

    Args:
        folder: An experiment's folder, such as experiments/williams2017.

    Returns:
        Path of the report.

    Raises:
        FileNotFoundError: If there is no published.csv.
        ValueError: If a record lacks a key.
    """
    root = Path(folder)
    figures, found = read_published(root / "published.csv"), load_folder(root)
    parts = [
        f"# {root.resolve().name}: published, ours, limit",
        "Made from the records under `results/` by `blurlab report`; edit neither. Ours: mean with its 95 % interval.",
        "A limit is what its words in the tables below say, no more.",
        "## Every published figure",
        _summary(figures, found),
    ]
    order = list(dict.fromkeys(row["experiment"] for row in figures))
    for experiment in order + sorted({record["experiment"] for _, record in found} - set(order)):
        parts.append(f"## {md(experiment)}")
        members = [(file, record) for file, record in found if record["experiment"] == experiment]
        parts += side_by_side([record for _, record in members])
        parts += [_section(file, record, figures) for file, record in members] or [f"{NOT_RUN}."]
        parts += noise_tables([record for _, record in members])
    return write_text(root / "REPORT.md", "\n\n".join(parts) + "\n")


def _summary(figures: Sequence[Mapping[str, str]], found: Found) -> str:
    if not figures:
        return "None was found that could be checked against its source."
    lines = []
    for figure_row in figures:
        name, known = figure_row["metric"], label(figure_row["metric"])
        what = known.text + (f" ({known.unit})" if known.unit else "")
        where = " ".join(filter(None, (figure_row["experiment"], figure_row.get("variant"))))
        start = [md(where), md(what), figure_row["value"]]
        rest = []
        for _, record in found:
            if record["experiment"] == figure_row["experiment"] and _names(figure_row, record):
                theirs = {name: published_entry(figure_row)}
                held = conditions(record)
                for row in rows(record, theirs):
                    if split_name(row.name)[0] == split_name(name)[0] and row.ours is not None:
                        rest.append([_ours(row), row.limit_text, record["variant"], *(held[key] for key in _HELD)])
        lines += [[*start, *map(md, cells)] for cells in rest or [[NOT_RUN, *[MISSING] * 7]]]
    return md_table(["experiment", "figure", "published", "ours", "limit", "variant", *_HELD], lines)


def _names(figure_row: Mapping[str, str], record: Mapping[str, Any]) -> bool:
    return not figure_row.get("variant") or figure_row["variant"] in tokens(record)


def _ours(row: Row) -> str:
    words = [
        row.ours_text,
        row.interval_text,
        f"n {row.n_text}" if row.n_text else "",
        row.head and f"({row.head})",
    ]
    return " ".join(filter(None, words))


def _section(file: str, record: Mapping[str, Any], figures: Sequence[Mapping[str, str]]) -> str:
    theirs = {
        row["metric"]: published_entry(row)
        for row in figures
        if row["experiment"] == record["experiment"] and _names(row, record)
    }
    held = {**conditions(record), "blur": brief(record["blur"]), "seed": record["seed"], "git": record["git"]}
    parts = [f"### {md(record['variant'])}, budget {md(record['budget'])}"]
    parts.append("; ".join(f"{name}: {md(value)}" for name, value in held.items()) + f". Record: `{file}`.")
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
    parts += robustness_blocks(record)
    parts += [f"- {md(note)}" for note in record.get("notes", [])]
    return "\n\n".join(parts)


def write_index(experiments_dir: str | Path) -> Path:
    """Write ``<experiments_dir>/index.csv``: every record with its conditions and headline numbers.

    Args:
        experiments_dir: The folder that holds a folder a paper.

    Returns:
        Path of the index.

    Raises:
        ValueError: If a record lacks a key.
    """
    root = Path(experiments_dir)
    found = [(p.name, f, r) for p in sorted(root.iterdir()) if (p / "results").is_dir() for f, r in load_folder(p)]
    found.sort(key=lambda item: (item[0], item[2]["experiment"], budget_rank(item[2]["budget"]), item[1]))
    named = {name for _, _, record in found for name in record["metrics"]}
    headline = sorted((n for n in named if (known := METRICS.get(split_name(n)[0])) and known.headline), key=sort_key)
    lines = []
    for paper, file, record in found:
        held, entries = conditions(record), record["metrics"]
        line = {"paper": paper, **{key: record[key] for key in ("experiment", "variant", "seed")}}
        line |= {key.replace(" ", "_"): held[key] for key in _HELD}
        line |= {"git": record["git"], "created": record["created"]}
        line |= {name: entries[name]["value"] for name in headline if name in entries}
        lines.append(line | {"record": f"{paper}/{file}"})
    first = [
        "paper",
        "experiment",
        "variant",
        "seed",
        *(key.replace(" ", "_") for key in _HELD),
        "git",
        "created",
    ]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [*first, *headline, "record"], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return write_text(root / "index.csv", text.getvalue())
