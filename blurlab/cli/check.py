"""``blurlab check MODULE:CLASS [OPTION=VALUE ...]``: does a part of one's own keep the laws of its kind?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from inspect import isroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blurlab.cli.verb import OneLineParser, Verb
from blurlab.run.errors import UsageError, nearest

if TYPE_CHECKING:
    from blurlab.core.law import Law

SHAPE = (2, 1, 17, 24)
"""Of the images (B, C, H, W) that operators are tried on."""


def check(words: list[str]) -> None:
    """Print a line a law, kept or broken.

    Raises:
        UsageError: If the part cannot be made, or is of no kind that has laws.
        SystemExit: With 1, if a law is broken.
    """
    args = _parser().parse_args(words)
    shape = _shape(args.shape)
    laws = _laws(made(args.part, args.option), shape, args.seed)
    kept, broken, ended = 0, 0, ""
    try:
        for law in laws:
            kept, broken = kept + (not law.breach), broken + bool(law.breach)
            print(f"broken  {law.text}: {law.breach}" if law.breach else f"kept    {law.text}", flush=True)
    except Exception as error:  # whatever is wrong with the part, it is told by one line
        ended = f"{type(error).__name__}: {_one_line(error)}"
        print(f"broken  no law could be tried further: {ended}")
    print(f"{kept} laws kept, {broken + bool(ended)} broken{'; those after the last were not tried' if ended else ''}")
    if broken or ended:
        sys.exit(1)


def made(part: str, options: Sequence[str]) -> Any:
    """The object of a class, or what a function returns.

    Args:
        part: ``module:name`` or ``file.py:name``.
        options: ``OPTION=VALUE``, its arguments.

    Raises:
        UsageError: If there is no such module or name, or it refuses its arguments.
    """
    from blurlab.run.command.member import values_of_words
    from blurlab.run.setup.options import check_options

    place, colon, name = part.rpartition(":")
    if not colon or not place or not name:
        raise UsageError(f"name the part as MODULE:CLASS, got {part}")
    values, module = values_of_words(options), _imported(place)
    public = [one for one in vars(module) if not one.startswith("_") and callable(vars(module)[one])]
    found = getattr(module, name, None)
    if found is None:
        raise UsageError(f"{place} has no {name}{nearest(name, public) if public else '; it defines nothing'}")
    if not isinstance(found, type) and not isroutine(found):
        if options:
            raise UsageError(f"{part} is an object, which takes no options; leave out {options[0]}")
        return found
    check_options(found, values)
    return _tried(f"{name} cannot be made", lambda: found(**values))


def _laws(part: Any, shape: tuple[int, int, int, int], seed: int) -> Iterator[Law]:
    import torch

    from blurlab.blur import BlurFamily
    from blurlab.core.rng import generator
    from blurlab.deconvolver import Deconvolver
    from blurlab.physics import LinearOperator
    from blurlab.testing import deconvolver_laws, family_laws, operator_laws

    draw = generator(seed, "check")
    if isinstance(part, BlurFamily):
        return family_laws(part, generator=draw)
    if isinstance(part, Deconvolver):
        return deconvolver_laws(part, generator=draw)
    if isinstance(part, LinearOperator):
        return operator_laws(part.to(torch.zeros((), dtype=torch.float64)), shape, generator=draw)
    raise UsageError(
        f"laws are known of a blurlab.blur.BlurFamily, a blurlab.deconvolver.Deconvolver and a "
        f"blurlab.physics.LinearOperator, got {type(part).__name__}; derive it from one of them"
    )


def _imported(place: str) -> Any:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    if not place.endswith(".py"):
        return _tried(f"cannot import {place}", lambda: import_module(place))
    path = Path(place)
    if not path.is_file():
        raise UsageError(f"{place} does not exist; check the path")
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module, loader = module_from_spec(spec), spec.loader
    sys.modules.setdefault(path.stem, module)
    _tried(f"cannot import {place}", lambda: loader.exec_module(module))
    return module


def _tried(what: str, call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:  # code of the user's, with errors of every kind
        raise UsageError(f"{what}: {type(error).__name__}: {_one_line(error)}") from error


def _shape(text: str) -> tuple[int, int, int, int]:
    sides = text.split("x")
    if len(sides) != 4 or not all(side.isdecimal() and int(side) > 0 for side in sides):
        raise UsageError(f"--shape must be BxCxHxW, four whole numbers, got {text}")
    batch, channels, height, width = map(int, sides)
    return batch, channels, height, width


def _one_line(error: BaseException) -> str:
    return next(iter(" ".join(line.split()) for line in str(error).splitlines() if line.strip()), "no message")


def _parser() -> OneLineParser:
    parser = OneLineParser(
        "blurlab check",
        description="Try the laws of blurlab.testing on a blur family, an operator or a deconvolver of one's own. "
        "Imports the module that is named, from the present folder too. Ends with 1 if a law is broken.",
    )
    parser.add_argument("part", metavar="MODULE:CLASS", help="my.module:MyBlur, or my_blur.py:MyBlur")
    parser.add_argument("option", metavar="OPTION=VALUE", nargs="*", help="arguments of the class: length_px=[1,9]")
    parser.add_argument("--seed", default=0, type=int, help="of what is drawn; default: 0")
    parser.add_argument(
        "--shape", default="x".join(map(str, SHAPE)), help="of an operator's images, BxCxHxW; default: %(default)s"
    )
    return parser


VERB = Verb(
    check, _parser, (("check my_blur.py:MyBlur length_px=[1,9]", "the laws of blurlab.testing on a part of one's own"),)
)
