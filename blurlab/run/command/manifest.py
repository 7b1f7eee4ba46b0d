"""What a sweep is made of: its words and its jobs, in ``<sweep>/sweep.json``, and how far each job has come."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from blurlab.core.atomic import write_text
from blurlab.report.record import load_record
from blurlab.run.errors import UsageError

FILE = "sweep.json"
ERROR = "error.txt"
PRUNED = "pruned.txt"
SEARCH_WORD = (
    r"\+*hydra\.sweeper\.(?:(?:metric|direction|trials|at_once|prune|warm_up_epochs|first_trials)=[\w.+/-]+$"
    r"|space(?:\.[\w.]+)?=\{[\w.:, +{}\[\]-]+\}$)"
)
"""The words that say how a search goes on: its options, but not where its storage is."""


@dataclass(frozen=True)
class SweptJob:
    """A job of a sweep.

    Attributes:
        name: Its folder below the sweep's.
        words: The words that it is composed from, without Hydra's own.
    """

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """A sweep.

    Attributes:
        words: The command line, without Hydra's own words.
        jobs: In their order.
        search: The words ``hydra.sweeper.*`` that say how a search goes on.
    """

    words: tuple[str, ...]
    jobs: tuple[SweptJob, ...]
    search: tuple[str, ...] = ()

    def write(self, folder: Path) -> None:
        """Keep it in the sweep's folder, which is made where it is not there."""
        jobs = [{"name": job.name, "words": job.words} for job in self.jobs]
        write_text(
            folder / FILE, json.dumps({"words": self.words, "search": self.search, "jobs": jobs}, indent=1) + "\n"
        )


def search_words(words: Sequence[str]) -> tuple[str, ...]:
    """The words of a command line with which a search goes on."""
    return tuple(str(word) for word in words if re.match(SEARCH_WORD, str(word)))


def is_sweep(folder: Path) -> bool:
    """Was a sweep begun in this folder?"""
    return (folder / FILE).is_file()


def read_manifest(folder: Path) -> Manifest:
    """The sweep that was begun in a folder.

    Raises:
        UsageError: If the file is damaged, or a job's folder would lie outside the sweep's.
    """
    path = folder / FILE
    try:
        held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        jobs = tuple(SweptJob(str(job["name"]), tuple(map(str, job["words"]))) for job in held["jobs"])
        manifest = Manifest(tuple(map(str, held["words"])), jobs, tuple(map(str, held["search"])))
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is damaged; put it back, or start a new sweep") from error
    for job in jobs:
        parts = PurePosixPath(job.name).parts
        if not parts or ".." in parts or PurePosixPath(job.name).is_absolute():
            raise UsageError(f"{path} names a job's folder outside the sweep's: {job.name}; start a new sweep")
    return manifest


@dataclass(frozen=True)
class Progress:
    """How far a job has come.

    Attributes:
        record: Its record, if it has finished.
        note: Why it has not, in one line; "" if it has.
        pruned: Did a search end it early, since others were better?
    """

    record: dict[str, Any] | None
    note: str = ""
    pruned: bool = False


def progress_of(folder: Path) -> Progress:
    """How far the job of a folder has come."""
    from blurlab.run.record.record import FINISHED  # not at the top: it imports torch

    for name, pruned in ((PRUNED, True), (ERROR, False)):
        path = folder / name
        if path.is_file():
            return Progress(None, _first_line(path) or "failed", pruned)
    path = folder / "record.json"
    if not path.is_file():
        return Progress(None, "stopped" if folder.is_dir() else "not begun")
    try:
        record = load_record(path)
    except ValueError:
        return Progress(None, "stopped: its record is not whole")
    return Progress(record) if FINISHED in record else Progress(None, "stopped")


def split_done(folder: Path, jobs: Sequence[SweptJob]) -> tuple[list[SweptJob], list[SweptJob]]:
    """The jobs that have finished, or were ended early by a search, and those that have not."""
    found = [(job, progress_of(folder / job.name)) for job in jobs]
    done = [job for job, progress in found if progress.record is not None or progress.pruned]
    return done, [job for job in jobs if job not in done]


def _first_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.strip() for line in lines if line.strip()), "")
