"""The identifier on items degraded otherwise than it was trained for: a table for terminal, page and REPORT.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from blurlab.report.labels import ANGLES, NETWORK, label, parameter_words, sort_key, split_name
from blurlab.report.text import MISSING, figure, interval, md, md_table

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

Record = Mapping[str, Any]
TITLE = "Tried on other conditions"
NOTE = (
    "The same items with the same blurs under every condition, identified, not restored. In brackets 95 % Wilson "
    "intervals, degradations of a photograph taken as independent; errors are medians where the kind was found, "
    f"of angles those of {ANGLES}; in its 90 %: strengths that lie in their 90 % interval, where the kind was "
    "found (0.9 is right). A resized image is compared with the truth in its own pixels; left out is what then "
    "lies outside the run's ranges."
)
CANNOT = "cannot"
_HEADS = {
    "type_accuracy": "type right",
    "type_accuracy_from_2px": "from 2 px",
    "answered": "answered",
    "kind_accuracy_answered": "type right of these",
    "calibration_error": "calibration error",
    "accuracy_clean": "sharp named so",
    "coverage90": "in its 90 %",
}


def robustness(record: Record) -> dict[str, Any]:
    """The table's words.

    Args:
        record: A valid record; one without ``robustness`` gives a table without lines.

    Returns:
        ``heads`` of the figures, and ``lines``: ``condition``, ``n``, ``left_out``, ``error`` (why the identifier
        cannot take such images, else empty) and ``cells``: ``value``, ``interval`` and ``n`` of each figure.
    """
    entries = record.get("robustness", [])
    named = {name for entry in entries for name in entry.get("metrics", {}) if _shown(name)}
    names = sorted(named, key=sort_key)
    return {"heads": [_head(name) for name in names], "lines": [_line(entry, names) for entry in entries]}


def _shown(name: str) -> bool:
    """The headline's accuracies, the share of sharp images, medians of errors, coverage."""
    base, suffix = split_name(name)
    if suffix.endswith(NETWORK):
        return False
    return name in _HEADS or "_median" in base or (name.endswith("_accuracy") and label(name).headline)


def _head(name: str) -> str:
    known = label(name)
    unit = f" ({known.unit})" if known.unit else ""
    return f"{parameter_words(name)} error{unit}" if "_median" in name else _HEADS.get(name, known.text)


def _line(entry: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    metrics: Mapping[str, Any] = entry.get("metrics", {})
    headline = next(iter(metrics.values()), None) or {}
    left_out = entry.get("left_out", 0)
    return {
        "condition": str(entry["condition"]),
        "error": str(entry.get("error", "")),
        "n": str(headline.get("n", "")),
        "left_out": str(left_out) if left_out else "",
        "cells": [_cell(metrics.get(name), label(name).digits) for name in names],
    }


def _cell(entry: Mapping[str, Any] | None, digits: int) -> dict[str, str]:
    if not entry:
        return {"value": MISSING, "interval": "", "n": ""}
    count = entry.get("n")
    return {
        "value": figure(entry["value"], digits),
        "interval": interval(entry, digits),
        "n": "" if count is None else f"n {count}",
    }


def robustness_blocks(record: Record) -> list[str]:
    """The table as blocks of Markdown; none where the record has no such entry."""
    found = robustness(record)
    if not found["lines"]:
        return []
    head = ["condition", "n", "left out", *map(md, found["heads"]), "why not"]
    lines = []
    for line in found["lines"]:
        cells = [CANNOT if line["error"] else _in_one_line(cell) for cell in line["cells"]]
        lines.append([md(line["condition"]), line["n"], line["left_out"], *map(md, cells), md(line["error"])])
    return [f"{TITLE}. {NOTE}", md_table(head, lines)]


def _in_one_line(cell: Mapping[str, str]) -> str:
    return " ".join(filter(None, (cell["value"], cell["interval"] or (cell["n"] and f"({cell['n']})"))))


def robustness_table(record: Record) -> Table | None:
    """The table for the terminal; None where the record has no such entry."""
    from rich.table import Table
    from rich.text import Text

    found = robustness(record)
    if not found["lines"]:
        return None
    errors = [f"{line['condition']}: {line['error']}" for line in found["lines"] if line["error"]]
    table = Table(
        title=Text(TITLE, style="bold"),
        caption=Text("\n".join([*errors, NOTE]), style="dim"),
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("condition", overflow="fold")
    for place, head in enumerate(found["heads"]):
        if place == 0:
            table.add_column(Text(head), justify="right", no_wrap=True)  # its interval stays on one line
            continue
        figures = [line["cells"][place][key] for line in found["lines"] for key in ("value", "n")]
        longest = max(map(len, [*head.split(), *figures]))
        table.add_column(Text(head), justify="right", overflow="fold", max_width=longest)
    for line in found["lines"]:
        table.add_row(*_terminal_cells(line))
    return table


def _terminal_cells(line: Mapping[str, Any]) -> list[Text]:
    from rich.text import Text

    counts = [line["n"] and f"n {line['n']}", line["left_out"] and f"{line['left_out']} left out"]
    texts = [(line["condition"], ", ".join(filter(None, counts)), "")]
    for place, cell in enumerate(line["cells"]):
        cannot = place == 0 and line["error"]
        beside = cell["interval"] if place == 0 else cell["n"]
        texts.append((CANNOT, "", "yellow") if cannot else (cell["value"], beside, ""))
    return [Text(words, style=style).append(beside and f"\n{beside}", style="dim") for words, beside, style in texts]
