"""File names as text that can be printed, kept in a record and compared."""

from __future__ import annotations

import os
import tempfile
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from itertools import takewhile
from pathlib import Path


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


def targets(photos: Iterable[tuple[Path, Path]], out: Path) -> dict[Path, Path]:
    """The file in ``out`` that each photograph is written to -> the photograph.

    Args:
        photos: Each photograph and its place below ``out``.
        out: A folder, which need not be there yet.

    Raises:
        ValueError: If two photographs would be written to one file, or one of them would be overwritten.
    """
    found: dict[Path, Path] = {}
    files: dict[tuple[int, int], Path] = {}
    for photo, place in photos:
        target = out / place
        if target in found:
            one, other = readable(found[target]), readable(photo)
            raise ValueError(f"{one} and {other} would both be written to {readable(target)}; rename one")
        found[target] = photo
        with suppress(OSError):
            files[_identity(photo)] = photo
    for target in found:
        with suppress(OSError):
            if (photo := files.get(_identity(target), target)) is not target:
                raise ValueError(f"{readable(photo)} would be overwritten by a restored image; choose another --out")
    return found


def check_apart(targets: Iterable[Path], out: Path) -> None:
    """Raise where two files would be one because the file system of ``out`` takes capitals for small letters.

    Raises:
        ValueError: Naming both.
    """
    met: dict[str, Path] = {}
    for target in targets:
        name = unicodedata.normalize("NFC", str(target.relative_to(out))).casefold()
        if name in met and ignores_case(out):
            one, other = readable(met[name].relative_to(out)), readable(target.relative_to(out))
            raise ValueError(
                f"{one} and {other} are one file in {readable(out)}; rename a photograph or choose another --out"
            )
        met[name] = target


def ignores_case(folder: Path) -> bool:
    """Does the file system of a folder take capitals for small letters?"""
    with tempfile.NamedTemporaryFile(prefix=".case", dir=folder) as probe:
        made = Path(probe.name)
        return made.with_name(made.name.swapcase()).exists()


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
