"""``blurlab report [FOLDER]``: remake every paper's REPORT.md and the index of records."""

from __future__ import annotations

from pathlib import Path

from blurlab.cli.verb import OneLineParser, Verb
from blurlab.run.errors import UsageError


def report(words: list[str]) -> None:
    """Write the report of each paper, the index, and the tables of the README and the documentation beside FOLDER.

    Raises:
        UsageError: If the folder holds no paper.
    """
    folder = _parser().parse_args(words).folder
    papers = sorted(path.parent for path in folder.glob("*/published.csv"))
    if not papers:
        raise UsageError(f"no experiments/<paper>/published.csv under {folder}; run this at the top of a checkout")
    from blurlab.report import write_index, write_report_md
    from blurlab.report.narrative import write_narratives

    for paper in papers:
        print(write_report_md(paper))
    print(write_index(folder))
    for place in (folder.parent, folder.parent / "docs"):
        for text in write_narratives(place):
            print(text)


def _parser() -> OneLineParser:
    parser = OneLineParser("blurlab report", description="Remake each paper's REPORT.md and index.csv under FOLDER.")
    parser.add_argument("folder", metavar="FOLDER", nargs="?", default=Path("experiments"), type=Path)
    return parser


VERB = Verb(report, _parser, (("report", "remake REPORT.md of every paper, and experiments/index.csv"),))
