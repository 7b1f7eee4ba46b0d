"""Words of a command line made readable for Hydra's grammar, and independent of the folder one stands in."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from blurlab.run.errors import UsageError

PLACES = ("root", "folder", "data_dir", "runs_dir", "cache_dir", "experiments_dir")
"""Last parts of the keys whose values are folders."""
FILES = ("weights", "run")
"""Last parts of the keys whose values may be a file or folder, or a name."""
OF_RUNS = ("hydra.run.dir", "hydra.sweep.dir")
"""Keys of the folders of runs: a ~ is the user's own folder there too; Hydra would make a folder of that name."""


def readable(overrides: Sequence[str]) -> list[str]:
    """Put quotes around values that Hydra's grammar cannot read, as ``/photos/été``, and around places with commas.

    A comma makes a sweep, so a place is only quoted for it where it exists as a whole.

    Raises:
        UsageError: If a word has no key, or cannot be read for another reason.

    Example:
        >>> readable(["dataset.source.root=/x/été", "blur.taps=20,3"])
        ["dataset.source.root='/x/été'", 'blur.taps=20,3']
    """
    return [_readable(word) for word in overrides]


def absolute_places(overrides: Sequence[str], *, with_data: bool = True) -> list[str]:
    """Make relative places absolute, so that a run can be resumed from any folder.

    Args:
        overrides: Readable words.
        with_data: Add ``paths.data_dir`` where no word names it, for what a run is begun on lies there.

    Raises:
        UsageError: If a word names no folder where one belongs: it would be the folder one stands in.
    """
    words = [_absolute(word) for word in overrides]
    if with_data and not any(re.match(r"\+*paths\.data_dir=", word) for word in words):
        words.append(f"paths.data_dir={_placed(os.environ.get('BLURLAB_DATA') or 'data', False)}")
    return words


def quoted(value: str) -> str:
    """A value in quotes, as Hydra's grammar reads it.

    Example:
        >>> print(quoted("/été, 1"))
        '/été, 1'
    """
    from hydra.core.override_parser.types import Quote, QuotedString

    return QuotedString(text=value, quote=Quote.single).with_quotes()


def _readable(word: str) -> str:
    key, equals, value = word.partition("=")
    if not key.strip("+~ "):
        raise UsageError(f"'{word}' names no key; a setting is written KEY=VALUE")
    if not equals or not value:
        return word
    if _parses(word):
        return f"{key}={quoted(value)}" if _is_place_with_comma(key, value) else word
    word = f"{key}={quoted(value)}"
    if not _parses(word):
        raise UsageError(f"'{key}' cannot be read as a key; a setting is written KEY=VALUE")
    return word


def _parses(word: str) -> bool:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        OverridesParser.create().parse_overrides([word])
    except HydraException:
        return False
    return True


def _is_place_with_comma(key: str, value: str) -> bool:
    if "," not in value or value[0] in "'\"[{":
        return False
    return key.startswith("hydra.") or ("/" in value and os.path.lexists(os.path.expanduser(value)))


def _absolute(word: str) -> str:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    key, _, value = word.partition("=")
    if key in OF_RUNS and (bare := value.strip("'\"")).startswith("~"):
        return f"{key}={_placed(bare, False)}"
    last = key.rpartition(".")[2]
    if last not in (*PLACES, *FILES) or "." not in key:
        return word
    (parsed,) = OverridesParser.create().parse_overrides([word])
    if parsed.is_sweep_override():
        places = [str(one).strip("'\"") for one in parsed.sweep_string_iterator()]
    elif isinstance(parsed.value(), str):
        places = [str(parsed.value())]
    else:
        return word
    if last in PLACES and not all(places):
        raise UsageError(f"{key} names no folder; leave it out, or name one")
    return f"{key}={','.join(_placed(place, last in FILES) for place in places)}"


def _placed(place: str, may_be_name: bool) -> str:
    if not place or place == "null" or "${" in place:
        return place or "''"
    path = Path(place).expanduser()
    if not (may_be_name and not path.exists()):
        place = os.path.abspath(path)
    return place if re.fullmatch(r"[\w./+:-]+", place, re.ASCII) else quoted(place)
