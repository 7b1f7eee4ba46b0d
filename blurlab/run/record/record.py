"""The record of a run: one JSON file from which every table is made."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from blurlab.core.version import VERSION
from blurlab.run.record.json_file import write_json
from blurlab.run.setup.build import plain
from blurlab.run.setup.context import Context
from blurlab.run.setup.settings import CONTENTS, overrides

PACKAGES = ("torch", "pytorch-lightning", "hydra-core", "omegaconf", "kornia", "wandb", "albumentations", "numpy")

FINISHED = "finished"
"""Key of the record of a run whose stages are all done, whichever stages it has."""


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
        "git": ", then ".join(dict.fromkeys(one.split()[-1] for one in context.begun.code)),
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "dataset": context.data.facts,
        "blur": cfg["blur"],
        "noise": cfg["noise"],
        "head": cfg["head"],
        "deconvolver": cfg["deconvolver"],
        "boundary": {"data": cfg["boundary"]["data"], "solver": solver},
        "inverse_crime": cfg["boundary"]["data"] == solver,
        "device": device_name(context.device),
        "versions": {"python": platform.python_version(), "blurlab": VERSION, **versions()},
        "overrides": overrides(),
        "config": cfg,
        "contents": {key: digest for key, digest in context.begun.settings.values.items() if key.startswith(CONTENTS)},
        "skipped": [list(pair) for pair in context.data.skipped],
        "published": {},
        "limit": {},
        "metrics": {},
        **context.record,
    }


def write_record(context: Context) -> Path:
    """Write ``<run>/record.json`` with what is known so far."""
    path = context.dir / "record.json"
    write_json(path, make_record(context))
    return path


def versions() -> dict[str, str]:
    """Versions of the packages that figures may depend on."""
    return {name: metadata.version(name) for name in PACKAGES}


def device_name(device: torch.device) -> str:
    """What the run ran on, for instance ``CPU (x86_64, 2 threads)``."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU ({platform.machine()}, {torch.get_num_threads()} threads)"
