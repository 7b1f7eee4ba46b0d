"""Stage: the whole pipeline on photographs never seen: identify, restore, and restore with the wrong kernel as well."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from blurlab.blur import StrengthFamily
from blurlab.core.atomic import write_text
from blurlab.dataset import Degraded, FixedItems, degrade_batch
from blurlab.metric import isnr, isnr_oracle_wiener, psf_snr, psnr, ssim
from blurlab.physics import Convolution
from blurlab.pipeline import Identification, Pipeline, is_identity
from blurlab.run.record.bounds import BOUNDS, bounds
from blurlab.run.record.summary import summarise
from blurlab.run.setup.context import Context
from blurlab.run.setup.progress import bar
from blurlab.run.stage.assemble import assemble
from blurlab.run.stage.base import Stage, once
from blurlab.run.stage.examples import keep_examples
from blurlab.run.stage.latency import classify_ms, identify_ms, restore_ms

BATCH = 16
PER_IMAGE = "per_image.csv"
PSF_SNR_CEILING_DB = 80.0
"""Said of kernels that agree to the precision of float32, whose SNR is not finite."""

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
    pipeline = assemble(context)
    draws = context.budget["draws_test"]
    items = FixedItems(context.data.test, draws, seed=context.seed, split="test", size=context.data.size)
    rows: list[Row] = []
    with bar(context.console, context.progress) as progress, torch.inference_mode():
        task = progress.add_task("identify and restore", total=len(items))
        for batch in DataLoader(items, batch_size=BATCH):
            batch[0] = batch[0].to(context.device)
            degraded = degrade_batch(context.degrade, batch, training=False)
            rows += rows_of(context, pipeline, degraded, batch)
            progress.advance(task, len(degraded))
        examples = keep_examples(context, pipeline, items)
        times = {
            "classify_ms": classify_ms(context, pipeline),
            "identify_ms": identify_ms(context, pipeline),
            "restore_ms": restore_ms(context, pipeline),
        }
    write_rows(context.dir / PER_IMAGE, rows)
    return {**summarise(rows, context.identifier, times, seed=context.seed), "examples": examples}


def rows_of(context: Context, pipeline: Pipeline, degraded: Degraded, batch: list[Tensor]) -> list[Row]:
    """One row of plain values for each item of a batch."""
    found = pipeline.identify(degraded.y)
    rows = identified(context, degraded, found, context.budget["draws_test"])
    for row, known in zip(rows, best_observer(context, batch, degraded), strict=True):
        row["best_observer"] = float(known)
    blurred = ~is_identity(degraded.psf)
    draws = context.budget["draws_restore"]
    wanted = [i for i, row in enumerate(rows) if row["draw"] < draws and bool(blurred[i])]
    if wanted:
        restore(context, degraded, found, wanted, rows)
    return rows


def identified(context: Context, degraded: Degraded, found: Identification, draws: int) -> list[Row]:
    """One row an item: which it is, the truth, and what was found of it; ``draws`` items make a photograph."""
    identifier = context.identifier
    right = identifier.is_correct(found, degraded.kind, degraded.strength_px)
    truth = identifier.headline_class(degraded.kind, degraded.strength_px)
    answer = identifier.headline_class(found.kind, found.strength_map_px)
    kinds, names = identifier.family.kinds, identifier.family.names
    rows: list[Row] = []
    for i in range(len(degraded)):
        photo, draw = divmod(int(degraded.item[i]), draws)
        rows.append({
            "photo": context.data.test.ids[photo], "draw": draw, "kind": kinds[int(degraded.kind[i])],
            "strength_px": float(degraded.strength_px[i]), "sigma": float(degraded.sigma[i]),
            "found_kind": kinds[int(found.kind[i])], "found_probability": float(found.kind_probability[i].max()),
            "found_strength_px": float(found.strength_px[i]), "map_strength_px": float(found.strength_map_px[i]),
            "mean_strength_px": float(found.strength_mean_px[i]), "low_px": float(found.interval_px[i, 0]),
            "high_px": float(found.interval_px[i, 1]), "truth": int(truth[i]), "answer": int(answer[i]),
            "right": int(right[i]),
            **{name: float(value) for name, value in zip(names, degraded.params[i], strict=True)},
            **{f"found_{name}": float(value) for name, value in zip(names, found.params[i], strict=True)},
        })  # fmt: skip
        if found.halfwidth is not None:
            halves = zip(names, found.halfwidth[i], strict=True)
            rows[-1] |= {f"half_{name}": float(value) for name, value in halves if math.isfinite(value)}
        if found.before is not None:
            said, params = found.before
            rows[-1]["network_kind"] = kinds[int(said[i])]
            rows[-1] |= {f"network_{name}": float(value) for name, value in zip(names, params[i], strict=True)}
    return rows


def restore(context: Context, degraded: Degraded, found: Identification, wanted: list[int], rows: list[Row]) -> None:
    """Restore the wanted items with each kernel of the table of error propagation and add the figures to their rows."""
    index = torch.tensor(wanted, device=degraded.y.device)
    kind, strength = degraded.kind[index], degraded.strength_px[index]
    longer, shorter = context.identifier.neighbours_px(kind, strength)
    used = {"oracle": degraded.psf[index], "estimated": found.psf[index], "map": found.psf_map[index]}
    jobs = [(name, place, psf) for name, kernels in used.items() for place, psf in enumerate(kernels)]
    family = context.identifier.family
    for name, px in {"one_longer": longer, "one_shorter": shorter}.items():
        known = (~px.isnan()).nonzero().squeeze(1)
        if not isinstance(family, StrengthFamily) or len(known) == 0:
            continue
        params = family.with_strength(degraded.params[index][known], px[known], kind[known])
        kernels = family.psf(params, kind[known]).to(degraded.psf)
        jobs += [(name, int(place), psf) for place, psf in zip(known, kernels, strict=True)]
    place = torch.tensor([place for _, place, _ in jobs], device=index.device)
    kernel = torch.stack([psf for _, _, psf in jobs])
    x, y, true = degraded.x[index][place], degraded.y[index][place], degraded.psf[index][place]
    image = apply_kernels(context, y, degraded.sigma[index][place], kernel)
    bound = bounds(context.identifier.family, degraded.x[index], degraded.params[index], kind, degraded.sigma[index])
    figures = {"isnr": isnr(y, image, x), "ssim": ssim(image, x), "psnr": psnr(image, x)}
    figures["psf_snr"] = psf_snr(kernel, true).clamp_max(PSF_SNR_CEILING_DB)
    for number, (name, at, _) in enumerate(jobs):
        wished = WISHED.get(name, ("isnr",))
        rows[wanted[at]].update({f"{figure}_{name}": float(figures[figure][number]) for figure in wished})
    plain = {
        "ssim_blurred": ssim(degraded.y[index], degraded.x[index]),
        "psnr_blurred": psnr(degraded.y[index], degraded.x[index]),
    }
    if max(degraded.psf.shape[-2:]) <= min(degraded.x.shape[-2:]):  # circular: no kernel may be wider than the image
        wiener = isnr_oracle_wiener(degraded.x[index], degraded.psf[index], degraded.sigma[index])
        plain["isnr_oracle_wiener"] = wiener
    for at, row in enumerate(wanted):
        rows[row].update({name: float(values[at]) for name, values in plain.items()})
        for kind_of_bound in BOUNDS:
            limits = zip(context.identifier.family.names, bound[kind_of_bound][at].tolist(), strict=True)
            rows[row].update({f"{kind_of_bound}_{name}": value for name, value in limits})
        rows[row]["ceiling"] = float(bound["ceiling"][at])


def apply_kernels(context: Context, y: Tensor, sigma: Tensor, psf: Tensor) -> Tensor:
    """Restore images (n, C, H, W) with kernels (n, 1, k, k); a kernel of one pixel leaves an image as it is."""
    image = y.clone()
    work = (~is_identity(psf)).nonzero().squeeze(1)
    for some in work.split(BATCH):
        image[some] = context.deconvolver(y[some], psf[some], sigma[some]).image
    return image


def best_observer(context: Context, batch: list[Tensor], degraded: Degraded) -> Tensor:
    """How often an observer who knows the sharp photograph tells an item from its nearest rival class (B,).

    Phi(d / 2 sigma) with d the distance between the two noiseless images: the likelihood-ratio test of two known images
    in Gaussian noise. Averaged over all items, the rivals' own included, it is above what can be had from y alone.
    1 where an item is its only rival.
    """
    sharp = batch[0].to(torch.float32).div(255)
    nearest = torch.full((len(degraded),), torch.inf, device=sharp.device)
    for rival in context.identifier.rivals().to(sharp):
        difference = Convolution(degraded.psf - rival, context.degrade.boundary).A(sharp)
        distance = difference.flatten(1).norm(dim=1)
        itself = (degraded.psf - rival).abs().flatten(1).amax(1) < 1e-6
        nearest = torch.where(itself, nearest, torch.minimum(nearest, distance))
    return torch.special.ndtr(nearest / (2 * degraded.sigma.clamp_min(1e-6)))


def write_rows(path: Path, rows: list[Row]) -> None:
    """Write rows as CSV, whole or not at all; a figure that a row lacks, or that is no number, is left empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = io.StringIO()
    writer = csv.DictWriter(table, columns, restval="")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    write_text(path, table.getvalue())


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "" if math.isnan(value) else round(value, 5)
    return value
