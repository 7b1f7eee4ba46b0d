"""Stage: every test item restored with its true kernel and, where the pipeline names one, with the estimated kernel."""

from __future__ import annotations

import json
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor

from blurlab.core.image_io import write_image
from blurlab.dataset import Degraded
from blurlab.metric import align, isnr, isnr_border, isnr_oracle_wiener, psnr, psnr_oracle_wiener, ssim
from blurlab.pipeline import Identification, Known, Pipeline, is_identity
from blurlab.run.assemble import assemble
from blurlab.run.cases import Cases, cases
from blurlab.run.context import Context
from blurlab.run.errors import UsageError
from blurlab.run.evaluate import PER_IMAGE, write_rows
from blurlab.run.examples import in_words
from blurlab.run.load import load_run
from blurlab.run.progress import track
from blurlab.run.stage import Stage, once
from blurlab.run.summary import interval

BORDER_PX = 16
"""Width of the frame whose ISNR stands beside that of the rest."""
PICTURES = 6
PICTURE_PX = 128
DONE = "rows.jsonl"
WIENER = "Wiener filter that knows kernel, noise and the photograph's own spectrum; circular, expected over the noise"
UNITS = {"isnr": "dB", "psnr": "dB", "ssim": ""}
Row = dict[str, Any]


class Restoration(Stage):
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
    done, kept = folder / DONE, []
    for text in done.read_text().splitlines() if done.is_file() else []:
        try:
            kept.append(json.loads(text))
        except ValueError:  # the line that a kill left unfinished
            break
    done.write_text("".join(json.dumps(row) + "\n" for row in kept))
    shown = {round(step * (len(items) - 1) / (PICTURES - 1)) for step in range(PICTURES)}
    with done.open("a") as lines, torch.inference_mode():
        for index in track(range(len(kept), len(items)), f"restore {len(items)} items", context):
            row = restore_one(context, items, index, pipeline, index in shown)
            lines.write(json.dumps(row) + "\n")
            lines.flush()
            kept.append(row)
    rows = [row["figures"] for row in kept if row["figures"]]
    if not rows:
        raise UsageError("every test item was left sharp; raise budget.draws_restore, or choose another blur")
    write_rows(context.dir / PER_IMAGE, rows)
    examples = [row["example"] for row in kept if row["example"]]
    return {**summarise(rows, context.seed), "examples": examples}


def identifying(context: Context, run: str | None) -> Pipeline | None:
    """The pipeline that estimates the kernels; None where they are known.

    Raises:
        UsageError: If the run named is not finished, or is of other blurs, channels or photographs.
    """
    if run is None:
        return None if isinstance(context.identifier, Known) else assemble(context)
    trained, family = load_run(Path(run)), context.degrade.family
    theirs = trained.pipeline.identifier.family
    wrong = [
        what
        for what, same in {
            f"blurs ({', '.join(theirs.kinds)})": (theirs.kinds, theirs.bounds) == (family.kinds, family.bounds),
            f"channel ({trained.channel})": trained.channel == context.cfg.dataset.channel,
            f"size ({trained.size})": trained.size in (0, int(context.cfg.dataset.size)),
            "photographs": _same_photographs(Path(run), context),
        }.items()
        if not same
    ]
    if wrong:
        raise UsageError(f"the run {run} was made for other {' and '.join(wrong)}; name a run made for these")
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
    sigma = None if context.data.captures else case.sigma
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
        row |= {f"{key}_{name}".rstrip("_"): value for key, value in figures(context, case, one).items()}
    row |= reference(context, case)
    example = _example(context, items, case, restored, found, row, index) if show else None
    return {"figures": row, "example": example}


def figures(context: Context, case: Degraded, image: Tensor) -> dict[str, float]:
    """PSNR, SSIM and ISNR of a restored image; of a capture after alignment, of the rest also frame and inside."""
    x, y = case.x, case.y
    if context.data.captures:
        moved, before = align(image, x), align(y, x)
        down, right = moved.shift_px[0].tolist()
        gain = float(psnr(moved.x_hat, moved.x)) - float(psnr(before.x_hat, before.x))
        plain = {"psnr": float(psnr(moved.x_hat, moved.x)), "ssim": float(ssim(moved.x_hat, moved.x)), "isnr": gain}
        return {**plain, "shift_down_px": down, "shift_right_px": right}
    return {
        "psnr": float(psnr(image, x)),
        "ssim": float(ssim(image, x)),
        "isnr": float(isnr(y, image, x)),
        "isnr_border16": float(isnr_border(y, image, x, border=BORDER_PX)),
        "isnr_interior": float(isnr(y, image, x, border=BORDER_PX)),
    }


def reference(context: Context, case: Degraded) -> dict[str, float]:
    """What the blurred image has, and what the Wiener filter that knows the spectrum would reach."""
    y, x = case.y, case.x
    if context.data.captures:
        y, x, _ = align(y, x)
    found = {"psnr_blurred": float(psnr(y, x)), "ssim_blurred": float(ssim(y, x))}
    if max(case.psf.shape[-2:]) <= min(case.x.shape[-2:]):  # circular: no kernel may be wider than the image
        found["psnr_oracle_wiener"] = float(psnr_oracle_wiener(case.x, case.psf, case.sigma))
        found["isnr_oracle_wiener"] = float(isnr_oracle_wiener(case.x, case.psf, case.sigma))
    return found


def summarise(rows: list[Row], seed: int) -> dict[str, Any]:
    """Means with bootstrap intervals over photographs, the median time of an image, and the limits beside them.

    Args:
        rows: One row an item, as ``per_image.csv`` keeps them.
        seed: Seeds the bootstrap.

    Returns:
        Entries ``metrics`` and ``limit`` of the record.
    """
    names = dict.fromkeys(name for row in rows for name in row if name.split("_")[0] in UNITS)
    metrics: dict[str, Any] = {}
    for name in names:
        some = [row for row in rows if row.get(name) is not None and np.isfinite(row[name])]
        if some:
            metrics[name] = interval([row[name] for row in some], some, seed, UNITS[name.split("_")[0]])
    metrics["restore_s"] = {"value": median(row["restore_s"] for row in rows), "n": len(rows), "unit": "s"}
    limit = {
        f"{base}{suffix}": {"value": metrics[f"{base}_oracle_wiener"]["value"], "how": WIENER}
        for base in ("psnr", "isnr")
        for suffix in ("", "_oracle")
        if f"{base}{suffix}" in metrics and f"{base}_oracle_wiener" in metrics
    }
    for base in UNITS:
        if f"{base}_estimated" in metrics:
            value = metrics[f"{base}_oracle"]["value"]
            limit[f"{base}_estimated"] = {"value": value, "how": "the same deconvolver with the true kernel"}
    return {"metrics": metrics, "limit": limit}


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
