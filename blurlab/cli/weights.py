"""``blurlab weights [NAME]``: the networks and priors that come with the package, or the model card of one."""

from __future__ import annotations

from blurlab.cli.shipped import shipped
from blurlab.cli.verb import OneLineParser, Verb
from blurlab.run.errors import UsageError, nearest


def weights(words: list[str]) -> None:
    """Print every file of weights, or the card of one.

    Raises:
        UsageError: If there is none of that name.
    """
    known = {one.name: one for one in shipped()}
    name = _parser().parse_args(words).name
    if name is not None and name not in known:
        raise UsageError(f"unknown weights '{name}'{nearest(name, known)}")
    if name is not None:
        print(known[name].card, end="")
        return
    for one in known.values():
        print(f"{one.name}  {one.path.stat().st_size:,} bytes, {one.place}\n  for {one.taken_by}")
        print(f"  sha256 {one.sha256}\n  {one.about}")


def _parser() -> OneLineParser:
    parser = OneLineParser("blurlab weights", description="Weights that come with the package; with NAME, its card.")
    parser.add_argument("name", metavar="NAME", nargs="?", help=f"one of {', '.join(one.name for one in shipped())}")
    return parser


VERB = Verb(weights, _parser, (("weights", "networks and priors in the package; weights NAME prints a model card"),))
