"""The last stage of a run: put the published figures beside ours, print the table, write the page."""

from __future__ import annotations

from pathlib import Path

from blurlab.report.page import write_html
from blurlab.report.paper import published, published_csv, tokens
from blurlab.report.terminal import terminal_table
from blurlab.run.context import Context
from blurlab.run.record import make_record
from blurlab.run.stage import Stage


class WriteReport(Stage):
    """Adds ``published`` to the record, prints published | ours | limit and writes ``<run>/report.html``.

    A run of no paper has no published figures.
    """

    def __call__(self, context: Context) -> None:
        """Report on what the stages before found."""
        record = make_record(context)
        figures = published_csv(record.get("paper"), Path(str(context.cfg.paths.experiments_dir)))
        found = published(figures, record["experiment"], tokens(record)) if figures else {}
        context.record["published"] = record["published"] = found
        context.record.setdefault("limit", record.setdefault("limit", {}))
        page = write_html(record, context.dir)
        context.console.print(terminal_table(record))
        context.console.print(f"report {page}", markup=False, highlight=False)
