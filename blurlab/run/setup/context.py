"""Everything that the stages of a run share, built once from the configuration."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, open_dict
from pytorch_lightning.loggers import Logger
from rich.console import Console
from torch import nn

from blurlab.core.atomic import write_text
from blurlab.dataset import Corruption, Degrade
from blurlab.deconvolver import Deconvolver
from blurlab.head import Target
from blurlab.pipeline import Identifier, Task
from blurlab.run.errors import UsageError
from blurlab.run.setup.begun import Begun, begin
from blurlab.run.setup.build import build, plain
from blurlab.run.setup.data import RunData, prepare
from blurlab.run.setup.naming import run_name


@dataclass
class Context:
    """What a stage may use. ``record`` is what the stages found so far, by record key.

    Attributes:
        cfg: The composed configuration.
        dir: The run directory.
        seed: The run's seed.
        budget: Plain values of the budget.
        data: Prepared photographs and facts about them.
        degrade: Blur, boundary and noise.
        condition: How training items are degraded instead.
        identifier: The tasks and how their answers become a kernel.
        deconvolver: From (y, psf, sigma) to an image.
        logger: Where figures are logged.
        console: Where the run talks to its user.
        device: Where tensors live.
        begun: What the run directory was begun with: the run's id, settings and code.
        record: Collected results.
    """

    cfg: DictConfig
    dir: Path
    seed: int
    budget: dict[str, Any]
    data: RunData
    degrade: Degrade
    condition: Corruption
    identifier: Identifier
    deconvolver: Deconvolver
    logger: Logger
    console: Console
    device: torch.device
    begun: Begun
    record: dict[str, Any]

    @property
    def progress(self) -> bool:
        """Show progress bars?"""
        return bool(self.cfg.run.progress)

    def head(self, target: Target) -> nn.Module:
        """A fresh head for a task."""
        return build(self.cfg.head, num_classes=len(target), in_channels=self.data.channels)

    def degrade_for(self, task: Task) -> Degrade:
        """The degradation among whose blurs the task is asked."""
        degrade = Degrade(task.family, self.degrade.noise, self.degrade.boundary)
        if degrade.margin != self.degrade.margin:
            raise UsageError(f"the kernels of {task.name} are {task.family.size} wide, not {self.degrade.family.size}")
        return degrade


def make_context(cfg: DictConfig, run_dir: Path, console: Console) -> Context:
    """Build every part of a run.

    Args:
        cfg: A checked configuration.
        run_dir: Directory of the run; exists.
        console: Where to talk to the user.

    Returns:
        The context; photographs are read and prepared.

    Raises:
        UsageError: If a part refuses its options, a set is missing, or the directory is that of a run with other
            settings or photographs.
    """
    ours = begin(cfg, run_dir, console)
    identifier = build(cfg.pipeline, build(cfg.blur))
    family = identifier.family
    degrade = Degrade(family, build(cfg.noise), str(cfg.boundary.data))
    deconvolver = build(cfg.deconvolver)
    data = prepare(cfg, degrade.margin, console)
    same_data(run_dir, data.facts)
    name = run_name(plain(cfg.run))
    with open_dict(cfg):
        facts = {"data_used": data.facts["name"], **_flat(plain(cfg))}
    logger = build(cfg.logger)(run_dir, name, facts)
    device = torch.device("cuda" if torch.cuda.is_available() and cfg.trainer.accelerator != "cpu" else "cpu")
    return Context(
        cfg,
        run_dir,
        int(cfg.run.seed),
        plain(cfg.budget),
        data,
        degrade,
        build(cfg.augment),
        identifier,
        deconvolver,
        logger,
        console,
        device,
        ours,
        {},
    )


def same_data(run_dir: Path, facts: dict[str, Any]) -> None:
    """Keep what the run was started on, and refuse to go on with other photographs.

    Raises:
        UsageError: If ``<run>/data.json`` names another set, other contents or another split, or cannot be read.
    """
    path = run_dir / "data.json"
    if not path.is_file():
        if any(run_dir.glob("stages/*/finished.json")):
            raise UsageError(f"{path} is missing: nothing says of which photographs the stages are; put it back")
        write_text(path, json.dumps(facts, indent=1) + "\n")
        return
    try:
        before = dict(json.loads(path.read_text(encoding="utf-8")))
        name = before["name"]
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{path} is damaged; put it back, or start a new run") from error
    changed = [key for key in before if key in facts and before[key] != facts[key]]
    if changed:
        raise UsageError(
            f"{run_dir} was begun on {name}, now {facts['name']} was found (other {', '.join(changed)}); "
            "start a new run for other photographs, or put the old ones back"
        )


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}/")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
