"""Stage: every test item restored with its true kernel and, where the pipeline names one, with the estimated kernel."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from blurlab.core.atomic import write_text
from blurlab.core.image_io import write_image
from blurlab.dataset import Degraded
from blurlab.pipeline import Identification, KnownKernel, Pipeline, is_identity
from blurlab.run.errors import UsageError
from blurlab.run.record.restored import figures, reference, summarise
from blurlab.run.setup.context import Context
from blurlab.run.setup.progress import track
from blurlab.run.stage.assemble import assemble
from blurlab.run.stage.base import Stage, once
from blurlab.run.stage.cases import Cases, cases
from blurlab.run.stage.evaluate import PER_IMAGE, write_rows
from blurlab.run.stage.examples import in_words
from blurlab.run.stage.load import load_run

PICTURES = 6
PICTURE_PX = 128
DONE = "rows.jsonl"
Row = dict[str, Any]


class Restore(Stage):
    """Each item restored by itself; a line of ``per_image.csv`` each. Killed, it goes on with the next item.

    Where the pipeline identifies, each figure is there twice, ``_oracle`` with the true kernel and ``_estimated``.

    Args:
        run: Directory of a finished run whose networks identify; None where the pipeline has none of its own, or this
            run trains them.
    """

    identifies = False

    def __init__(self, run: str | None = None) -> None:
        self.run = run

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
            show = sum(row["example"] is not None for row in kept) <= PICTURES * index // len(items)
            row = restore_one(context, items, index, pipeline, show)
            lines.write(json.dumps(row) + "\n")
            lines.flush()
            kept.append(row)
    rows = [row["figures"] for row in kept if row["figures"]]
    if not rows:
        raise UsageError("every test item was left sharp; raise budget.draws_restore, or choose another blur")
    write_rows(context.dir / PER_IMAGE, rows)
    examples = [row["example"] for row in kept if row["example"]]
    return {**summarise(rows, context.seed), "examples": examples}


def so_far(done: Path) -> list[Row]:
    """The rows that a run stopped before left in a file, which then holds these alone."""
    rows: list[Row] = []
    for text in done.read_text().splitlines() if done.is_file() else []:
        try:
            rows.append(json.loads(text))
        except ValueError:  # the line that a kill left unfinished
            break
    write_text(done, "".join(json.dumps(row) + "\n" for row in rows))
    return rows


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
    before = json.loads(path.read_text()) if path.is_file() else {}
    return all(before.get(key) == context.data.facts.get(key) for key in ("name", "sha256", "test_sha256"))


def restore_one(context: Context, items: Cases, index: int, pipeline: Pipeline | None, show: bool) -> Row:
    """Figures of an item, ready for JSON, and its entry among the examples; both None where the item is sharp."""
    case = items[index]
    if bool(is_identity(case.psf)):
        return {"figures": None, "example": None}
    captured = context.data.captures is not None
    sigma = None if captured else case.sigma
    start = time.perf_counter()
    image = context.deconvolver(case.y, case.psf, sigma).image
    if image.is_cuda:
        torch.cuda.synchronize(image.device)
    seconds = time.perf_counter() - start
    found = None if pipeline is None else pipeline.identify(case.y)
    restored = {"" if found is None else "oracle": image}
    if found is not None:
        sharp = bool(is_identity(found.psf))
        restored["estimated"] = case.y if sharp else context.deconvolver(case.y, found.psf, sigma).image
    kind = context.degrade.family.kinds[int(case.kind[0])]
    names = zip(context.degrade.family.names, case.params[0].tolist(), strict=True)
    row: Row = {"photo": context.data.test.ids[int(case.item[0])], "kind": kind, **dict(names)}
    row |= {"sigma": float(case.sigma[0]), "restore_s": seconds}
    for name, one in restored.items():
        row |= {f"{key}_{name}".rstrip("_"): value for key, value in figures(case, one, captured).items()}
    row |= reference(case, captured)
    example = _example(context, items, case, restored, found, row, index) if show else None
    return {"figures": row, "example": example}


def _example(
    context: Context,
    items: Cases,
    case: Degraded,
    restored: dict[str, Tensor],
    found: Identification | None,
    row: Row,
    index: int,
) -> Row:
    """Write the upper left corner of an item, borders and all, and return its entry of the record."""
    folder = context.dir / "examples"
    folder.mkdir(exist_ok=True)
    pictures = {"sharp": case.x, "blurred": case.y, "oracle": next(iter(restored.values()))}
    pictures |= {"estimated_image": restored["estimated"]} if found else {}
    entry: Row = {"title": items.name(case), "photo": row["photo"], "ssim_blurred": row["ssim_blurred"]}
    for name, picture in pictures.items():
        entry[name] = f"examples/{index}_{name}.png"
        corner = picture[0, :, :PICTURE_PX, :PICTURE_PX].permute(1, 2, 0).clamp(0, 1)
        write_image(context.dir / entry[name], corner.cpu().numpy())
    for base in ("isnr", "ssim"):
        entry[f"{base}_oracle"] = row[base] if found is None else row[f"{base}_oracle"]
        if found is not None:
            entry[f"{base}_estimated"] = row[f"{base}_estimated"]
    if found is not None:
        entry["estimated"] = in_words(found, context.identifier.family.kinds)
    return entry
