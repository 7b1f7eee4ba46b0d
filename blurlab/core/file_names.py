"""File names as text that can be printed, kept in a record and compared."""

from __future__ import annotations

import os
import tempfile
import unicodedata
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path

LONGEST_BYTES = 255
"""Of a file's name, on the file systems in use."""


def readable(path: str | os.PathLike[str]) -> str:
    r"""A file's name as one line of valid text: bytes that are no UTF-8 and control characters become escapes.

    Example:
        >>> readable(os.fsdecode(b"caf\xe9\n.png"))
        'caf\\xe9\\n.png'
    """
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(_escaped(one) if unicodedata.category(one) in ("Cc", "Zl", "Zp") else one for one in text)


def shortened(name: str, longest_bytes: int) -> str:
    """The beginning of a file's name that has at most so many bytes, without a character cut in two.

    Example:
        >>> shortened("日本", 5)
        '日'
    """
    return os.fsencode(name)[:longest_bytes].decode("utf-8", "ignore")


def check_no_options(words: Iterable[str]) -> None:
    """Raise where a word of a command line that begins with a dash is the name of a file.

    Raises:
        ValueError: Naming it.
    """
    for word in takewhile(lambda word: word != "--", words):
        if word.startswith("-") and os.path.isfile(word):
            name = readable(word)
            raise ValueError(f"{name} is read as an option; write ./{name} for the file of that name")


def png_targets(photos: Iterable[Path], out: Path) -> dict[Path, Path]:
    """The PNG file in ``out`` that each photograph is restored to -> the photograph.

    Raises:
        ValueError: If a name is too long, two photographs would be written to one file, or one would be overwritten.
    """
    targets: dict[Path, Path] = {}
    for photo in photos:
        target = out / f"{photo.stem}.png"
        if len(os.fsencode(target.name)) > LONGEST_BYTES:
            raise ValueError(
                f"{readable(target)} is a name of more than {LONGEST_BYTES} bytes; rename {readable(photo)}"
            )
        if target.exists() and photo.exists() and target.samefile(photo):
            raise ValueError(f"{readable(photo)} would be overwritten by its restored image; choose another --out")
        if target in targets:
            one, other = readable(targets[target]), readable(photo)
            raise ValueError(f"{one} and {other} would both be written to {readable(target)}; rename one")
        targets[target] = photo
    return targets


def check_apart(targets: Iterable[Path], out: Path) -> None:
    """Raise where two files would be one because the file system of ``out`` takes capitals for small letters.

    Raises:
        ValueError: Naming both.
    """
    met: dict[str, Path] = {}
    for target in targets:
        name = unicodedata.normalize("NFC", target.name).casefold()
        if name in met and ignores_case(out):
            one, other = readable(met[name].name), readable(target.name)
            raise ValueError(
                f"{one} and {other} are one file in {readable(out)}; rename a photograph or choose another --out"
            )
        met[name] = target


def ignores_case(folder: Path) -> bool:
    """Does the file system of a folder take capitals for small letters?"""
    with tempfile.NamedTemporaryFile(prefix=".case", dir=folder) as probe:
        made = Path(probe.name)
        return made.with_name(made.name.swapcase()).exists()


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
