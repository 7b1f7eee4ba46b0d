"""Which photographs are done: a line each in the output folder, so that a stopped command can go on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from blurlab.cli.rows import Row, as_json, from_json
from blurlab.core.file_names import readable

NAME = ".blurlab.jsonl"
"""Of the file, in the folder of the results."""


class Journal:
    """The photographs that were written into a folder, from what, and with which options.

    A line is added after the result has taken its name. So a photograph is done where its line stands, it and its
    result are as they were then (size, time of change), and the options are the same; a line that was cut short says
    nothing.

    Args:
        folder: Where the results are.
        options: What the results depend on besides the photographs.
    """

    def __init__(self, folder: Path, options: Mapping[str, Any]) -> None:
        self.path = folder / NAME
        self.options = json.loads(json.dumps(dict(options)))
        self.lines = _read(self.path)

    def done(self, source: Path, target: Path) -> Row | None:
        """The row of a photograph that is done; None of one that is still to do."""
        line = self.lines.get(self._place(target))
        try:
            same = line is not None and line["options"] == self.options
            if line is None or not same or line["source"] != _stamp(source) or line["result"] != _stamp(target):
                return None
            return from_json(line["row"])
        except (OSError, KeyError, TypeError, ValueError, AttributeError):
            return None

    def check_free(self, targets: Iterable[Path]) -> None:
        """Raise where a result would replace a file that is none: another photograph of that name, perhaps.

        Raises:
            ValueError: Naming it.
        """
        for target in targets:
            if os.path.lexists(target) and self._place(target) not in self.lines:
                raise ValueError(
                    f"{readable(target)} is there and is no result of blurlab, so it is not replaced; choose another "
                    "--out, or move it away"
                )

    def claim(self, target: Path) -> None:
        """Note that a file is a result, or is going to be one, without saying that it is whole; once.

        Raises:
            OSError: If the line cannot be written.
        """
        if self._place(target) not in self.lines:
            self._append({"place": self._place(target)})

    def add(self, source: Path, target: Path, row: Row) -> None:
        """Note that a photograph is done.

        Raises:
            OSError: If the line cannot be written.
        """
        line = {
            "place": self._place(target),
            "source": _stamp(source),
            "result": _stamp(target),
            "options": self.options,
            "row": as_json(row),
        }
        self._append(line)

    def _append(self, line: dict[str, Any]) -> None:
        with open(self.path, "a+b") as file:
            if file.tell() and not _ends_whole(self.path):
                file.write(b"\n")
            file.write(json.dumps(line).encode("ascii") + b"\n")
        self.lines[line["place"]] = line

    def _place(self, target: Path) -> str:
        return str(target.relative_to(self.path.parent))


def _stamp(path: Path) -> list[int]:
    """Size and time of change of a file.

    Raises:
        OSError: If there is none.
    """
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def _ends_whole(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(-1, 2)
        return file.read() == b"\n"


def _read(path: Path) -> dict[str, Any]:
    """The last line of each place."""
    found: dict[str, Any] = {}
    if not path.is_file():
        return found
    with open(path, encoding="ascii", errors="replace") as file:
        for text in file:
            try:
                line = json.loads(text)
                found[str(line["place"])] = line
            except (ValueError, KeyError, TypeError):  # cut short
                continue
    return found
