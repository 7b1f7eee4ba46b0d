"""The reliability table of a record: what answers of each probability are worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from blurlab.report.text import figure, md_table

NOTE = (
    "Do the probabilities hold? Answers in bins of the probability that they were given with; of well calibrated ones "
    "the two last columns agree."
)
HEAD = ("probability", "answers", "their mean probability", "of them right")


def reliability_blocks(record: Mapping[str, Any]) -> list[str]:
    """The table as blocks of Markdown; none where the record has no such entry.

    Example:
        >>> row = {"low": 0.9, "high": 1.0, "n": 4, "probability": 0.98, "right": 0.5}
        >>> print(reliability_blocks({"reliability": [row]})[1])
        | probability | answers | their mean probability | of them right |
        | --- | --- | --- | --- |
        | 0.9 to 1.0 | 4 | 0.980 | 0.500 |
    """
    rows = record.get("reliability", [])
    if not rows:
        return []
    lines = [
        [f"{row['low']:.1f} to {row['high']:.1f}", str(row["n"]), figure(row["probability"]), figure(row["right"])]
        for row in rows
    ]
    return [NOTE, md_table(HEAD, lines)]
