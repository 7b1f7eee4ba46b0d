"""REPORT.md of a paper's folder, a page a record, and the index of all: the same bytes from the same records."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from blurlab.core.atomic import write_text
from blurlab.report.headline import CELLS, Found, headlines
from blurlab.report.labels import METRICS, sort_key, split_name
from blurlab.report.narrative import write_narratives
from blurlab.report.paper import read_published
from blurlab.report.record import PAGES, budget_rank, load_folder, page_of
from blurlab.report.record_page import record_page
from blurlab.report.rows import conditions
from blurlab.report.seeds import seeds_links
from blurlab.report.spread import noise_tables, side_by_side
from blurlab.report.text import NOT_RUN, md

_HELD = ("data set", "noise", "boundary", "budget", "device")


def write_report_md(folder: str | Path) -> Path:
    """Write ``<folder>/REPORT.md`` from its published.csv and results/<budget>/*.json, and the tables of other texts.

    Args:
        folder: An experiment's folder, such as experiments/williams2017.

    Returns:
        Path of the report; a page a record is written under ``<folder>/pages``, and those of records that are gone are
        removed.

    Raises:
        FileNotFoundError: If there is no published.csv.
        ValueError: If a record lacks a key.
    """
    root = Path(folder)
    figures, found = read_published(root / "published.csv"), load_folder(root)
    pages = {root / page_of(file): record_page(file, record, figures) for file, record in found}
    for page, text in pages.items():
        write_text(page, text)
    for gone in {*(root / PAGES).rglob("*.md")} - {*pages}:
        gone.unlink()
    parts = [
        f"# {root.resolve().name}: published, ours, limit",
        "Made from the records under `results/` by `blurlab report`; edit neither this nor `pages/`.",
    ]
    if figures:
        parts += [headlines(figures, found), CELLS]
    else:
        parts.append("No published figure was found that could be checked against its source.")
    order = list(dict.fromkeys(row["experiment"] for row in figures))
    for experiment in order + sorted({record["experiment"] for _, record in found} - set(order)):
        members = [(file, record) for file, record in found if record["experiment"] == experiment]
        parts += _experiment(experiment, members, seeds_links(root, experiment))
    write_narratives(root)
    return write_text(root / "REPORT.md", "\n\n".join(parts) + "\n")


def _experiment(name: str, members: Found, seeds: list[str]) -> list[str]:
    """Every record of an experiment, folded: a line a record that leads to its page, and the figures against noise.

    Args:
        name: Of the experiment.
        members: Its records.
        seeds: What leads to its tables over seeds.
    """
    if not members:
        return [f"## {md(name)}", f"{NOT_RUN}."]
    count = "1 record" if len(members) == 1 else f"{len(members)} records"
    blocks = [side_by_side(members), *noise_tables([record for _, record in members]), *seeds]
    return [
        f"## {md(name)}",
        f"<details><summary>{count}, with bounds, curves and confusion on a page each</summary>",
        *blocks,
        "</details>",
    ]


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
