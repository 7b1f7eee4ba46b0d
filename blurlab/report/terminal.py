"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from blurlab.report.labels import METRICS, label, sort_key, split_name
from blurlab.report.record import fell_back, validate_record
from blurlab.report.robustness import robustness_table
from blurlab.report.rows import Row, conditions, interval_note, rows
from blurlab.report.text import MISSING, brief, figure, interval

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
        cells = [_metric(row), *([_text(row.head or MISSING)] if with_heads else [])]
        numbers = [_text(row.interval_text), _text(row.n_text, "dim"), _text(row.limit_text)]
        table.add_row(*cells, _text(row.published_text), _ours(row), *numbers)
    return table


def _text(words: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(words, style=style)


def _metric(row: Row) -> Text:
    return _text(row.label.text).append(f" ({row.unit})" if row.unit else "", style="dim")


def _ours(row: Row) -> Text:
    if row.ours is None:
        return _text(row.ours_text, "dim italic")
    return _text(row.ours_text, _STYLE[row.verdict])


def _title(record: Mapping[str, Any]) -> Text:
    dataset = record["dataset"]
    title = _text(
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
    return _text("\n".join(lines), "dim")


def banner(record: Mapping[str, Any]) -> str:
    """The warning where another data set than the one asked for was used.

    Example:
        >>> banner({"dataset": {"name": "fundus_synthetic", "requested": "messidor"}})
        'Messidor was not found: these figures are for fundus_synthetic.'
    """
    dataset = record["dataset"]
    requested = str(dataset["requested"])
    return f"{requested[:1].upper()}{requested[1:]} was not found: these figures are for {dataset['name']}."


def sweep_table(records: Sequence[Mapping[str, Any]]) -> Table:
    """One row a job of a multirun: the overrides that differ, then the headline metrics.

    Args:
        records: Valid records. Where all have ``overrides`` (a list of ``key=value``) these are compared; otherwise
            variant, budget, seed, data set and the options of blur, noise and boundary.

    Raises:
        ValueError: If there is no record or one lacks a key.
    """
    from rich.table import Table

    if not records:
        raise ValueError("a sweep's table needs at least one record, got none; name run directories that have one")
    for record in records:
        validate_record(record)
    options = [_options(record, all("overrides" in other for other in records)) for record in records]
    keys = list(dict.fromkeys(key for option in options for key in option))
    differing = [key for key in keys if len({option.get(key) for option in options}) > 1]
    named = {name for record in records for name in record["metrics"]}
    headline = sorted((n for n in named if (known := METRICS.get(split_name(n)[0])) and known.headline), key=sort_key)
    names = sorted({str(record["dataset"]["name"]) for record in records})
    budgets = ", ".join(dict.fromkeys(record["budget"] for record in records))
    title = f"{records[0]['experiment']} · {len(records)} jobs · {', '.join(names)} · budget {budgets}"
    table = Table(title=_text(title, "bold"), title_justify="left")
    for key in differing or ["job"]:
        table.add_column(_text(key), overflow="fold")
    for name in headline:
        table.add_column(_text(_column(name)), justify="right")
    for place, (record, option) in enumerate(zip(records, options, strict=True)):
        job = [option.get(key, MISSING) for key in differing] or [str(place)]
        table.add_row(*map(_text, job), *(_cell(record, name) for name in headline))
    return table


def _column(name: str) -> str:
    known, suffix = label(name), split_name(name)[1]
    return known.text + (f" ({known.unit})" if known.unit else "") + (f", {suffix}" if suffix else "")


def _cell(record: Mapping[str, Any], name: str) -> Text:
    entry = record["metrics"].get(name)
    digits = label(name).digits
    cell = _text(figure(entry["value"], digits) if entry else MISSING)
    return cell.append(f"\n{interval(entry, digits)}".rstrip(), style="dim")


def _options(record: Mapping[str, Any], from_overrides: bool) -> dict[str, str]:
    if from_overrides:
        pairs = (str(override).partition("=") for override in record["overrides"])
        return {key.lstrip("+~"): value for key, _, value in pairs}
    options = {key: str(record[key]) for key in ("variant", "budget", "seed")} | {
        "dataset": str(record["dataset"]["name"])
    }
    for part in ("blur", "noise", "boundary"):
        named = {key: value for key, value in record[part].items() if key != "_target_"}
        options |= {f"{part}.{key}": brief(value) for key, value in named.items()}
        if "_target_" in record[part]:
            options[part] = brief({"_target_": record[part]["_target_"]})
    return options
