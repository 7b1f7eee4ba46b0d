"""What a run and its record are called: experiment, variant, the set that stood in, and the seed where it is not 0."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def run_name(run: Mapping[str, Any], stand_in: str = "") -> str:
    """Name of a run.

    Args:
        run: The configuration's node ``run``, resolved.
        stand_in: The set of photographs that was used in place of the one that was asked for.

    Example:
        >>> run_name({"experiment": "messidor_binary", "variant": "messidor.taps3", "seed": 0})
        'messidor_binary.messidor.taps3'
        >>> run_name({"experiment": "messidor_binary", "variant": "messidor.taps3", "seed": 2}, "fundus_synthetic")
        'messidor_binary.messidor.taps3.fundus_synthetic.seed2'
    """
    seed = f"seed{run['seed']}" if run["seed"] else ""
    return ".".join(filter(None, (str(run["experiment"]), str(run["variant"]), stand_in, seed)))


def record_path(cfg: Mapping[str, Any], stand_in: str = "") -> Path:
    """The file that the record of a run is kept in, ``experiments/<paper>/results/<budget>/<name>.json``.

    Args:
        cfg: The whole configuration, resolved.
        stand_in: As in :func:`run_name`.
    """
    run = cfg["run"]
    folder = Path(
        str(cfg["paths"]["experiments_dir"]), str(run["paper"] or "own"), "results", str(cfg["budget"]["name"])
    )
    return folder / f"{run_name(run, stand_in)}.json"
