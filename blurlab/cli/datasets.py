"""``blurlab datasets [NAME ...]``: which sets of photographs are there, and where to get the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from blurlab.cli.verb import OneLineParser, Verb
from blurlab.run.command.names import options
from blurlab.run.errors import UsageError, nearest

if TYPE_CHECKING:
    from blurlab.run.command.sets import Holding


def datasets(words: list[str]) -> None:
    """Print every member of ``conf/dataset``, or those named.

    Raises:
        UsageError: If there is none of a name.
    """
    known = options("dataset")
    args = _parser().parse_args(words)
    for name in args.name:
        if name not in known:
            raise UsageError(f"unknown dataset '{name}'{nearest(name, known)}")
    from blurlab.run.command.member import about
    from blurlab.run.command.sets import holdings

    for name in args.name or known:
        lines = _lines(holdings(name, args.data_dir), brief=not args.name)
        print("\n".join([name, f"  {about('dataset', name)}", *lines]), flush=True)
    if not args.name:
        print("blurlab datasets NAME says where a set was looked for")


def _lines(found: list[Holding], *, brief: bool) -> Iterator[str]:
    for one in found:
        role = "" if len(found) == 1 else f"{one.role.replace('_', ' ')}: "
        if one.missing:
            yield f"  {role}missing: {f'{one.name}, from {one.site}' if brief and one.site else one.missing}"
        else:
            where = "drawn by the program" if one.folder is None else f"in {one.folder}"
            yield f"  {role}found: {one.name}, {one.count} photographs {where}"
            if one.site and one.folder is not None:
                yield f"    from {one.site}"


def _parser() -> OneLineParser:
    parser = OneLineParser(
        "blurlab datasets", description="What each set of photographs is, whether it is there, and where to get it."
    )
    parser.add_argument("name", metavar="NAME", nargs="*", help=f"one of {', '.join(options('dataset'))}; default: all")
    parser.add_argument("--data-dir", help="where sets lie; default: BLURLAB_DATA, or the folder data")
    return parser


VERB = Verb(datasets, _parser, (("datasets", "sets of photographs: which are found, where to get the others"),))
