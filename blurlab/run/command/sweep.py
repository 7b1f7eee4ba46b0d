"""The end of a sweep: which of its jobs left a record, one table of them all, one more over the seeds of each run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig
from rich.console import Console

from blurlab.report.record import load_record
from blurlab.report.seeds import seeds_table, write_seeds
from blurlab.report.terminal import sweep_table
from blurlab.run.command.job import ERROR
from blurlab.run.errors import UsageError
from blurlab.run.record.record import FINISHED
from blurlab.run.setup.settings import Settings, differences, values_of, words_of

finished: list[Path] = []
Found = tuple[Path, dict[str, Any]]


class RememberSweep(Callback):
    """Hydra callback: notes the sweep's directory when its last job has ended."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Keep the directory in :data:`finished`."""
        finished.append(Path(config.hydra.sweep.dir))


def print_sweep(folder: Path, expected: int) -> None:
    """One table for the jobs of a sweep that have finished, and one over seeds for each run that has several.

    The latter are kept in the sweep's directory, as ``seeds.json`` and ``seeds.md``.

    Args:
        folder: The sweep's directory.
        expected: Number of its jobs.

    Raises:
        UsageError: If a job left no record.
    """
    found, console = records(folder, expected), Console()
    if found:
        console.print(sweep_table([record for _, record in found]))
    groups = by_seed(found)
    for group in groups:
        first = group[0][0].parent.name
        path = folder / ("seeds" if len(groups) == 1 else f"seeds_{first}")
        console.print(seeds_table(write_seeds(path, group), ", ".join(own_words(group, found))))
        console.print(f"table over seeds {path}.md", markup=False, highlight=False)
    print(f"sweep directory {folder}")
    if len(found) < expected:
        raise UsageError(f"{expected - len(found)} of {expected} jobs failed; their errors stand above")


def records(folder: Path, expected: int) -> list[Found]:
    """The records of a sweep's jobs that have finished, with their files, in the order of the jobs.

    Where the directory was used before, jobs beyond ``expected`` are an earlier sweep's; and a job that failed this
    time may have left its record then.
    """
    whole = [path.parent for path in folder.rglob("record.json") if not (path.parent / ERROR).exists()]
    names = [path.relative_to(folder).as_posix() for path in whole]
    own = [name for name in names if not name.isdigit() or int(name) < expected]
    files = [folder / name / "record.json" for name in sorted(own, key=lambda name: (name.zfill(9), name))]
    return [(file, record) for file in files if FINISHED in (record := _read(file))]


def _read(file: Path) -> dict[str, Any]:
    """A record, or nothing where the file does not hold a whole one, as that of a job that was stopped."""
    try:
        return load_record(file)
    except ValueError:
        return {}


def by_seed(found: Sequence[Found]) -> list[list[Found]]:
    """The records that differ in the seed alone, group by group; groups of one seed are left out."""
    groups: list[tuple[Settings, dict[int, Found]]] = []
    for file, record in found:
        own = _settings(record)
        for settings, group in groups:
            if not differences(settings, own, silent=("run.seed",)):
                group.setdefault(record["seed"], (file, record))
                break
        else:
            groups.append((own, {record["seed"]: (file, record)}))
    return [list(group.values()) for _, group in groups if len(group) > 1]


def own_words(group: Sequence[Found], found: Sequence[Found]) -> list[str]:
    """The words of the command line that tell a group from the other jobs, without the seed."""
    shared = set.intersection(*({*record["overrides"]} for _, record in found))
    return [word for word in group[0][1]["overrides"] if word not in shared and "run.seed=" not in word]


def _settings(record: dict[str, Any]) -> Settings:
    values = {**values_of(record["config"]), **record["contents"]}
    return Settings(values, words_of(record["overrides"]), json.dumps([record["versions"]["blurlab"], record["git"]]))
