"""One photograph after the other: a bad one stops nothing, and what is done stays done."""

from __future__ import annotations

import errno
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from blurlab.cli.rows import Row, write_table
from blurlab.core.file_names import readable

Progress = Callable[[float], None]
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""Errors after which no other photograph can be written either."""


def over_files(
    photos: Sequence[Path],
    work: Callable[[Path, Progress], Row],
    *,
    table: Path | None = None,
    done: Callable[[Path], Row | None] = lambda photo: None,
    again: str = "",
) -> list[Row]:
    """Work on each photograph; errors are rows, too.

    Args:
        photos: In this order.
        work: Makes the row of a photograph and prints what is to be said of it; told how to show its progress.
        table: Where to write the rows, at the end or where the user stops; None: nowhere.
        done: The row of a photograph that is not to be done again, else None.
        again: The command that goes on, for a user who stops; empty where there is none.

    Returns:
        A row each.

    Raises:
        KeyboardInterrupt: If the user stops; what was done is on disk, and how to go on has been said.
        OSError: If the disk is full, or the table cannot be written.
    """
    rows: list[Row] = []
    skipped = 0
    try:
        for number, photo in enumerate(photos, start=1):
            known = done(photo)
            if known is not None:
                rows.append(known)
                skipped += 1
                continue
            with progress_bar(readable(photo), number, len(photos)) as progress:
                rows.append(_tried(photo, work, progress))
    except KeyboardInterrupt:
        good = sum(not row.error for row in rows)
        print(f"\nstopped: {good} of {len(photos)} photographs are done and whole", file=sys.stderr)
        if again:
            print(f"to go on: {again}", file=sys.stderr)
        raise
    finally:
        if table is not None:
            write_table(rows, table)
    if skipped:
        print(f"{skipped} of {len(photos)} photographs were done before", file=sys.stderr)
    return rows


class Notes(Protocol):
    """What knows which photographs are done: :class:`~blurlab.cli.journal.Journal`."""

    def done(self, source: Path, target: Path) -> Row | None:
        """The row of a photograph that is done; None of one that is still to do."""

    def add(self, source: Path, target: Path, row: Row) -> None:
        """Note that a photograph is done."""

    def claim(self, target: Path) -> None:
        """Note that a file is a result, or is going to be one."""


def noted(
    work: Callable[[Path, Progress], Row], places: Mapping[Path, Path], notes: Notes
) -> Callable[[Path, Progress], Row]:
    """The work on a photograph, with a note before that its result is one, and a note after that it is done.

    A process that is ended in between leaves a result that the next one knows as such.

    Args:
        work: As in :func:`over_files`.
        places: Photograph -> where its result goes.
        notes: Where it is noted.
    """

    def both(photo: Path, progress: Progress) -> Row:
        notes.claim(places[photo])
        row = work(photo, progress)
        notes.add(photo, places[photo], row)
        return row

    return both


def deblurred(
    places: Mapping[Path, Path],
    work: Callable[[Path, Progress], Row],
    notes: Notes,
    words: Sequence[str],
    *,
    resume: bool,
    table: Path | None,
    kernels: Mapping[Path, Path] | None = None,
) -> list[Row]:
    """Restore each photograph of ``blurlab deblur``, and note that it is done.

    Args:
        places: Photograph -> where its result goes.
        work: As in :func:`over_files`.
        notes: Which are done.
        words: The command's, after the verb.
        resume: Leave out what is done.
        table: As in :func:`over_files`.
        kernels: Where the kernel of each photograph is written to; one that was restored and has none is done again.

    Returns:
        A row each.
    """

    def known(photo: Path) -> Row | None:
        row = notes.done(photo, places[photo]) if resume else None
        kernel = (kernels or {}).get(photo)
        return None if row is not None and row.restored and kernel is not None and not kernel.exists() else row

    return over_files(
        [*places],
        noted(work, places, notes),
        table=table,
        done=known,
        again=shlex.join(["blurlab", "deblur", *words, *([] if resume else ["--resume"])]),
    )


def end(rows: Sequence[Row]) -> None:
    """List the bad files on standard error, and end with 1 if there are any.

    Raises:
        SystemExit: If there are.
    """
    bad = [row for row in rows if row.error]
    if not bad:
        return
    if len(rows) > 1:
        print(f"{len(bad)} of {len(rows)} files could not be used:", file=sys.stderr)
    for row in bad:
        print(f"error: {row.error}", file=sys.stderr)
    sys.exit(1)


def _tried(photo: Path, work: Callable[[Path, Progress], Row], progress: Progress) -> Row:
    started = time.perf_counter()
    try:
        row = work(photo, progress)
    except Exception as error:  # whatever is wrong with one photograph, the others are to be done
        if _number(error) in FULL:
            raise
        row = Row(readable(photo), error=_line(photo, error))
    return replace(row, seconds=time.perf_counter() - started)


def _number(error: BaseException) -> int | None:
    found = error.__cause__ if isinstance(error.__cause__, OSError) else error
    return found.errno if isinstance(found, OSError) else None


def _line(photo: Path, error: Exception) -> str:
    """One line that names the file."""
    said = " ".join(str(error).split()) or type(error).__name__
    name = readable(photo)
    return said if name in said else f"{name}: {said}"


@contextmanager
def progress_bar(title: str, number: int = 1, total: int = 1) -> Iterator[Progress]:
    """A bar on a terminal's error stream; elsewhere a line a file, where there are several.

    The bar is seen from the first share that is done of a single file, and at once where there are several.

    Args:
        title: Name of the file.
        number: Which of the files it is, from 1.
        total: How many there are.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress as Bar

    console, several = Console(stderr=True), total > 1
    if several and not console.is_terminal:
        print(f"{number}/{total} {title}", file=sys.stderr, flush=True)
    name = f"{number}/{total} {title}" if several else title
    with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(escape(name), total=float(total), visible=several, completed=number - 1)
        yield lambda done: bar.update(task, completed=number - 1 + done, visible=True)
