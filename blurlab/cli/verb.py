"""What a verb of the command line is, and a parser whose errors are one line."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from blurlab.run.errors import nearest


@dataclass(frozen=True)
class Verb:
    """A word that ``blurlab`` may begin with.

    Attributes:
        run: Called with the words that follow.
        parser: Makes the parser of these words.
        examples: Pairs of words and what they do, for ``blurlab --help``.
    """

    run: Callable[[list[str]], None]
    parser: Callable[[], argparse.ArgumentParser]
    examples: tuple[tuple[str, str], ...]


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Raise ValueError, with the nearest option for one that is not known: the command prints it in one line."""
        typo = re.search(r"unrecognized arguments: (--[^ =]+)", message)
        if typo:
            known = [name for name in self._option_string_actions if name.startswith("--")]
            message = f"unknown option '{typo[1]}'{nearest(typo[1], known)}"
        raise ValueError(f"{message}; see {self.prog} --help")
