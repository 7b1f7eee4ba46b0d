"""The end of a sweep: one table of all its jobs, one more over the seeds of each run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from blurlab.report.seeds import seeds_table, write_seeds
from blurlab.report.sweep import Unfinished, sweep_table
from blurlab.run.command.manifest import ERROR, Progress, SweptJob, progress_of, read_manifest
from blurlab.run.errors import UsageError
from blurlab.run.setup.settings import Settings, differences, values_of, without_places, words_of

finished: list[Path] = []
Found = tuple[Path, dict[str, Any]]


class RememberSweep(Callback):
    """Hydra callback: notes the sweep's directory when its last job has ended."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Keep the directory in :data:`finished`."""
        finished.append(Path(config.hydra.sweep.dir))


def print_sweep(folder: Path) -> None:
    """One table for the jobs of a sweep, and one over seeds for each run that has several.

    The latter are kept in the sweep's directory, as ``seeds.json`` and ``seeds.md``.

    Args:
        folder: The sweep's directory.

    Raises:
        UsageError: If a job left no record.
    """
    console, ends = Console(), ends_of(folder)
    found = finished_of(folder, ends)
    if ends:
        console.print(table_of(folder, ends))
    groups = by_seed(found)
    for group in groups:
        first = group[0][0].parent.name
        path = folder / ("seeds" if len(groups) == 1 else f"seeds_{first}")
        console.print(seeds_table(write_seeds(path, group), ", ".join(own_words(group, found))))
        console.print(f"table over seeds {path}.md", markup=False, highlight=False)
    print(f"sweep directory {folder}")
    if failed := sum(end.record is None and not end.pruned for _, end in ends):
        raise UsageError(
            f"{failed} of {len(ends)} jobs did not finish; why stands in the table and in <job>/{ERROR}; "
            f"go on with: python -m blurlab run.resume={folder}"
        )


def table_of(folder: Path, ends: Sequence[tuple[SweptJob, Progress]]) -> Table:
    """One table for the jobs of a sweep, those that did not finish among them."""
    left = [Unfinished(job.name, without_places(job.words), end.note) for job, end in ends if end.record is None]
    names = [job.name for job, end in ends if end.record is not None]
    return sweep_table([record for _, record in finished_of(folder, ends)], names, left)


def ends_of(folder: Path) -> list[tuple[SweptJob, Progress]]:
    """The jobs of a sweep in their order, and how far each has come."""
    return [(job, progress_of(folder / job.name)) for job in read_manifest(folder).jobs]


def finished_of(folder: Path, ends: Sequence[tuple[SweptJob, Progress]]) -> list[Found]:
    """The records of the jobs that have finished, with their files."""
    return [(folder / job.name / "record.json", end.record) for job, end in ends if end.record is not None]


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
