"""``blurlab completion bash|zsh|tcsh``: the verbs, their options and files, completed by the shell."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from blurlab.cli.verb import OneLineParser, Verb
from blurlab.run.errors import UsageError

SHELLS = ("bash", "zsh", "tcsh")
FOLDERS = ("out", "run", "data_dir", "folder")
"""Names of the arguments that are folders."""


def of_verbs(verbs: Mapping[str, Verb]) -> Verb:
    """The verb that completes others.

    Args:
        verbs: All of them, by name.
    """

    def completion(words: list[str]) -> None:
        print(script(_parser().parse_args(words).shell, verbs))

    uses = (("completion bash", 'for the shell: eval "$(blurlab completion bash)" in ~/.bashrc; also zsh, tcsh'),)
    return Verb(completion, _parser, uses)


def script(shell: str, verbs: Mapping[str, Verb]) -> str:
    """What a shell runs to complete the verbs.

    Args:
        shell: One of ``SHELLS``.
        verbs: By name.

    Raises:
        UsageError: If the package ``shtab`` is not there.
    """
    try:
        import shtab
    except ImportError:
        raise UsageError(
            "completion needs the package shtab, which is not there; pip install 'blurlab-toolbox[completion]'"
        ) from None
    top = argparse.ArgumentParser("blurlab")
    parts = top.add_subparsers(dest="verb")
    for name, verb in verbs.items():
        parser = verb.parser()
        for action in parser._actions:
            if action.dest in FOLDERS:
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
            elif action.type is Path:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
        about = " ".join((parser.description or "").split())
        parts.add_parser(name, parents=[parser], add_help=False, help=about.partition(". ")[0])
    return str(shtab.complete(top, shell))


def _parser() -> OneLineParser:
    parser = OneLineParser("blurlab completion", description="Print what completes this command in a shell.")
    parser.add_argument("shell", choices=SHELLS)
    return parser
