"""Each parameter's error beside what no unbiased estimate can beat: a table for the page and REPORT.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from blurlab.report.labels import NETWORK, label, parameter_words
from blurlab.report.text import MISSING, figure, md, md_table

Record = Mapping[str, Any]
TITLE = "Errors beside their Cramer-Rao bounds"
NOTE = (
    "Medians of absolute errors where the kind was found, each beside 0.67 of the median bound: the median error of an "
    "efficient estimate. The bounds are of a Gaussian field of the photograph's smooth spectrum whose level and slope "
    "are unknown, like the noise; of the same with spectrum and noise known; and of the sharp photograph itself known. "
    "ratio: error over the first of them."
)
_COLUMNS = {
    "bound": "spectrum's level, slope, noise unknown",
    "bound_spectrum": "spectrum known",
    "bound_image": "photograph known",
}
HEADS = ("parameter", "n", "error", "ratio", *_COLUMNS.values(), "by the network alone")


def bounds(record: Record) -> list[list[str]]:
    """A line of words a parameter, in the order of ``HEADS``; none where the record has no ``bounds``."""
    lines = []
    for entry in record.get("bounds", []):
        known = label(entry["metric"])
        alone = record["metrics"].get(f"{entry['metric']}/{NETWORK}")
        name = parameter_words(entry["metric"])
        lines.append(
            [
                f"{name} ({known.unit or entry['unit']})",
                f"{entry['n']:d}",
                figure(entry["value"], known.digits),
                figure(entry["ratio"], 1),
                *(figure(entry[column], known.digits + 1) for column in _COLUMNS),
                figure(alone["value"], known.digits) if alone else MISSING,
            ]
        )
    return lines


def bounds_blocks(record: Record) -> list[str]:
    """The table as blocks of Markdown; none where the record has no bounds."""
    lines = bounds(record)
    return [f"{TITLE}. {NOTE}", md_table(HEADS, [list(map(md, line)) for line in lines])] if lines else []
