"""Stage: every test item restored with its true kernel and, where the pipeline names one, with the estimated kernel."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from torch import Tensor

from blurlab.core.atomic import write_text
from blurlab.core.image_io import write_image
from blurlab.physics import Degraded
from blurlab.pipeline import BlurEstimate, KnownKernel, Pipeline
from blurlab.run.errors import UsageError
from blurlab.run.record.blind import blind_figures, blind_summary, kernel_side
from blurlab.run.record.lines import write_lines
from blurlab.run.record.restored import RestoredItem, figures, reference, restoration
from blurlab.run.record.rows import NamedBlur
from blurlab.run.setup.context import Context
from blurlab.run.setup.parts import Parts
from blurlab.run.setup.progress import track
from blurlab.run.setup.saved import load_json
from blurlab.run.stage.assemble import assemble
from blurlab.run.stage.base import NETWORKS, Stage, check_restores, check_run, once
from blurlab.run.stage.cases import Cases, cases
from blurlab.run.stage.evaluate import PER_IMAGE
from blurlab.run.stage.examples import in_words
from blurlab.run.stage.load import load_run

PICTURES = 6
PICTURE_PX = 128
DONE = "items.jsonl"


class Restore(Stage):
    """Restores one item at a time and writes a line of ``per_image.csv`` for each; resumed, it goes on with the next.

    Where the pipeline identifies, each figure is there twice, ``_oracle`` with the true kernel and ``_estimated``.

    Args:
        run: Directory of a finished run whose networks identify; None where the pipeline has none of its own, or this
            run trains them.
    """

    identifies = False

    def __init__(self, run: str | None = None) -> None:
        self.run = run

    def check(self, cfg: DictConfig, parts: Parts, before: Sequence[Stage]) -> None:
        """Are there networks where the pipeline has some, and a deconvolver that restores?"""
        super().check(cfg, parts, before)
        check_restores(parts, before)
        check_run(self.run)
        trained = cfg.run.resume is not None or any(stage.trains == NETWORKS for stage in before)
        if parts.identifier.tasks and self.run is None and not trained:
            raise UsageError(
                "this pipeline has networks and stage=restore trains none; name a finished run by stage.restore.run=, "
                "or use pipeline=likelihood or pipeline=known"
            )
        if cfg.budget.draws_restore < 1:
            raise UsageError(
                f"budget.draws_restore must be 1 or more for stage=restore, got {cfg.budget.draws_restore}"
            )

    def __call__(self, context: Context) -> None:
        found = once(context, "restore", lambda folder: restore_all(context, folder, self.run))
        context.record.update({key: value for key, value in found.items() if key != "seconds"})


def restore_all(context: Context, folder: Path, run: str | None = None) -> dict[str, Any]:
    """Restore every item that is blurred; write ``per_image.csv`` and a few pictures.

    Returns:
        Record entries: metrics, limit, examples.
    """
    items, pipeline = cases(context), identifying(context, run)
    done = folder / DONE
    kept = so_far(done)
    left = range(len(kept), len(items))
    with done.open("a") as lines, torch.inference_mode():
        for index in track(left, f"restore {len(items)} items", context.console, context.progress):
            show = sum(one.example is not None for one in kept) <= PICTURES * index // len(items)
            one = restore_one(context, items, index, pipeline, show)
            lines.write(json.dumps(asdict(one)) + "\n")
            lines.flush()
            kept.append(one)
    restored = [one.item for one in kept if one.item is not None]
    if not restored:
        raise UsageError("every test item was left sharp; raise budget.draws_restore, or choose another blur")
    write_lines(context.dir / PER_IMAGE, [item.line() for item in restored])
    examples = [one.example for one in kept if one.example is not None]
    found = restoration(restored, context.seed)
    found["metrics"] |= blind_summary(restored, context.seed)
    return {**found, "examples": examples}


@dataclass(frozen=True)
class Done:
    """What is kept of an item: its figures, None where it was left sharp, and its entry among the examples."""

    item: RestoredItem | None
    example: dict[str, Any] | None


def so_far(done: Path) -> list[Done]:
    """What a run stopped before left in a file, which then holds this alone."""
    items: list[Done] = []
    for text in done.read_text(errors="replace").splitlines() if done.is_file() else []:
        try:
            one = json.loads(text)
            items.append(Done(None if one["item"] is None else RestoredItem.from_json(one["item"]), one["example"]))
        except (ValueError, TypeError, KeyError):  # the line that a kill left unfinished
            break
    write_text(done, "".join(json.dumps(asdict(one)) + "\n" for one in items))
    return items


def identifying(context: Context, run: str | None) -> Pipeline | None:
    """The pipeline that estimates the kernels; None where they are known.

    Raises:
        UsageError: If the run named is not finished, or is of other blurs, channels or photographs.
    """
    if run is None:
        return None if isinstance(context.identifier, KnownKernel) else assemble(context)
    trained, family = load_run(Path(run)), context.degrade.family
    theirs = trained.pipeline.identifier.family
    wrong = [
        what
        for what, same in {
            f"pipeline ({type(trained.pipeline.identifier).__name__})": type(trained.pipeline.identifier)
            is type(context.identifier),
            f"blurs ({', '.join(theirs.kinds)})": (theirs.kinds, theirs.bounds) == (family.kinds, family.bounds),
            f"channel ({trained.channel})": trained.channel == context.cfg.dataset.channel,
            f"size ({trained.size})": trained.size in (0, int(context.cfg.dataset.size)),
            "photographs": _same_photographs(Path(run), context),
        }.items()
        if not same
    ]
    if wrong:
        raise UsageError(f"the run {run} is of other {' and '.join(wrong)}; name a run like this one")
    pipeline = trained.pipeline
    nets = {name: net.to(context.device) for name, net in pipeline.nets.items()}
    return Pipeline(pipeline.identifier, nets, pipeline.risks, context.deconvolver)


def _same_photographs(run: Path, context: Context) -> bool:
    """Were the run's networks kept from the photographs that are tested on here?"""
    path = run / "data.json"
    before = load_json(path, "put it back, or name another run") if path.is_file() else {}
    return all(before.get(key) == context.data.facts.get(key) for key in ("name", "sha256", "test_sha256"))


def restore_one(context: Context, items: Cases, index: int, pipeline: Pipeline | None, show: bool) -> Done:
    """An item restored, and its entry among the examples where it is to be shown."""
    case = items[index]
    if not bool(context.degrade.family.changes(case.params, case.kind)):
        return Done(None, None)
    captured = items.captured
    sigma = None if captured else case.sigma
    start = time.perf_counter()
    image = context.deconvolver(case.y, case.blur, sigma).image
    if image.is_cuda:
        torch.cuda.synchronize(image.device)
    seconds = time.perf_counter() - start
    restored, estimate = {"" if pipeline is None else "oracle": image}, None
    if pipeline is not None:
        side = kernel_side(context.degrade.family, case)
        told = pipeline.told_size(side)
        start = time.process_time()  # a minute or more on a busy machine would be its other work's
        estimate = told.identify(case.y)
        blind_s = time.process_time() - start
        restored["estimated"] = pipeline.restore(case.y, estimate, sigma)
    family, photo = context.degrade.family, items.photo(index)
    blur = NamedBlur(family.kinds[int(case.kind[0])], dict(zip(family.names, case.params[0].tolist(), strict=True)))
    nameless = estimate is not None and estimate.label is None  # such a kernel has no place of its own
    moves = captured or nameless
    measured = {name: figures(case, one, moves) for name, one in restored.items()} | reference(case, moves)
    if estimate is not None and nameless:
        measured["estimated"] |= blind_figures(case, restored, estimate.psf, blind_s, side)
    item = RestoredItem(photo, blur, float(case.sigma[0]), seconds, measured)
    return Done(item, _example(context, items, case, restored, estimate, item, index) if show else None)


def _example(
    context: Context,
    items: Cases,
    case: Degraded,
    restored: dict[str, Tensor],
    estimate: BlurEstimate | None,
    item: RestoredItem,
    index: int,
) -> dict[str, Any]:
    """Write the upper left corner of an item, borders and all, and return its entry of the record."""
    folder = context.dir / "examples"
    folder.mkdir(exist_ok=True)
    pictures = {"sharp": case.x, "blurred": case.y, "oracle": next(iter(restored.values()))}
    pictures |= {"estimated_image": restored["estimated"]} if estimate else {}
    entry: dict[str, Any] = {
        "title": items.name(case),
        "photo": item.photo,
        "ssim_blurred": item.figures["blurred"]["ssim"],
    }
    for name, picture in pictures.items():
        entry[name] = f"examples/{index}_{name}.png"
        corner = picture[0, :, :PICTURE_PX, :PICTURE_PX].permute(1, 2, 0).clamp(0, 1)
        context.pictures[entry[name]] = corner.cpu().numpy()
        write_image(context.dir / entry[name], context.pictures[entry[name]])
    for figure in ("isnr", "ssim"):
        entry[f"{figure}_oracle"] = item.figures["" if estimate is None else "oracle"][figure]
        if estimate is not None:
            entry[f"{figure}_estimated"] = item.figures["estimated"][figure]
    if estimate is not None:
        entry["estimated"] = in_words(estimate, context.identifier.family.kinds)
    return entry
