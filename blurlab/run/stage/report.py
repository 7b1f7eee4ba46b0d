"""The last stage of a run: put the published figures beside ours, print the table, write the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from blurlab.report.page import write_html
from blurlab.report.paper import published, published_csv, tokens
from blurlab.report.record import differ_in_sigma_only, load_record
from blurlab.report.terminal import terminal_tables
from blurlab.run.record.record import make_record
from blurlab.run.setup.context import Context
from blurlab.run.stage.base import Stage


def noise_series(record: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Kept records that differ from this one in the noise's sigma alone, for the curve of ISNR against noise."""
    folder = Path(str(context.cfg.paths.experiments_dir)) / str(record.get("paper")) / "results" / record["budget"]
    kept = [load_record(path) for path in sorted(folder.glob(f"{record['experiment']}.*.json"))]
    return [other for other in kept if differ_in_sigma_only(record, other)]


class WriteReport(Stage):
    """Adds ``published`` to the record, prints published | ours | limit and writes ``<run>/report.html``.

    A run of no paper has no published figures.
    """

    identifies = False

    def __call__(self, context: Context) -> None:
        """Report on what the stages before found."""
        record = make_record(context)
        figures = published_csv(record.get("paper"), Path(str(context.cfg.paths.experiments_dir)))
        found = published(figures, record["experiment"], tokens(record)) if figures else {}
        context.record["published"] = record["published"] = found
        context.record.setdefault("limit", record.setdefault("limit", {}))
        page = write_html(record, context.dir, others=noise_series(record, context))
        for table in terminal_tables(record):
            context.console.print(table)
        context.console.print(f"report {page}", markup=False, highlight=False)
