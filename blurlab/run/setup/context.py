"""Everything that the stages of a run share, built once from the configuration."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig, open_dict
from rich.console import Console
from torch import nn

from blurlab.core.atomic import write_text
from blurlab.dataset import AugmentedItems, Corruption, Degrade, Degraded, FixedItems
from blurlab.deconvolver import Deconvolver
from blurlab.head import Target
from blurlab.pipeline import Identifier, RiskTable, Task
from blurlab.run.errors import UsageError
from blurlab.run.setup.begun import Begun, begin
from blurlab.run.setup.build import build, plain
from blurlab.run.setup.data import RunData, prepare
from blurlab.run.setup.items import DegradedItems
from blurlab.run.setup.logger import RunLogger
from blurlab.run.setup.naming import run_name
from blurlab.run.setup.parts import Parts
from blurlab.run.setup.processes import torch_device


@dataclass
class Context:
    """What a stage may use, and what stages hand on to those after them.

    Attributes:
        cfg: The composed configuration.
        dir: The run directory.
        seed: The run's seed.
        budget: Plain values of the budget.
        parts: What the configuration names.
        data: Prepared photographs and facts about them.
        logger: Where figures are logged.
        console: Where the run talks to its user.
        device: Where tensors live.
        begun: What the run directory was begun with: the run's id, settings and code.
        record: What the stages found so far, by record key.
        nets: Trained networks and fitted parts by name, as far as this process has made or read them.
        risks: Risk tables by task, likewise.
        pictures: Pictures (H, W, C) in [0, 1] that this process wrote, by their path in the run directory.
    """

    cfg: DictConfig
    dir: Path
    seed: int
    budget: dict[str, Any]
    parts: Parts
    data: RunData
    logger: RunLogger
    console: Console
    device: torch.device
    begun: Begun
    record: dict[str, Any] = field(default_factory=dict)
    nets: dict[str, nn.Module] = field(default_factory=dict)
    risks: dict[str, RiskTable] = field(default_factory=dict)
    pictures: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def identifier(self) -> Identifier:
        """The tasks, and how their answers become a kernel."""
        return self.parts.identifier

    @property
    def degrade(self) -> Degrade:
        """Blur, boundary and noise."""
        return self.parts.degrade

    @property
    def condition(self) -> Corruption:
        """How training items are degraded instead."""
        return self.parts.condition

    @property
    def deconvolver(self) -> Deconvolver:
        """From (y, psf, sigma) to an image."""
        return self.parts.deconvolver

    @property
    def progress(self) -> bool:
        """Show progress bars?"""
        return bool(self.cfg.run.progress)

    def head(self, target: Target) -> nn.Module:
        """A fresh head for a task."""
        return build(self.cfg.head, num_classes=len(target), in_channels=self.data.channels)

    def degraded(
        self, split: str, draws: int, *, stream: str | None = None, degrade: Callable[..., Degraded] | None = None
    ) -> DegradedItems:
        """Every photograph of a split, degraded ``draws`` times.

        Args:
            split: ``val`` or ``test``.
            draws: Items a photograph; item i is photograph ``i // draws``.
            stream: Name that the items' randomness is made from; the split's if None.
            degrade: What happens to them; the run's own degradation if None.
        """
        photos = {"val": self.data.val, "test": self.data.test}[split]
        items = FixedItems(photos, draws, seed=self.seed, split=stream or split, size=self.data.size)
        return DegradedItems(items, degrade or self.degrade, self.device)

    def augmented(self, stream: str, degrade: Degrade) -> DegradedItems:
        """Training photographs as a training sees them: augmented, without end, degraded as ``augment=`` says.

        Args:
            stream: Name that the items' randomness is made from.
            degrade: Blur, boundary and noise.
        """
        data = self.data
        items = AugmentedItems(data.train, data.size, seed=self.seed, stage=stream, scale=data.scale)
        return DegradedItems(items, partial(self.condition, degrade), self.device, training=True)

    def degrade_for(self, task: Task) -> Degrade:
        """The run's degradation with the blurs of a task."""
        degrade = self.degrade.with_family(task.family)
        if degrade.margin != self.degrade.margin:
            raise UsageError(f"the kernels of {task.name} are {task.family.size} wide, not {self.degrade.family.size}")
        return degrade


def make_context(cfg: DictConfig, parts: Parts, run_dir: Path, console: Console) -> Context:
    """Prepare the photographs of a run and start its logger.

    Args:
        cfg: A checked configuration.
        parts: What it names.
        run_dir: Directory of the run; exists.
        console: Where to talk to the user.

    Returns:
        The context.

    Raises:
        UsageError: If a set of photographs is missing, or the directory is that of a run with other settings or
            photographs.
    """
    ours = begin(cfg, run_dir, console)
    data = prepare(cfg, parts.sources, parts.degrade.margin, console)
    same_data(run_dir, data.facts)
    name = run_name(plain(cfg.run))
    with open_dict(cfg):
        facts = {"data_used": data.facts["name"], **_flat(plain(cfg))}
    return Context(
        cfg=cfg,
        dir=run_dir,
        seed=int(cfg.run.seed),
        budget=plain(cfg.budget),
        parts=parts,
        data=data,
        logger=parts.logger(run_dir, name, facts),
        console=console,
        device=torch_device(str(cfg.trainer.accelerator)),
        begun=ours,
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
