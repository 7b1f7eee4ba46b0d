"""The record of a run: one JSON file from which every table is made."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf

from blurlab.run.record.json_file import write_json
from blurlab.run.setup.build import plain
from blurlab.run.setup.context import Context

PACKAGES = ("torch", "pytorch-lightning", "hydra-core", "omegaconf", "kornia", "wandb", "albumentations", "numpy")


WHAT_RUNS = ("blurlab", "conf", "pyproject.toml", "constraints.txt")
"""What of a checkout a figure may depend on: other records do not count."""


def make_record(context: Context) -> dict[str, Any]:
    """The record so far: what was run, on what, and what came out.

    Args:
        context: A run whose stages have put their results into ``context.record``.

    Returns:
        The schema of the design's section Records.
    """
    cfg = plain(context.cfg)
    solver = context.deconvolver.boundary
    return {
        "experiment": cfg["run"]["experiment"],
        "paper": cfg["run"]["paper"],
        "variant": cfg["run"]["variant"],
        "budget": context.budget["name"],
        "seed": context.seed,
        "git": git_revision(),
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "dataset": context.data.facts,
        "blur": cfg["blur"],
        "noise": cfg["noise"],
        "head": cfg["head"],
        "deconvolver": cfg["deconvolver"],
        "boundary": {"data": cfg["boundary"]["data"], "solver": solver},
        "inverse_crime": cfg["boundary"]["data"] == solver,
        "device": device_name(context.device),
        "versions": {"python": platform.python_version(), "blurlab": metadata.version("blurlab"), **versions()},
        "overrides": overrides(),
        "config": OmegaConf.to_container(context.cfg, resolve=False),
        "skipped": [list(pair) for pair in context.data.skipped],
        "published": {},
        "limit": {},
        "metrics": {},
        **context.record,
    }


def overrides() -> list[str]:
    """The words of the command line that made this job, less those about places; none where Hydra did not start it."""
    from hydra.core.hydra_config import HydraConfig

    words = HydraConfig.get().overrides.task if HydraConfig.initialized() else []
    return [word for word in words if not word.startswith(("paths.", "run.resume", "run.progress"))]


def write_record(context: Context) -> Path:
    """Write ``<run>/record.json`` with what is known so far."""
    path = context.dir / "record.json"
    write_json(path, make_record(context))
    return path


def keep_record(context: Context) -> Path:
    """Copy a finished run's record, less what belongs to this machine, to ``experiments/<paper>/results/<budget>/``."""
    run = context.cfg.run
    folder = Path(str(context.cfg.paths.experiments_dir)) / str(run.paper or "own") / "results" / context.budget["name"]
    folder.mkdir(parents=True, exist_ok=True)
    record = make_record(context)
    kept = {key: value for key, value in record.items() if key not in ("examples", "config")}
    kept["config"] = {key: value for key, value in record["config"].items() if key != "paths"}
    kept["config"]["run"] = {**kept["config"]["run"], "resume": None}
    if context.data.facts["requested"] != context.data.facts["name"]:  # another set stands in: named by what was used
        kept["variant"] = context.data.facts["name"]
    path = folder / f"{run.experiment}.{kept['variant']}.json"
    write_json(path, without_places(kept, plain(context.cfg.paths)))
    shutil.copyfile(context.dir / "per_image.csv", path.with_suffix(".csv"))
    return path


def without_places(value: Any, places: dict[str, str]) -> Any:
    """A value of JSON in which what lies under one of the places of a configuration begins with the place's name.

    Of any other file that is named whole, the folder is left out: it means nothing elsewhere.

    Example:
        >>> without_places({"folder": "/mine/sets/levin09", "size": 3}, {"data_dir": "/mine/sets"})
        {'folder': '${paths.data_dir}/levin09', 'size': 3}
        >>> without_places("deconvolver.weights=/mine/runs/7/last.ckpt", {})
        'deconvolver.weights=.../last.ckpt'
    """
    if isinstance(value, dict):
        return {key: without_places(entry, places) for key, entry in value.items()}
    if isinstance(value, list):
        return [without_places(entry, places) for entry in value]
    if isinstance(value, str):
        for name, place in places.items():
            if value.startswith(f"{place}/"):
                return "${paths." + name + "}" + value[len(place) :]
        return re.sub(r"(?<![^=])/\S*/", ".../", value)
    return value


def git_revision() -> str:
    """Short revision of the checkout, with ``+`` where what runs differs from it; ``unknown`` outside one."""
    here = Path(__file__).resolve().parents[3]
    if not (here / ".git").exists():
        return "unknown"
    try:
        revision, changed = (
            subprocess.run(["git", "-C", str(here), *words], capture_output=True, text=True, check=True, timeout=10)
            for words in (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "--", *WHAT_RUNS])
        )
        return revision.stdout.strip() + ("+" if changed.stdout.strip() else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def versions() -> dict[str, str]:
    """Versions of the packages that figures may depend on."""
    return {name: metadata.version(name) for name in PACKAGES}


def device_name(device: torch.device) -> str:
    """What the run ran on, for instance ``CPU (x86_64, 2 threads)``."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU ({platform.machine()}, {torch.get_num_threads()} threads)"
