"""Several seeds of one run as one table: mean and interval over the seeds, beside the interval over photographs."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blurlab.core.atomic import write_text
from blurlab.report.labels import TIME, label, sort_key, split_name
from blurlab.report.rows import interval_note
from blurlab.report.text import MISSING, figure, interval, link, md, md_table

if TYPE_CHECKING:
    from rich.table import Table

Record = Mapping[str, Any]
SHARED = ("experiment", "variant", "budget", "dataset", "noise", "boundary")
HEAD = ("published", "mean", "95 % over seeds", "lowest to highest", "95 % over photographs", "limit")
NOTE = (
    "Over seeds: Student's t interval of the mean (a share's may pass 1); weights, draws and augmentation differ. "
    "Over photographs: the interval of one seed's figure, its ends averaged over the seeds."
)


def over_seeds(records: Sequence[Record]) -> dict[str, Any]:
    """The table over the seeds of one run, as it is kept.

    Args:
        records: Valid records that differ in the seed alone, two or more.

    Returns:
        What the records share, ``seeds``, and ``metrics``: by name ``{"mean", "low", "high", "sd", "n", "unit",
        "values", "photographs": {"low", "high"}}``, where n is the number of seeds that have the figure; an interval
        that cannot be had is None.

    Raises:
        ValueError: If there are fewer than two records, or two of one seed.
    """
    ordered = sorted(records, key=lambda record: record["seed"])
    seeds = [record["seed"] for record in ordered]
    if len(seeds) < 2 or len({*seeds}) < len(seeds):
        raise ValueError(f"a table over seeds needs two seeds or more, each once, got {seeds}")
    first = ordered[0]
    names = sorted({name for record in ordered for name in record["metrics"]}, key=sort_key)
    return {
        **{key: first[key] for key in SHARED},
        "seeds": seeds,
        "git": ", ".join(dict.fromkeys(record["git"] for record in ordered)),
        "metrics": {name: _over(name, ordered) for name in names},
        "published": first["published"],
        "limit": {name: _limit(name, ordered) for name in first["limit"]},
    }


def _over(name: str, records: Sequence[Record]) -> dict[str, Any]:
    from statistics import mean, stdev

    from blurlab.metric import student_mean

    entries = {record["seed"]: record["metrics"][name] for record in records if name in record["metrics"]}
    values = {seed: entry["value"] for seed, entry in entries.items()}
    known = [value for value in values.values() if value is not None and math.isfinite(value)]
    centre: float | None = mean(known) if known else None
    low = high = None
    if len(known) > 1 and label(name).group != TIME:  # a machine's load is no matter of the seed
        centre, low, high = student_mean(known)
    ends = [(entry["low"], entry["high"]) for entry in entries.values() if entry.get("low") is not None]
    return {
        "mean": centre,
        "low": low,
        "high": high,
        "sd": stdev(known) if len(known) > 1 else None,
        "n": len(known),
        "unit": next(iter(entries.values())).get("unit", ""),
        "values": {str(seed): value for seed, value in values.items()},
        "photographs": {"low": mean(low for low, _ in ends), "high": mean(high for _, high in ends)} if ends else None,
    }


def _limit(name: str, records: Sequence[Record]) -> dict[str, Any]:
    """The limit's mean over the seeds: each seed has test items of its own."""
    entries = [record["limit"][name] for record in records if name in record["limit"]]
    known = [entry["value"] for entry in entries if entry["value"] is not None]
    return {"value": sum(known) / len(known) if known else None, "how": entries[0]["how"]}


def write_seeds(path: Path, found: Sequence[tuple[Path, Record]]) -> dict[str, Any]:
    """Write the table over seeds as ``<path>.json`` and ``<path>.md``, with a link to each seed's record.

    Args:
        path: Without suffix; its folder is made where it is not there.
        found: Each record with its file; they differ in the seed alone.

    Returns:
        The table, as :func:`over_seeds` and ``records``: by seed the file, relative to the table's folder.

    Raises:
        ValueError: As :func:`over_seeds`.
    """
    table = over_seeds([record for _, record in found])
    files = {record["seed"]: Path(os.path.relpath(file, path.parent)).as_posix() for file, record in found}
    table["records"] = {str(seed): files[seed] for seed in table["seeds"]}
    note = interval_note(found[0][1])
    write_text(path.parent / f"{path.name}.json", json.dumps(table, indent=1, allow_nan=False) + "\n")
    write_text(path.parent / f"{path.name}.md", seeds_md(table, note))
    return table


def seeds_md(table: Mapping[str, Any], note: str) -> str:
    """The table over seeds as a page of Markdown.

    Args:
        table: What :func:`write_seeds` keeps.
        note: What the intervals over photographs are.
    """
    lines = [[md(name), *map(md, cells)] for name, cells in seeds_lines(table).items()]
    links = ", ".join(f"[{seed}]({file})" for seed, file in table["records"].items())
    parts = [
        f"# {md(table['experiment'])}, {md(table['variant'])}: {len(table['seeds'])} seeds",
        f"Data set {md(table['dataset']['name'])}, budget {md(table['budget'])}, code {md(table['git'])}. "
        f"Seeds: {links}.",
        md_table(["metric", *HEAD], lines),
        f"{NOTE} {note}",
    ]
    return "\n\n".join(parts) + "\n"


def seeds_links(folder: Path, experiment: str) -> list[str]:
    """A line of Markdown that leads to the tables over the seeds of an experiment; none where it has no such table.

    Args:
        folder: The folder of a paper, whose tables lie in results/<budget>/seeds.
        experiment: Name of the experiment.
    """
    links = []
    for file in sorted(folder.glob("results/*/seeds/*.json")):
        table = json.loads(file.read_text(encoding="utf-8"))
        if table["experiment"] == experiment:
            words = f"{table['variant']}, {len(table['seeds'])} seeds, budget {table['budget']}"
            links.append(link(md(words), file.with_suffix(".md").relative_to(folder).as_posix()))
    return [f"Mean and interval over seeds: {'; '.join(links)}."] if links else []


def seeds_table(table: Mapping[str, Any], what: str = "") -> Table:
    """The headline figures over seeds for the terminal.

    Args:
        table: What :func:`over_seeds` makes.
        what: The settings that tell it from other tables of the same sweep.
    """
    from rich.table import Table
    from rich.text import Text

    seeds = ", ".join(map(str, table["seeds"]))
    words = [table["experiment"], what, f"{len(table['seeds'])} seeds ({seeds})", table["dataset"]["name"]]
    title = " · ".join(filter(None, [*words, f"budget {table['budget']}"]))
    shown = Table(title=Text(title, "bold"), caption=Text(NOTE, "dim"), title_justify="left", caption_justify="left")
    shown.add_column("metric", overflow="fold")
    for name in HEAD:
        shown.add_column(name, justify="right")
    for name, cells in seeds_lines(table, headline=True).items():
        shown.add_row(Text(name), *map(Text, cells))
    return shown


def _named(name: str) -> str:
    known, suffix = label(name), split_name(name)[1]
    return known.text + (f" ({known.unit})" if known.unit else "") + (f", {suffix}" if suffix else "")


def seeds_lines(table: Mapping[str, Any], *, headline: bool = False) -> dict[str, list[str]]:
    """The cells below ``HEAD`` of every metric, or of those of the headline alone, by its words."""
    lines = {}
    for name, entry in table["metrics"].items():
        if headline and not label(name).headline:
            continue
        digits, base = label(name).digits, split_name(name)[0]
        published = table["published"].get(name, table["published"].get(base))
        limit = table["limit"].get(name, table["limit"].get(base))
        known = [value for value in entry["values"].values() if value is not None]
        lines[_named(name)] = [
            str(published.get("text") or f"{published['value']:g}") if published else MISSING,
            figure(entry["mean"], digits),
            interval(entry, digits),
            f"{figure(min(known), digits)} to {figure(max(known), digits)}" if known else MISSING,
            interval(entry["photographs"], digits),
            figure(limit["value"], digits) if limit else MISSING,
        ]
    return lines
