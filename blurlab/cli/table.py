"""``blurlab table NAME``: published | ours | limit of every record of an experiment."""

from __future__ import annotations

from pathlib import Path

from blurlab.cli.verb import OneLineParser, Verb
from blurlab.run.command.names import options
from blurlab.run.errors import UsageError, nearest


def table(words: list[str]) -> None:
    """Print the tables of the kept records of an experiment.

    Raises:
        UsageError: If there is no such experiment, or no record of it.
    """
    known = options("experiment")
    parser = OneLineParser("blurlab table", description="Print published | ours | limit, from the records kept.")
    parser.add_argument("experiment", metavar="NAME", help=f"an experiment: {', '.join(known)}")
    name = parser.parse_args(words).experiment
    if name not in known:
        raise UsageError(f"unknown experiment '{name}'{nearest(name, known)}")
    paths = sorted(Path("experiments").glob(f"*/results/*/{name}*.json"))
    if not paths:
        raise UsageError(f"no record of {name} under experiments/; make one with +experiment={name} run.keep=true")
    from rich.console import Console

    from blurlab.report import load_record, terminal_tables

    for path in paths:
        for shown in terminal_tables(load_record(path)):
            Console().print(shown)


VERB = Verb(table, (("table messidor_hier", "published | ours | limit, from the records kept"),))
