"""Run records as tables in the terminal, an HTML page, REPORT.md and an index: published, ours, limit."""

from blurlab.report.markdown import write_index, write_report_md
from blurlab.report.page import write_html
from blurlab.report.paper import published
from blurlab.report.record import load_record, validate_record
from blurlab.report.sweep import sweep_table
from blurlab.report.terminal import terminal_table, terminal_tables

__all__ = [
    "load_record",
    "published",
    "sweep_table",
    "terminal_table",
    "terminal_tables",
    "validate_record",
    "write_html",
    "write_index",
    "write_report_md",
]
