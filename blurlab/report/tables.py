"""The tables of records outside the terminal: Markdown, LaTeX, CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blurlab.report.labels import label, split_name
from blurlab.report.rows import conditions, interval_note, rows, variant
from blurlab.report.seeds import HEAD, NOTE, seeds_lines
from blurlab.report.text import md, md_table

Record = Mapping[str, Any]
COLUMNS = (
    "experiment", "variant", "budget", "dataset", "seeds", "metric", "unit", "published", "value", "low", "high",
    "interval_over", "n", "limit",
)  # fmt: skip
"""Of the CSV: numbers as the record has them, empty where there is none."""

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "−": "$-$", "∞": r"$\infty$", "–": "--", "·": r"$\cdot$",
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A table as words.

    Attributes:
        title: What it is of.
        head: Of each column.
        lines: As many cells each.
        notes: Conditions, and what the intervals are.
    """

    title: str
    head: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def record_table(record: Record) -> Table:
    """The figures of a valid record, as the terminal shows them."""
    held = conditions(record)
    every = [
        (f"{row.label.text} ({row.unit})" if row.unit else row.label.text, row.head, row.published_text, row.ours_text,
         row.interval_text, row.n_text, row.limit_text)
        for row in rows(record)
    ]  # fmt: skip
    hows = dict.fromkeys(f"limit: {entry['how']}" for entry in record["limit"].values())
    return Table(
        f"{record['experiment']}, {variant(record)}",
        ("metric", "by", "published", "ours", "95 % interval", "n", "limit"),
        tuple(every),
        (*(f"{name}: {value}" for name, value in held.items()), f"git: {record['git']}", interval_note(record), *hows),
    )


def seeds_over(table: Record, note: str) -> Table:
    """The figures over several seeds.

    Args:
        table: What :func:`~blurlab.report.seeds.over_seeds` makes.
        note: What the intervals over photographs are.
    """
    lines = tuple((name, *cells) for name, cells in seeds_lines(table).items())
    title = f"{table['experiment']}, {table['variant']}, seeds {', '.join(map(str, table['seeds']))}"
    facts = (f"data set: {table['dataset']['name']}", f"budget: {table['budget']}", f"git: {table['git']}")
    return Table(title, ("metric", *HEAD), lines, (*facts, NOTE, note))


def as_markdown(table: Table) -> str:
    r"""The table as a section of Markdown.

    Example:
        >>> print(as_markdown(Table("a", ("metric", "by", "ours"), (("PSNR_x", "", "30"),), ("n: 3",))))
        ### a
        <BLANKLINE>
        | metric | ours |
        | --- | --- |
        | PSNR\_x | 30 |
        <BLANKLINE>
        n: 3.
        <BLANKLINE>
    """
    body = md_table([*map(md, table.head)], [[*map(md, line)] for line in table.lines])
    return f"### {md(table.title)}\n\n{body}\n\n{'; '.join(md(note.rstrip('.')) for note in table.notes)}.\n"


def as_latex(table: Table) -> str:
    r"""The table for LaTeX with the package ``booktabs``; figures stand to the right.

    Example:
        >>> print(as_latex(Table("a_b", ("metric", "by", "ours"), (("share", "", "−3 %"),), ("n: 3",))))
        \begin{table}
        \caption{a\_b. n: 3.}
        \begin{tabular}{lr}
        \toprule
        metric & ours \\
        \midrule
        share & $-$3 \% \\
        \bottomrule
        \end{tabular}
        \end{table}
        <BLANKLINE>
    """
    kept = [place for place in range(len(table.head)) if any(line[place] for line in table.lines) or not table.lines]
    columns = "".join("l" if table.head[place] in ("metric", "by") else "r" for place in kept)
    lines = [" & ".join(_latex(line[place]) for place in kept) + r" \\" for line in (table.head, *table.lines)]
    caption = ". ".join([table.title, "; ".join(note.rstrip(".") for note in table.notes)])
    return "\n".join([
        r"\begin{table}", rf"\caption{{{_latex(caption)}.}}", rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule", r"\end{tabular}", r"\end{table}", "",
    ])  # fmt: skip


def as_csv(found: Sequence[Record]) -> str:
    """The figures of records, and of tables over seeds, a line each.

    Args:
        found: Valid records, or what :func:`~blurlab.report.seeds.over_seeds` makes of several.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in found:
        seeds = one.get("seeds", [one.get("seed")])
        over = "seeds" if "seeds" in one else "photographs"
        first = [one["experiment"], one["variant"], one["budget"], one["dataset"]["name"], " ".join(map(str, seeds))]
        for name, entry in one["metrics"].items():
            base = split_name(name)[0]
            theirs, limit = (one[key].get(name, one[key].get(base)) or {} for key in ("published", "limit"))
            ours = (entry.get("mean", entry.get("value")), entry.get("low"), entry.get("high"))
            unit = str(entry.get("unit") or label(name).unit)
            value, low, high = map(_number, ours)
            count = entry.get("n", "")
            writer.writerow(
                [*first, name, unit, _number(theirs.get("value")), value, low, high, over if low else "",
                 "" if count is None else count, _number(limit.get("value"))]
            )  # fmt: skip
    return text.getvalue()


def _number(value: Any) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:.6g}"


def _latex(words: str) -> str:
    return "".join(_LATEX.get(one, one) for one in words)
