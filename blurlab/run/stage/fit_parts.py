"""Stage: what the pipeline learns once its networks are trained, from degraded photographs, without gradient steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from torch import nn

from blurlab.core.checks import is_flat
from blurlab.core.weights import save_weights
from blurlab.physics import Degraded
from blurlab.pipeline import FittedPart, Identifier
from blurlab.run.errors import UsageError
from blurlab.run.setup.context import Context
from blurlab.run.setup.parts import Parts
from blurlab.run.setup.progress import track
from blurlab.run.stage.base import Stage, check_networks, check_photographs, once
from blurlab.run.stage.train import trained_nets

STATE = "learned.safetensors"
BATCH = 32


class FitParts(Stage):
    """Each part of the pipeline in its order; its state is kept by name."""

    def check(self, cfg: DictConfig, parts: Parts, before: Sequence[Stage]) -> None:
        """Besides: are there trained networks and photographs to learn the parts from?"""
        super().check(cfg, parts, before)
        if parts.identifier.fitted_parts:
            check_networks(cfg, parts, before)
            check_photographs(cfg)

    def __call__(self, context: Context) -> None:
        fitted_parts = context.identifier.fitted_parts
        nets = trained_nets(context) if fitted_parts else {}
        for part in fitted_parts:
            once(context, f"learn_{part.name}", lambda folder, one=part: learn(context, one, nets, folder))
            nets[part.name] = learned_net(context, part)


def learn(context: Context, part: FittedPart, nets: dict[str, nn.Module], folder: Path) -> dict[str, Any]:
    """Learn one part and keep its state.

    Returns:
        Number of images that it learned from.
    """
    count = _count(context, part)
    with torch.no_grad():
        module = part.learn(degraded(context, part, count), nets)
    save_weights(module, folder / STATE)
    context.nets[part.name] = module.eval().to(context.device)
    return {"images": count}


def degraded(context: Context, part: FittedPart, count: int) -> Iterator[Degraded]:
    """Batches of ``count`` degraded photographs: augmented training ones, or fixed validation ones."""
    degrade = context.degrade.with_family(part.family)
    if part.split == "train":
        items = context.augmented(part.name, degrade)
    else:
        draws = context.budget["draws_val"]
        items = context.degraded("val", draws, stream=f"learn/{part.name}", degrade=degrade)
    starts = list(range(0, count, BATCH))
    for start in track(starts, f"learning {part.name}", context.console, context.progress):
        done = items.batch(range(start, min(start + BATCH, count)))
        yield done.take((~is_flat(done.y)).nonzero().squeeze(1))  # a constant patch teaches nothing


def _count(context: Context, part: FittedPart) -> int:
    """Images to learn from."""
    if part.split == "train":
        return int(context.budget["patterns"])
    return len(context.data.val) * int(context.budget["draws_val"])


def load_part(part: FittedPart, run_dir: Path) -> nn.Module:
    """What a part left in a run's directory.

    Raises:
        FileNotFoundError: If the run did not get so far.
        UsageError: If the file is damaged.
    """
    from safetensors.torch import load_file

    path = run_dir / "stages" / f"learn_{part.name}" / STATE
    if not path.is_file():
        raise FileNotFoundError(2, "no such file", str(path))
    try:
        return part.restore(load_file(path)).eval()
    except Exception as error:  # safetensors has errors of its own
        raise UsageError(f"{path} cannot be read; remove its folder and resume the run") from error


def learned_nets(context: Context) -> dict[str, nn.Module]:
    """What every part of a run left, on the run's device."""
    return {part.name: learned_net(context, part) for part in context.identifier.fitted_parts}


def learned_net(context: Context, part: FittedPart) -> nn.Module:
    """What one part left, on the run's device; read from its file where this process has not learned it."""
    if part.name not in context.nets:
        context.nets[part.name] = load_part(part, context.dir).to(context.device)
    return context.nets[part.name]


def learned(identifier: Identifier, run_dir: Path) -> dict[str, nn.Module]:
    """What every part left, by name."""
    return {part.name: load_part(part, run_dir) for part in identifier.fitted_parts}
