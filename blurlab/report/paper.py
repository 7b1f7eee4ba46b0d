"""The published figures of a paper, from its published.csv."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def tokens(record: Mapping[str, Any]) -> set[str]:
    """The words by which a row of published.csv may name this record: of its variant, and numbers of blur and noise.

    Example:
        >>> sorted(tokens({"variant": "fundus.taps20", "blur": {"taps": 20}, "noise": {"sigma": 0.004}}))
        ['fundus', 'sigma0.004', 'taps20']
    """
    words = {word for word in re.split(r"[.,]", str(record.get("variant", ""))) if word}
    for key, value in [*record.get("blur", {}).items(), *record.get("noise", {}).items()]:
        single = value[0] if isinstance(value, list) and len(value) == 1 else value
        if isinstance(single, (int, float, str)) and not isinstance(single, bool):
            words.add(f"{key}{single}")
    return words


def read_published(paper_csv: str | Path) -> list[dict[str, str]]:
    """The rows of a paper's published.csv, none of whose cells is None.

    Raises:
        FileNotFoundError: If the file is not there.
        ValueError: If a column is missing, or the file is no CSV in UTF-8.
    """
    file = Path(paper_csv)
    if not file.is_file():
        raise FileNotFoundError(f"no published figures at {file}; add a published.csv to the experiment's folder")
    try:
        with file.open(encoding="utf-8", newline="") as handle:
            rows = [{key: (value or "").strip() for key, value in row.items() if key} for row in csv.DictReader(handle)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{file} is no CSV file in UTF-8; save it as one") from error
    for column in ("experiment", "metric", "value", "unit", "source", "note"):
        if rows and column not in rows[0]:
            raise ValueError(f"{file.name} lacks the column {column!r}; its first line must name it")
    return rows


def published(paper_csv: str | Path, experiment: str, variant: str | Iterable[str] = "") -> dict[str, dict[str, Any]]:
    """The published figures of one experiment, by metric.

    Args:
        paper_csv: A published.csv with columns experiment, metric, value, unit, source, note; perhaps variant, n.
        experiment: Name of the experiment.
        variant: The record's variant, words between dots, or those words. A row that names a variant counts only
            where it is one of them.

    Returns:
        ``{metric: {"value", "text" (as printed in the paper), "unit", "source", "note", "n"}}``.
    """
    words = tokens({"variant": variant}) if isinstance(variant, str) else set(variant)
    figures: dict[str, dict[str, Any]] = {}
    for row in read_published(paper_csv):
        if row["experiment"] == experiment and (not row.get("variant") or row["variant"] in words):
            figures[row["metric"]] = published_entry(row)
    return figures


def published_entry(row: Mapping[str, str]) -> dict[str, Any]:
    """One row of published.csv as the entry of a record."""
    entry: dict[str, Any] = {"value": float(row["value"]), "text": row["value"]}
    entry |= {key: row[key] for key in ("unit", "source", "note") if row.get(key)}
    return entry | ({"n": int(row["n"])} if row.get("n") else {})


def published_csv(paper: str | None, experiments_dir: Path) -> Path | None:
    """A paper's published.csv: in the experiments folder, in the checkout or in the wheel; None if nowhere."""
    package = Path(__file__).resolve().parents[1]
    places = (experiments_dir, package.parent / "experiments", package / "experiments")
    found = (place / str(paper) / "published.csv" for place in places)
    return next((path for path in found if path.is_file()), None) if paper else None
