"""The table of a sweep: a row a job, those that did not finish among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from blurlab.report.labels import METRICS, label, sort_key, split_name
from blurlab.report.record import validate_record
from blurlab.report.text import MISSING, brief, figure, interval, styled

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text


@dataclass(frozen=True)
class Unfinished:
    """A job that left no record.

    Attributes:
        name: The job's, that of its folder.
        overrides: The words that it was made of.
        note: Why, in one line.
    """

    name: str
    overrides: Sequence[str]
    note: str


def sweep_table(
    records: Sequence[Mapping[str, Any]], names: Sequence[str] | None = None, unfinished: Sequence[Unfinished] = ()
) -> Table:
    """One row a job of a multirun: its name, the overrides that differ, then the headline metrics.

    Args:
        records: Valid records. Where all have ``overrides`` (a list of ``key=value``) these are compared; otherwise
            variant, budget, seed, data set and the options of blur, noise and boundary.
        names: Names of their jobs; numbers from 0 if None.
        unfinished: The other jobs; they come where their names say, with a column that says why.

    Raises:
        ValueError: If there is no job, or a record lacks a key.
    """
    from rich.table import Table

    if not records and not unfinished:
        raise ValueError("a sweep's table needs at least one record, got none; name run directories that have one")
    for record in records:
        validate_record(record)
    from_overrides = all("overrides" in record for record in records)
    called = list(names) if names is not None else [str(place) for place in range(len(records))]
    rows: list[tuple[str, dict[str, str], Mapping[str, Any] | None, str]] = [
        *((name, _options(record, from_overrides), record, "") for name, record in zip(called, records, strict=True)),
        *((job.name, _pairs(job.overrides), None, job.note) for job in unfinished),
    ]
    rows.sort(key=lambda row: row[0].zfill(9))
    keys = list(dict.fromkeys(key for _, options, _, _ in rows for key in options))
    differing = [key for key in keys if len({options.get(key) for _, options, _, _ in rows}) > 1]
    named = {name for record in records for name in record["metrics"]}
    headline = sorted((n for n in named if (known := METRICS.get(split_name(n)[0])) and known.headline), key=sort_key)
    table = Table(title=styled(_title(records, len(rows)), "bold"), title_justify="left")
    for key in ("job", *differing):
        table.add_column(styled(key), overflow="fold")
    for name in headline:
        table.add_column(styled(_column(name)), justify="right")
    if unfinished:
        table.add_column(styled("not finished"), overflow="fold")
    for name, options, found, note in rows:
        figures = [_cell(found, metric) if found else styled(MISSING) for metric in headline]
        notes = [styled(note, "yellow")] if unfinished else []
        table.add_row(styled(name), *(styled(options.get(key, MISSING)) for key in differing), *figures, *notes)
    return table


def _title(records: Sequence[Mapping[str, Any]], count: int) -> str:
    if not records:
        return f"{count} jobs, none of them finished"
    names = ", ".join(sorted({str(record["dataset"]["name"]) for record in records}))
    budgets = ", ".join(dict.fromkeys(record["budget"] for record in records))
    return f"{records[0]['experiment']} · {count} jobs · {names} · budget {budgets}"


def _column(name: str) -> str:
    known, suffix = label(name), split_name(name)[1]
    return known.text + (f" ({known.unit})" if known.unit else "") + (f", {suffix}" if suffix else "")


def _cell(record: Mapping[str, Any], name: str) -> Text:
    entry = record["metrics"].get(name)
    digits = label(name).digits
    cell = styled(figure(entry["value"], digits) if entry else MISSING)
    return cell.append(f"\n{interval(entry, digits)}".rstrip(), style="dim")


def _options(record: Mapping[str, Any], from_overrides: bool) -> dict[str, str]:
    if from_overrides:
        return _pairs(record["overrides"])
    options = {key: str(record[key]) for key in ("variant", "budget", "seed")} | {
        "dataset": str(record["dataset"]["name"])
    }
    for part in ("blur", "noise", "boundary"):
        named = {key: value for key, value in record[part].items() if key != "_target_"}
        options |= {f"{part}.{key}": brief(value) for key, value in named.items()}
        if "_target_" in record[part]:
            options[part] = brief({"_target_": record[part]["_target_"]})
    return options


def _pairs(overrides: Sequence[str]) -> dict[str, str]:
    pairs = (str(override).partition("=") for override in overrides)
    return {key.lstrip("+~"): value for key, _, value in pairs}
