"""Where the words of a command line let a run write, tried before the run."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from blurlab.run.command.ranges import name
from blurlab.run.errors import UsageError

LEAST_SPACE = 1 << 20
"""Bytes that must be free where a run writes: less would not even hold what Hydra writes at its start."""


def hydra_places(hydra_words: Sequence[str]) -> dict[str, str]:
    """Folders for runs that words of Hydra's own name, by key.

    Raises:
        UsageError: If one is empty: files would be strewn over the folder one stands in. Or if Hydra's own files would
            be written elsewhere than in the run's folder.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser

    places = {}
    for word, parsed in zip(hydra_words, OverridesParser.create().parse_overrides(list(hydra_words)), strict=True):
        if parsed.key_or_group in ("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir"):
            place = parsed.value()
            if place is None or not str(place).strip():
                raise UsageError(f"{parsed.key_or_group} names no folder; leave it out, or name one")
            places[parsed.key_or_group] = str(place)
        if parsed.key_or_group == "hydra.output_subdir" and name(str(parsed.value()).removeprefix(".")):
            raise UsageError(f"{word} is no folder's name; Hydra's own files lie in the run's folder, so leave it out")
    return places


def check_places(cfg: Any, hydra_words: Sequence[str], writable: set[str]) -> None:
    """Raise unless a run can write where it will; places are added to those known to be writable."""
    places = {
        "paths.runs_dir=<folder>, or BLURLAB_RUNS": cfg.paths.runs_dir,
        "paths.cache_dir=<folder>, or BLURLAB_CACHE": cfg.paths.cache_dir,
    }
    places |= {"paths.experiments_dir=<folder>": cfg.paths.experiments_dir} if cfg.run.keep else {}
    places |= {f"another {key}": place for key, place in hydra_places(hydra_words).items() if "subdir" not in key}
    for remedy, place in places.items():
        if "${" not in str(place) and str(place) not in writable:
            check_writable(Path(str(place)), remedy)
            writable.add(str(place))


def check_writable(folder: Path, remedy: str) -> None:
    """Raise unless files can be written to a folder, or to the nearest one above it that is there.

    Args:
        folder: Need not be there yet; it is not made.
        remedy: What the error says to set.

    Raises:
        UsageError: With the reason.
    """
    existing = folder.absolute()
    while not os.path.lexists(existing):  # a link to nothing, or to itself, cannot be written to
        existing = existing.parent
    try:
        with tempfile.TemporaryDirectory(dir=existing) as probe:  # surer than reading permissions
            Path(probe, "probe").write_bytes(bytes(LEAST_SPACE))
    except OSError as error:
        why = f"{existing} cannot be written to ({error.strerror})"
        raise UsageError(f"cannot write to {folder}: {why}; set {remedy}") from error
