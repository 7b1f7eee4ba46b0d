"""Stage: the whole pipeline on photographs never seen: identify, restore, and restore with the wrong kernel as well."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from torch import Tensor

from blurlab.blur import BlurFamily
from blurlab.physics import Convolution, Degraded
from blurlab.pipeline import Pipeline, Scorer
from blurlab.run.record.bounds import BOUNDS, bounds
from blurlab.run.record.lines import line, write_lines
from blurlab.run.record.rows import Item, make_items
from blurlab.run.record.summary import evaluation
from blurlab.run.setup.context import Context
from blurlab.run.setup.parts import Parts
from blurlab.run.setup.progress import bar
from blurlab.run.stage.assemble import assemble
from blurlab.run.stage.base import Stage, check_networks, check_restores, once
from blurlab.run.stage.examples import Gallery
from blurlab.run.stage.kernels import BATCH, mean_kernel, restore_items, used_kernels
from blurlab.run.stage.latency import classify_ms, identify_ms, restore_ms

PER_IMAGE = "per_image.csv"


class Evaluate(Stage):
    """Every test photograph, degraded ``draws_test`` times; ``draws_restore`` of them restored with several kernels."""

    def check(self, cfg: DictConfig, parts: Parts, before: Sequence[Stage]) -> None:
        """Besides: are there trained networks, and a deconvolver that restores?"""
        super().check(cfg, parts, before)
        check_networks(cfg, parts, before)
        check_restores(parts, before)

    def __call__(self, context: Context) -> None:
        found = once(context, "evaluate", lambda folder: evaluate(context, folder))
        context.record.update({key: value for key, value in found.items() if key != "seconds"})


def evaluate(context: Context, folder: Path) -> dict[str, Any]:
    """Measure the pipeline and write ``per_image.csv`` and the example pictures.

    Returns:
        Record entries: those of :func:`~blurlab.run.record.summary.evaluation`, and examples.
    """
    pipeline = assemble(context)
    scorer, draws = context.identifier.scorer, context.budget["draws_test"]
    constant = mean_kernel(context.identifier.family, context.seed) if scorer is None else None
    drawn, gallery = context.degraded("test", draws), Gallery(context, draws)
    items: list[Item] = []
    with bar(context.console, context.progress) as progress, torch.inference_mode():
        task = progress.add_task("identify and restore", total=len(drawn))
        for degraded in drawn.batches(BATCH):
            items += measure(context, pipeline, degraded, drawn.sharp(degraded.item), constant, gallery)
            progress.advance(task, len(degraded))
        times = {
            "classify_ms": classify_ms(context, pipeline),
            "identify_ms": identify_ms(context, pipeline),
            "restore_ms": restore_ms(context, pipeline),
        }
    write_lines(context.dir / PER_IMAGE, [line(item) for item in items])
    return {**evaluation(items, scorer, times, seed=context.seed), "examples": gallery.finish()}


def measure(
    context: Context, pipeline: Pipeline, degraded: Degraded, sharp: Tensor, constant: Tensor | None, gallery: Gallery
) -> list[Item]:
    """Identify the items of a batch, restore those whose turn it is, and measure both.

    Args:
        context: The run.
        pipeline: What identifies.
        degraded: The items.
        sharp: Their sharp images with the margins that the blur takes away (B, C, H, W).
        constant: The kernel (1, 1, k, k) that stands beside estimates without a label; None beside labelled ones.
        gallery: Shown the restored items.
    """
    estimate, scorer, budget = pipeline.identify(degraded.y), context.identifier.scorer, context.budget
    family, photos = context.identifier.family, context.data.test.ids
    items = make_items(family, degraded, photos, budget["draws_test"], estimate.label, scorer)
    if scorer is not None:
        best = best_observer(scorer, sharp, degraded, context.degrade.boundary).tolist()
        for item, known in zip(items, best, strict=True):
            item.best_observer = known
    blurred = family.changes(degraded.params, degraded.kind)
    wanted = [i for i, item in enumerate(items) if item.draw < budget["draws_restore"] and bool(blurred[i])]
    if wanted:
        index = torch.tensor(wanted, device=degraded.y.device)
        truth = degraded.take(index)
        restored = [items[i] for i in wanted]
        images = restore_items(pipeline, truth, used_kernels(truth, index, estimate, scorer, constant), restored)
        gallery.offer(truth, restored, estimate, wanted, images)
        if scorer is not None:
            add_bounds(family, truth, restored)
    return items


def add_bounds(family: BlurFamily, truth: Degraded, items: list[Item]) -> None:
    """The limits of what can be named of restored items."""
    bound = bounds(family, truth.x, truth.params, truth.kind, truth.sigma)
    for row, item in enumerate(items):
        item.bounds = {known: dict(zip(family.names, bound[known][row].tolist(), strict=True)) for known in BOUNDS}
        item.ceiling = float(bound["ceiling"][row])


def best_observer(scorer: Scorer, sharp: Tensor, degraded: Degraded, boundary: str) -> Tensor:
    """How often an observer who knows the sharp photograph tells an item from its nearest rival class (B,).

    Phi(d / 2 sigma) with d the distance between the two noiseless images: the likelihood-ratio test of two known images
    in Gaussian noise. Averaged over all items, the rivals' own included, it is above what can be had from y alone.
    1 where an item is its only rival.
    """
    nearest = torch.full((len(degraded),), torch.inf, device=sharp.device)
    for rival in scorer.rivals().to(sharp):
        difference = Convolution(degraded.psf - rival, boundary).A(sharp)
        distance = difference.flatten(1).norm(dim=1)
        itself = (degraded.psf - rival).abs().flatten(1).amax(1) < 1e-6
        nearest = torch.where(itself, nearest, torch.minimum(nearest, distance))
    return torch.special.ndtr(nearest / (2 * degraded.sigma.clamp_min(1e-6)))
