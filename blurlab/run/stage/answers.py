"""Stage: may the answers be trusted? Test items identified and, where a blur is found, restored as the tool does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from omegaconf import DictConfig
from torch import Tensor

from blurlab.metric import align, isnr
from blurlab.metric.aligned import BORDER_PX
from blurlab.physics import Degraded
from blurlab.pipeline import Pipeline, Scorer
from blurlab.run.errors import UsageError
from blurlab.run.record.answers import answers, outcomes, reliability_table
from blurlab.run.record.lines import line, write_lines
from blurlab.run.record.rows import Item, make_items, named
from blurlab.run.record.scores import scores
from blurlab.run.record.summary import confusion
from blurlab.run.setup.context import Context
from blurlab.run.setup.parts import Parts
from blurlab.run.setup.progress import bar
from blurlab.run.stage.assemble import assemble
from blurlab.run.stage.base import Stage, check_networks, check_restores, once
from blurlab.run.stage.evaluate import PER_IMAGE
from blurlab.run.stage.kernels import BATCH

NAMES_NONE = "stage=answers asks which blur it is; this pipeline names no blur, use stage=default"


class Answers(Stage):
    """Every test photograph, degraded ``draws_restore`` times, identified and restored without being told the noise.

    What the pipeline finds sharp, or cannot tell, is left as it is. Unlike ``stage=default`` no other kernel is tried.
    """

    def check(self, cfg: DictConfig, parts: Parts, before: Sequence[Stage]) -> None:
        """Besides: are there trained networks, a deconvolver that restores, and kinds that are named?"""
        super().check(cfg, parts, before)
        if parts.identifier.scorer is None:
            raise UsageError(NAMES_NONE)
        check_networks(cfg, parts, before)
        check_restores(parts, before)
        if cfg.budget.draws_restore < 1:
            raise UsageError(
                f"budget.draws_restore must be 1 or more for stage=answers, got {cfg.budget.draws_restore}"
            )

    def __call__(self, context: Context) -> None:
        found = once(context, "answers", lambda folder: answer_all(context))
        context.record.update({key: value for key, value in found.items() if key != "seconds"})


def answer_all(context: Context) -> dict[str, Any]:
    """Identify and restore the test items; write ``per_image.csv``.

    Returns:
        Record entries: metrics, limit, reliability, confusion.

    Raises:
        UsageError: If estimates have no label.
    """
    scorer, draws = context.identifier.scorer, context.budget["draws_restore"]
    if scorer is None:
        raise UsageError(NAMES_NONE)
    pipeline, drawn = assemble(context), context.degraded("test", draws)
    items: list[Item] = []
    with bar(context.console, context.progress) as progress, torch.inference_mode():
        task = progress.add_task("identify and restore", total=len(drawn))
        for degraded in drawn.batches(BATCH):
            items += answer(pipeline, scorer, degraded, context.data.test.ids, draws)
            progress.advance(task, len(degraded))
    write_lines(context.dir / PER_IMAGE, [{**line(item), "answered": int(named(item).answered)} for item in items])
    measured, bound, _ = scores(items, scorer, seed=context.seed)
    return {
        "metrics": {**answers(items), **outcomes(items, context.seed), **measured},
        "limit": bound,
        "reliability": reliability_table(items),
        "confusion": {scorer.name: confusion(items, scorer.labels)},
    }


def answer(pipeline: Pipeline, scorer: Scorer, degraded: Degraded, photos: Sequence[str], draws: int) -> list[Item]:
    """The items of a batch with what was named and, of those restored, the ISNR."""
    estimate = pipeline.identify(degraded.y)
    items = make_items(scorer.family, degraded, photos, draws, estimate.label, scorer)
    told = torch.tensor([named(item).answered for item in items], device=degraded.y.device)
    rows = (estimate.blurred.to(told.device) & told).nonzero().squeeze(1)
    if len(rows) == 0:
        return items
    y, x = degraded.y[rows], degraded.x[rows]
    image = pipeline.restore(y, estimate.take(rows), None).clamp(0, 1)
    gains = isnr(y, image, x)
    label = estimate.label
    if label is not None:  # a kernel that is free, not described by parameters, has no place of its own
        free = ~label.most_probable.blurred[rows]
        if bool(free.any()):
            gains[free] = _up_to_a_shift(y[free], image[free], x[free])
    for row, gain in zip(rows.tolist(), gains.tolist(), strict=True):
        items[row].restorations["estimated"] = {"isnr": gain}
    return items


def _up_to_a_shift(y: Tensor, image: Tensor, x: Tensor) -> Tensor:
    """ISNR (B,) of restored images brought onto the sharp ones, borders cut."""
    found = align(image, x)
    return isnr(y[..., BORDER_PX:-BORDER_PX, BORDER_PX:-BORDER_PX], found.x_hat, found.x)
