"""Stage: the identifier on test items that are degraded otherwise than it was trained for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch.utils.data import DataLoader

from blurlab.dataset import Corruption, FixedItems, degrade_batch
from blurlab.pipeline import Pipeline
from blurlab.run.record.summary import identifications
from blurlab.run.setup.context import Context
from blurlab.run.setup.progress import track
from blurlab.run.stage.assemble import assemble
from blurlab.run.stage.base import Stage, once
from blurlab.run.stage.evaluate import BATCH, Row, identified, write_rows

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

    def __call__(self, context: Context) -> None:
        found = once(context, "robustness", lambda folder: try_conditions(context, self.conditions))
        context.record["robustness"] = found["conditions"]


def try_conditions(context: Context, conditions: Sequence[Corruption]) -> dict[str, Any]:
    """Try every condition and write ``robustness.csv``, a row an item.

    Returns:
        ``{"conditions": [{"condition", "left_out", "metrics"} or {"condition", "error"}]}``.
    """
    pipeline = assemble(context)
    entries: list[dict[str, Any]] = []
    every: list[Row] = []
    with torch.inference_mode():
        for condition in track(conditions, "other conditions", context.console, context.progress):
            try:
                rows, left_out = try_one(context, pipeline, condition)
            except CannotTake as error:
                entries.append({"condition": condition.name, "error": str(error)})
                continue
            metrics, *_ = identifications(rows, context.identifier, seed=context.seed)
            entries.append({"condition": condition.name, "left_out": left_out, "metrics": metrics})
            every += [{"condition": condition.name, **row} for row in rows]
    write_rows(context.dir / PER_ITEM, every)
    return {"conditions": entries}


class CannotTake(ValueError):
    """An identifier refuses the images of a condition; the message is its own."""


def try_one(context: Context, pipeline: Pipeline, condition: Corruption) -> tuple[list[Row], int]:
    """The rows of one condition, and how many items it leaves out.

    Raises:
        CannotTake: If the identifier refuses such images.
    """
    draws = context.budget["draws_robust"]
    items = FixedItems(context.data.test, draws, seed=context.seed, split="test", size=context.data.size)
    rows: list[Row] = []
    for batch in DataLoader(items, batch_size=BATCH):
        batch[0] = batch[0].to(context.device)
        degraded = degrade_batch(partial(condition, context.degrade), batch, training=False)
        if len(degraded) == 0:
            continue
        try:
            found = pipeline.identify(degraded.y)
        except ValueError as error:
            raise CannotTake(" ".join(str(error).split())) from error
        rows += identified(context, degraded, found, draws)
    return rows, len(items) - len(rows)
