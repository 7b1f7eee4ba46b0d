"""Stage: what the pipeline learns once its networks are trained, from degraded photographs, without gradient steps."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from blurlab.core.checks import is_flat
from blurlab.dataset import AugmentedItems, Degrade, FixedItems, degrade_batch
from blurlab.pipeline import Example, FittedPart, Identifier
from blurlab.run.errors import UsageError
from blurlab.run.setup.context import Context
from blurlab.run.setup.progress import track
from blurlab.run.stage.base import Stage, once
from blurlab.run.stage.pretrain import save_weights
from blurlab.run.stage.train import trained_nets

STATE = "learned.safetensors"
BATCH = 32


class FitParts(Stage):
    """Each part of the pipeline in its order; its state is kept by name."""

    def __call__(self, context: Context) -> None:
        fitted_parts = context.identifier.fitted_parts
        nets = dict(trained_nets(context)) if fitted_parts else {}
        for part in fitted_parts:
            once(context, f"learn_{part.name}", lambda folder, one=part: learn(context, one, nets, folder))
            nets[part.name] = load_part(part, context.dir).to(context.device)


def learn(context: Context, part: FittedPart, nets: dict[str, nn.Module], folder: Path) -> dict[str, Any]:
    """Learn one part and keep its state.

    Returns:
        Number of images that it learned from.
    """
    count = _count(context, part)
    with torch.no_grad():
        module = part.learn(examples(context, part, count), nets)
    save_weights(module, folder / STATE)
    return {"images": count}


def examples(context: Context, part: FittedPart, count: int) -> Iterator[Example]:
    """Batches of ``count`` degraded photographs: augmented training ones, or fixed validation ones."""
    degrade = Degrade(part.family, context.degrade.noise, context.degrade.boundary)
    data, training = context.data, part.split == "train"
    items: AugmentedItems | FixedItems
    if training:
        items = AugmentedItems(data.train, data.size, seed=context.seed, stage=part.name, scale=data.scale)
    else:
        draws = context.budget["draws_val"]
        items = FixedItems(data.val, draws, seed=context.seed, split=f"learn/{part.name}", size=data.size)
    starts = list(range(0, count, BATCH))
    for start in track(starts, f"learning {part.name}", context.console, context.progress):
        some = [items[place] for place in range(start, min(start + BATCH, count))]
        images, seeds, places = zip(*some, strict=True)
        batch = [torch.stack(images).to(context.device), torch.tensor(seeds), torch.tensor(places)]
        varied = partial(context.condition, degrade) if training else degrade
        done = degrade_batch(varied, batch, training=training)
        told = ~is_flat(done.y)  # a constant patch teaches nothing
        yield Example(done.y[told], done.kind.to(told.device)[told], done.params.to(told.device)[told])


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
    return {name: net.to(context.device) for name, net in learned(context.identifier, context.dir).items()}


def learned(identifier: Identifier, run_dir: Path) -> dict[str, nn.Module]:
    """What every part left, by name."""
    return {part.name: load_part(part, run_dir) for part in identifier.fitted_parts}
