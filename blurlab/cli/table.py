"""``blurlab table NAME [--format markdown|latex|csv]``: published | ours | limit of kept records, or of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from blurlab.cli.verb import OneLineParser, Verb
from blurlab.core.file_names import readable
from blurlab.run.command.names import options
from blurlab.run.errors import UsageError, nearest

if TYPE_CHECKING:
    from blurlab.run.record.kept import Found

FORMATS = ("terminal", "markdown", "latex", "csv")


def table(words: list[str]) -> None:
    """Print the tables of the kept records of an experiment; of records that differ in the seed alone, one of them all.

    Of the folder of a run or a sweep, those of its own records; of a sweep in the terminal, one with a row a job.

    Raises:
        UsageError: If there is neither such an experiment nor such a folder, or no record of it.
    """
    known = options("experiment")
    args = _parser().parse_args(words)
    folder = Path(args.experiment)
    if args.experiment not in known and not folder.is_dir():
        if len(folder.parts) > 1:
            raise UsageError(f"{readable(folder)} is no folder; name that of a run or of a sweep, or an experiment")
        raise UsageError(f"unknown experiment '{args.experiment}'{nearest(args.experiment, known)}")
    from blurlab.run.command.manifest import is_sweep
    from blurlab.run.command.member import member
    from blurlab.run.record.kept import by_run

    if args.experiment in known:
        found = _records(args.experiment, args.budget or "*")
    elif args.budget:
        raise UsageError("--budget chooses among the kept records of an experiment; leave it out for a folder")
    elif args.format == "terminal" and is_sweep(folder):
        return _show_sweep(folder)
    else:
        found = _of_folder(folder)
    if not found:
        of = f"{args.experiment}{f' at budget {args.budget}' if args.budget else ''}"
        raise UsageError(
            f"no record of {of} in {Path('experiments').absolute()}; go to a checkout that has one, make one there "
            f"with +experiment={args.experiment} run.keep=true, or name the folder of a run or a sweep"
        )
    groups = by_run(found, member("paths", "default"))
    if args.format == "terminal":
        _show(groups)
    else:
        print(_text(groups, args.format), end="")


def _records(experiment: str, budget: str) -> list[Found]:
    from blurlab.report import load_record

    paths = sorted(Path("experiments").glob(f"*/results/{budget}/{experiment}*.json"))
    every = [(path, load_record(path)) for path in paths]
    return [(path, record) for path, record in every if record["experiment"] == experiment]


def _of_folder(folder: Path) -> list[Found]:
    """The finished records of a run or of a sweep.

    Raises:
        UsageError: If there is none.
    """
    from blurlab.report import load_record
    from blurlab.run.command.manifest import is_sweep
    from blurlab.run.command.sweep import ends_of, finished_of

    if is_sweep(folder):
        found = finished_of(folder, ends_of(folder))
    else:
        path = folder / "record.json"
        found = [(path, load_record(path))] if path.is_file() else []
    if not found:
        raise UsageError(f"{readable(folder)} holds no finished run; name the folder of a run or of a sweep")
    return found


def _show_sweep(folder: Path) -> None:
    from rich.console import Console

    from blurlab.run.command.sweep import ends_of, table_of

    Console().print(table_of(folder, ends_of(folder)))


def _show(groups: list[list[Found]]) -> None:
    from rich.console import Console

    from blurlab.report import terminal_tables
    from blurlab.report.seeds import over_seeds, seeds_table

    console = Console()
    for group in groups:
        records = [record for _, record in group]
        tables = terminal_tables(records[0]) if len(group) == 1 else [seeds_table(over_seeds(records))]
        for one in tables:
            console.print(one)


def _text(groups: list[list[Found]], form: str) -> str:
    from blurlab.report.rows import interval_note
    from blurlab.report.seeds import over_seeds
    from blurlab.report.tables import as_csv, as_latex, as_markdown, record_table, seeds_over

    figures: list[Any] = []
    tables = []
    for group in groups:
        records = [record for _, record in group]
        figures.append(records[0] if len(group) == 1 else over_seeds(records))
        tables.append(
            record_table(records[0]) if len(group) == 1 else seeds_over(figures[-1], interval_note(records[0]))
        )
    if form == "csv":
        return as_csv(figures)
    return "\n".join(map(as_markdown if form == "markdown" else as_latex, tables))


def _parser() -> OneLineParser:
    parser = OneLineParser(
        "blurlab table",
        description="Print published | ours | limit, from the records kept, or of a run. Records that differ in the "
        "seed alone make one table, with means over the seeds and their intervals.",
    )
    parser.add_argument(
        "experiment",
        metavar="NAME",
        help=f"an experiment ({', '.join(options('experiment'))}), whose records are looked for in experiments/; or "
        "the folder of a run or of a sweep",
    )
    parser.add_argument("--format", choices=FORMATS, default=FORMATS[0], help="default: %(default)s")
    parser.add_argument("--budget", help="only records of this budget")
    return parser


VERB = Verb(
    table,
    _parser,
    (
        ("table messidor_hier", "published | ours | limit, from the records kept"),
        ("table levin32 --format latex", "... for a paper; also markdown and csv"),
        ("table runs/<experiment>/<date>", "the same of a run or a sweep of your own"),
    ),
)
