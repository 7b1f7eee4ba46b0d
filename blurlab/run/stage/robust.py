"""Stage: the identifier on test items that are degraded otherwise than it was trained for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from omegaconf import DictConfig

from blurlab.dataset import Corruption
from blurlab.pipeline import Pipeline, Scorer
from blurlab.run.errors import UsageError
from blurlab.run.record.lines import Line, line, write_lines
from blurlab.run.record.rows import Item, make_items
from blurlab.run.record.scores import scores
from blurlab.run.setup.context import Context
from blurlab.run.setup.parts import Parts
from blurlab.run.setup.progress import track
from blurlab.run.stage.assemble import assemble
from blurlab.run.stage.base import Stage, check_networks, once
from blurlab.run.stage.evaluate import BATCH

PER_ITEM = "robustness.csv"


class Robustness(Stage):
    """Every test photograph, degraded ``draws_robust`` times under each condition and identified; nothing is restored.

    The items are the first draws of the evaluation's, so the same blurs are met under every condition.

    Args:
        conditions: What to try, in the order of the table.

    Raises:
        ValueError: If there is none, or two have one name.
    """

    def __init__(self, conditions: Sequence[Corruption]) -> None:
        names = [condition.name for condition in conditions]
        if not names or len({*names}) < len(names):
            raise ValueError(f"conditions must be one or more with a name each, got {', '.join(names) or 'none'}")
        self.conditions = tuple(conditions)

    def check(self, cfg: DictConfig, parts: Parts, before: Sequence[Stage]) -> None:
        """Besides: are there trained networks, and does the pipeline name blurs?"""
        super().check(cfg, parts, before)
        check_networks(cfg, parts, before)
        if parts.identifier.scorer is None:
            raise UsageError("stage=robust compares what is named; this pipeline names no blur, use stage=default")

    def __call__(self, context: Context) -> None:
        found = once(context, "robustness", lambda folder: try_conditions(context, self.conditions))
        context.record["robustness"] = found["conditions"]


def try_conditions(context: Context, conditions: Sequence[Corruption]) -> dict[str, Any]:
    """Try every condition and write ``robustness.csv``, a row an item.

    Returns:
        ``{"conditions": [{"condition", "left_out", "metrics"} or {"condition", "error"}]}``.

    Raises:
        UsageError: If estimates have no label.
    """
    scorer = context.identifier.scorer
    if scorer is None:
        raise UsageError("stage=robust compares what is named; this pipeline names no blur, use stage=default")
    pipeline = assemble(context)
    entries: list[dict[str, Any]] = []
    every: list[Line] = []
    with torch.inference_mode():
        for condition in track(conditions, "other conditions", context.console, context.progress):
            try:
                items, left_out = try_one(context, pipeline, scorer, condition)
            except CannotTake as error:
                entries.append({"condition": condition.name, "error": str(error)})
                continue
            metrics, *_ = scores(items, scorer, seed=context.seed)
            entries.append({"condition": condition.name, "left_out": left_out, "metrics": metrics})
            every += [{"condition": condition.name, **line(item)} for item in items]
    write_lines(context.dir / PER_ITEM, every)
    return {"conditions": entries}


class CannotTake(ValueError):
    """An identifier refuses the images of a condition; the message is its own."""


def try_one(context: Context, pipeline: Pipeline, scorer: Scorer, condition: Corruption) -> tuple[list[Item], int]:
    """The items of one condition, and how many it leaves out.

    Raises:
        CannotTake: If the identifier refuses such images.
    """
    draws = context.budget["draws_robust"]
    photos, family = context.data.test.ids, context.identifier.family
    drawn = context.degraded("test", draws, degrade=partial(condition, context.degrade))
    items: list[Item] = []
    for degraded in drawn.batches(BATCH):
        if len(degraded) == 0:
            continue
        try:
            label = pipeline.identify(degraded.y).label
        except ValueError as error:
            raise CannotTake(" ".join(str(error).split())) from error
        items += make_items(family, degraded, photos, draws, label, scorer)
    return items, len(drawn) - len(items)
