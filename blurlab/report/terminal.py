"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from blurlab.report.record import fell_back, validate_record
from blurlab.report.robustness import robustness_table
from blurlab.report.rows import Row, conditions, interval_note, rows
from blurlab.report.text import MISSING, styled

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

_STYLE = {"better": "green", "worse": "yellow", "within": "bold", "": ""}


def terminal_tables(record: Mapping[str, Any]) -> list[Table]:
    """:func:`terminal_table` and, where the identifier was tried on other conditions, their table."""
    others = robustness_table(record)
    return [terminal_table(record), *([] if others is None else [others])]


def terminal_table(record: Mapping[str, Any]) -> Table:
    """Published, ours with its 95 % interval and n, and the limit, a metric a row.

    Args:
        record: A valid record.

    Returns:
        A table whose title names the data set really used and whose caption names the conditions.

    Raises:
        ValueError: If the record lacks a key.
    """
    from rich.table import Table

    validate_record(record)
    every = rows(record)
    table = Table(title=_title(record), caption=_caption(record), title_justify="left", caption_justify="left")
    with_heads = any(row.head for row in every)
    table.add_column("metric", overflow="fold")
    if with_heads:
        table.add_column("by")
    for name in ("published", "ours", "95 % interval", "n", "limit"):
        table.add_column(name, justify="right", no_wrap=True)
    group = every[0].label.group if every else ""
    for row in every:
        if row.label.group != group:
            table.add_section()
            group = row.label.group
        cells = [_metric(row), *([styled(row.head or MISSING)] if with_heads else [])]
        numbers = [styled(row.interval_text), styled(row.n_text, "dim"), styled(row.limit_text)]
        table.add_row(*cells, styled(row.published_text), _ours(row), *numbers)
    return table


def _metric(row: Row) -> Text:
    return styled(row.label.text).append(f" ({row.unit})" if row.unit else "", style="dim")


def _ours(row: Row) -> Text:
    if row.ours is None:
        return styled(row.ours_text, "dim italic")
    return styled(row.ours_text, _STYLE[row.verdict])


def _title(record: Mapping[str, Any]) -> Text:
    dataset = record["dataset"]
    title = styled(
        f"{record['experiment']} · {dataset['name']} · budget {record['budget']} · seed {record['seed']}",
        "bold",
    )
    if fell_back(record):
        title.append(f"\n{banner(record)}", style="bold red")
    if record["budget"] == "smoke":
        title.append("\nSmoke budget: it shows that everything runs; its figures mean nothing.", style="yellow")
    return title


def _caption(record: Mapping[str, Any]) -> Text:
    held = conditions(record)
    lines = [
        f"noise {held['noise']} · boundary {held['boundary']}",
        f"{held['device']} · git {record['git']}",
        interval_note(record),
    ]
    lines += [f"limit: {how}" for how in dict.fromkeys(entry["how"] for entry in record["limit"].values())]
    if any(row.verdict for row in rows(record)):
        lines.append(
            "green: our interval lies on the better side of the published figure; bold: holds it; yellow: worse"
        )
    return styled("\n".join(lines), "dim")


def banner(record: Mapping[str, Any]) -> str:
    """The warning where another data set than the one asked for was used.

    Example:
        >>> banner({"dataset": {"name": "fundus_synthetic", "requested": "messidor"}})
        'Messidor was not found: these figures are for fundus_synthetic.'
    """
    dataset = record["dataset"]
    requested = str(dataset["requested"])
    return f"{requested[:1].upper()}{requested[1:]} was not found: these figures are for {dataset['name']}."
