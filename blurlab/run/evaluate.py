"""Stage: the whole pipeline on photographs never seen: identify, restore, and restore with the wrong kernel as well."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from blurlab.dataset import Degraded, FixedItems, degrade_batch
from blurlab.metric import isnr, isnr_oracle_wiener, psf_snr, psnr, ssim
from blurlab.physics import Convolution
from blurlab.pipeline import Identification, Pipeline
from blurlab.run.calibrate import risk_tables
from blurlab.run.context import Context
from blurlab.run.examples import keep_examples
from blurlab.run.latency import classify_ms, restore_ms
from blurlab.run.progress import bar
from blurlab.run.stage import Stage, once
from blurlab.run.summary import summarise
from blurlab.run.train import trained_nets

BATCH = 16
PER_IMAGE = "per_image.csv"
WISHED = {"oracle": ("isnr", "ssim", "psnr"), "estimated": ("isnr", "ssim", "psnr", "psf_snr")}
Row = dict[str, Any]


class Evaluate(Stage):
    """Every test photograph, degraded ``draws_test`` times; ``draws_restore`` of them restored with five kernels."""

    def __call__(self, context: Context) -> None:
        found = once(context, "evaluate", lambda folder: evaluate(context, folder))
        context.record.update({key: value for key, value in found.items() if key != "seconds"})


def evaluate(context: Context, folder: Path) -> dict[str, Any]:
    """Measure the pipeline and write ``per_image.csv`` and the example pictures.

    Returns:
        Record entries: metrics, limit, confusion, curves, examples.
    """
    pipeline = Pipeline(context.identifier, trained_nets(context), risk_tables(context), context.deconvolver)
    items = FixedItems(context.data.test, context.budget["draws_test"], seed=context.seed, split="test")
    rows: list[Row] = []
    with bar(context.console, not context.progress) as progress, torch.inference_mode():
        task = progress.add_task("identify and restore", total=len(items))
        for batch in DataLoader(items, batch_size=BATCH):
            batch[0] = batch[0].to(context.device)
            degraded = degrade_batch(context.degrade, batch, training=False)
            rows += rows_of(context, pipeline, degraded, batch)
            progress.advance(task, len(degraded))
        examples = keep_examples(context, pipeline, items)
        times = {"classify_ms": classify_ms(context, pipeline), "restore_ms": restore_ms(context, pipeline)}
    write_rows(context.dir / PER_IMAGE, rows)
    return {**summarise(rows, context.identifier, times, seed=context.seed), "examples": examples}


def rows_of(context: Context, pipeline: Pipeline, degraded: Degraded, batch: list[Tensor]) -> list[Row]:
    """One row of plain values for each item of a batch."""
    found = pipeline.identify(degraded.y)
    identifier = context.identifier
    right = identifier.is_correct(found, degraded.kind, degraded.strength_px)
    truth = identifier.headline_class(degraded.kind, degraded.strength_px)
    answer = identifier.headline_class(found.kind, found.strength_map_px)
    known = best_observer(context, batch, degraded)
    kinds = identifier.family.kinds
    rows: list[Row] = []
    for i in range(len(degraded)):
        photo, draw = divmod(int(degraded.item[i]), context.budget["draws_test"])
        rows.append({
            "photo": context.data.test.ids[photo], "draw": draw, "kind": kinds[int(degraded.kind[i])],
            "strength_px": float(degraded.strength_px[i]), "sigma": float(degraded.sigma[i]),
            "found_kind": kinds[int(found.kind[i])], "found_probability": float(found.kind_probability[i].max()),
            "found_strength_px": float(found.strength_px[i]), "map_strength_px": float(found.strength_map_px[i]),
            "mean_strength_px": float(found.strength_mean_px[i]), "low_px": float(found.interval_px[i, 0]),
            "high_px": float(found.interval_px[i, 1]), "truth": int(truth[i]), "answer": int(answer[i]),
            "right": int(right[i]), "best_observer": float(known[i]),
        })  # fmt: skip
    wanted = [i for i, row in enumerate(rows) if row["draw"] < context.budget["draws_restore"] and is_blurred(row)]
    if wanted:
        restore(context, pipeline, degraded, found, wanted, rows)
    return rows


def is_blurred(row: Row) -> bool:
    """Was this item blurred at all (a kernel of more than one pixel)?"""
    return row["kind"] != "none" and row["strength_px"] > 1


def restore(
    context: Context, pipeline: Pipeline, degraded: Degraded, found: Identification, wanted: list[int], rows: list[Row]
) -> None:
    """Restore the wanted items with each kernel of the table of error propagation and add the figures to their rows."""
    index = torch.tensor(wanted, device=degraded.y.device)
    kind, strength = degraded.kind[index], degraded.strength_px[index]
    longer, shorter = context.identifier.neighbours_px(kind, strength)
    used = {
        "oracle": (kind, strength),
        "estimated": (found.kind[index], found.strength_px[index]),
        "map": (found.kind[index], found.strength_map_px[index]),
        "one_longer": (kind, longer),
        "one_shorter": (kind, shorter),
    }
    jobs = [
        (name, place) for name, (_, px) in used.items() for place in range(len(wanted)) if not math.isnan(px[place])
    ]
    place = torch.tensor([place for _, place in jobs], device=index.device)
    kinds = torch.stack([used[name][0][at] for name, at in jobs])
    sizes = torch.stack([used[name][1][at] for name, at in jobs])
    x, y, psf = degraded.x[index][place], degraded.y[index][place], degraded.psf[index][place]
    image, kernel = apply_kernels(context, pipeline, y, degraded.sigma[index][place], kinds, sizes)
    figures = {
        "isnr": isnr(y, image, x),
        "ssim": ssim(image, x),
        "psnr": psnr(image, x),
        "psf_snr": psf_snr(kernel, psf),
    }
    for number, (name, at) in enumerate(jobs):
        wished = WISHED.get(name, ("isnr",))
        rows[wanted[at]].update({f"{figure}_{name}": float(figures[figure][number]) for figure in wished})
    plain = {
        "ssim_blurred": ssim(degraded.y[index], degraded.x[index]),
        "psnr_blurred": psnr(degraded.y[index], degraded.x[index]),
        "isnr_oracle_wiener": isnr_oracle_wiener(degraded.x[index], degraded.psf[index], degraded.sigma[index]),
    }
    for at, row in enumerate(wanted):
        rows[row].update({name: float(values[at]) for name, values in plain.items()})


def apply_kernels(
    context: Context, pipeline: Pipeline, y: Tensor, sigma: Tensor, kind: Tensor, strength_px: Tensor
) -> tuple[Tensor, Tensor]:
    """Restore images (n, C, H, W) with kernels of these kinds and strengths; one pixel leaves an image as it is."""
    _, psf = context.identifier.kernels(kind, strength_px)
    psf, image = psf.to(y), y.clone()
    work = ((kind != pipeline.sharp_kind) & (strength_px > 1)).nonzero().squeeze(1)
    for some in work.split(BATCH):
        image[some] = context.deconvolver(y[some], psf[some], sigma[some]).image
    return image, psf


def best_observer(context: Context, batch: list[Tensor], degraded: Degraded) -> Tensor:
    """How often an observer who knows the sharp photograph and the kernel tells blurred from sharp (B,).

    Phi(||h*x - x|| / 2 sigma), the likelihood-ratio test between the two known images: no method that sees y alone
    does better. 1 for items that are not blurred.
    """
    sharp = batch[0].to(torch.float32).div(255)
    clean = Convolution(degraded.psf, context.degrade.boundary).A(sharp)
    distance = (clean - degraded.x).flatten(1).norm(dim=1)
    known = torch.special.ndtr(distance / (2 * degraded.sigma.clamp_min(1e-6)))
    return torch.where(degraded.strength_px > 0, known, torch.ones_like(known))


def write_rows(path: Path, rows: list[Row]) -> None:
    """Write rows as CSV under a temporary name, then rename; a figure that a row lacks is left empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows({k: round(v, 5) if isinstance(v, float) else v for k, v in row.items()} for row in rows)
    temporary.replace(path)
