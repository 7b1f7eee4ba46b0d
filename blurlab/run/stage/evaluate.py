"""Stage: the whole pipeline on photographs never seen: identify, restore, and restore with the wrong kernel as well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from blurlab.blur import BlurFamily
from blurlab.core.rng import generator
from blurlab.dataset import FixedItems, degrade_batch
from blurlab.metric import isnr, isnr_oracle_wiener, psf_snr, psnr, ssim
from blurlab.physics import Convolution, Degraded
from blurlab.pipeline import BlurEstimate, Pipeline, Scorer
from blurlab.run.record.bounds import BOUNDS, bounds
from blurlab.run.record.rows import Figures, Item, line, make_items, write_lines
from blurlab.run.record.summary import evaluation
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
DRAWS_AVERAGED, AT_ONCE = 1024, 64
"""Draws of the blurs whose mean is the constant kernel, and how many are in memory at once."""
WISHED = {
    "oracle": ("isnr", "ssim", "psnr"),
    "estimated": ("isnr", "ssim", "psnr", "psf_snr"),
    "constant": ("isnr", "psf_snr"),
}
"""Kernel used -> what is measured of it; of others the ISNR."""
Used = tuple[Tensor, Tensor, Tensor]
"""Rows (m,) that are restored with a kernel, the kernels (m, 1, k, k), and where there is anything to undo (m,)."""


class Evaluate(Stage):
    """Every test photograph, degraded ``draws_test`` times; ``draws_restore`` of them restored with several kernels."""

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
    sharp = FixedItems(context.data.test, draws, seed=context.seed, split="test", size=context.data.size)
    items: list[Item] = []
    with bar(context.console, context.progress) as progress, torch.inference_mode():
        task = progress.add_task("identify and restore", total=len(sharp))
        for batch in DataLoader(sharp, batch_size=BATCH):
            batch[0] = batch[0].to(context.device)
            degraded = degrade_batch(context.degrade, batch, training=False)
            items += measure(context, pipeline, degraded, batch, constant)
            progress.advance(task, len(degraded))
        examples = keep_examples(context, pipeline, sharp)
        times = {
            "classify_ms": classify_ms(context, pipeline),
            "identify_ms": identify_ms(context, pipeline),
            "restore_ms": restore_ms(context, pipeline),
        }
    write_lines(context.dir / PER_IMAGE, [line(item) for item in items])
    return {**evaluation(items, scorer, times, seed=context.seed), "examples": examples}


def measure(
    context: Context, pipeline: Pipeline, degraded: Degraded, batch: list[Tensor], constant: Tensor | None
) -> list[Item]:
    """Identify the items of a batch, restore those whose turn it is, and measure both.

    Args:
        context: The run.
        pipeline: What identifies.
        degraded: The items.
        batch: What they were made of: images uint8, seeds, indices.
        constant: The kernel (1, 1, k, k) that stands beside estimates without a label; None beside labelled ones.
    """
    estimate, scorer, budget = pipeline.identify(degraded.y), context.identifier.scorer, context.budget
    family, photos = context.identifier.family, context.data.test.ids
    items = make_items(family, degraded, photos, budget["draws_test"], estimate.label, scorer)
    if scorer is not None:
        best = best_observer(scorer, batch[0], degraded, context.degrade.boundary).tolist()
        for item, known in zip(items, best, strict=True):
            item.best_observer = known
    blurred = family.changes(degraded.params, degraded.kind)
    wanted = [i for i, item in enumerate(items) if item.draw < budget["draws_restore"] and bool(blurred[i])]
    if wanted:
        index = torch.tensor(wanted, device=degraded.y.device)
        truth = degraded.take(index)
        used = used_kernels(truth, index, estimate, scorer, constant)
        restored = [items[i] for i in wanted]
        restore(context, truth, used, restored)
        if scorer is not None:
            add_bounds(family, truth, restored)
    return items


def used_kernels(
    truth: Degraded, index: Tensor, estimate: BlurEstimate, scorer: Scorer | None, constant: Tensor | None
) -> dict[str, Used]:
    """The kernels of the table of error propagation, by name.

    Args:
        truth: The items restored (n of them).
        index: Their rows (n,) in the estimate.
        estimate: What was found.
        scorer: Names the neighbouring classes; None where estimates have no label.
        constant: A kernel (1, 1, k, k) for every item, or None.
    """
    every = torch.arange(len(truth), device=index.device)
    always = torch.ones_like(every, dtype=torch.bool)
    used = {"oracle": (every, truth.psf, always), "estimated": (every, estimate.psf[index], estimate.blurred[index])}
    if estimate.label is not None:
        likeliest = estimate.label.most_probable
        used["map"] = every, likeliest.psf[index], likeliest.blurred[index]
    if scorer is not None:
        for name, (rows, neighbour) in scorer.neighbours(truth).items():
            used[name] = rows.to(every.device), neighbour.psf.to(truth.psf), neighbour.blurred.to(every.device)
    if constant is not None:
        used["constant"] = every, constant.to(truth.psf).expand_as(truth.psf), always
    return used


def restore(context: Context, truth: Degraded, used: dict[str, Used], items: list[Item]) -> None:
    """Restore items with each of the kernels and add the figures to them."""
    jobs = [(name, int(place)) for name, (rows, _, _) in used.items() for place in rows]
    place = torch.cat([rows for rows, _, _ in used.values()])
    kernel, blurred = (torch.cat([one[part] for one in used.values()]) for part in (1, 2))
    x, y, true = truth.x[place], truth.y[place], truth.psf[place]
    image = apply_kernels(context, y, truth.sigma[place], kernel, blurred)
    figures = {"isnr": isnr(y, image, x), "ssim": ssim(image, x), "psnr": psnr(image, x)}
    figures["psf_snr"] = psf_snr(kernel, true).clamp_max(PSF_SNR_CEILING_DB)
    for number, (name, at) in enumerate(jobs):
        wished = WISHED.get(name, ("isnr",))
        items[at].restorations[name] = Figures(**{figure: float(figures[figure][number]) for figure in wished})
    add_references(truth, items)


def add_references(truth: Degraded, items: list[Item]) -> None:
    """The figures of the blurred images, and of the Wiener filter that knows each photograph's spectrum."""
    plain = {"ssim": ssim(truth.y, truth.x), "psnr": psnr(truth.y, truth.x)}
    fits = max(truth.psf.shape[-2:]) <= min(truth.x.shape[-2:])  # circular: no kernel may be wider than the image
    wiener = isnr_oracle_wiener(truth.x, truth.psf, truth.sigma) if fits else None
    for row, item in enumerate(items):
        item.restorations["blurred"] = Figures(**{name: float(values[row]) for name, values in plain.items()})
        if wiener is not None:
            item.restorations["oracle_wiener"] = Figures(isnr=float(wiener[row]))


def add_bounds(family: BlurFamily, truth: Degraded, items: list[Item]) -> None:
    """The limits of what can be named of restored items."""
    bound = bounds(family, truth.x, truth.params, truth.kind, truth.sigma)
    for row, item in enumerate(items):
        item.bounds = {known: dict(zip(family.names, bound[known][row].tolist(), strict=True)) for known in BOUNDS}
        item.ceiling = float(bound["ceiling"][row])


def apply_kernels(context: Context, y: Tensor, sigma: Tensor, psf: Tensor, blurred: Tensor) -> Tensor:
    """Restore images (n, C, H, W) with kernels (n, 1, k, k); where nothing is blurred (n,), the image stays."""
    image = y.clone()
    for some in blurred.nonzero().squeeze(1).split(BATCH):
        image[some] = context.deconvolver(y[some], psf[some], sigma[some]).image
    return image


def mean_kernel(family: BlurFamily, seed: int) -> Tensor:
    """The mean (1, 1, k, k) of kernels as they are drawn in training: the best answer of who does not look."""
    draws = generator(seed, "constant kernel")
    parts = [
        family.sample(AT_ONCE, generator=draws).psf.mean(0, keepdim=True) for _ in range(DRAWS_AVERAGED // AT_ONCE)
    ]
    return torch.stack(parts).mean(0)


def best_observer(scorer: Scorer, images: Tensor, degraded: Degraded, boundary: str) -> Tensor:
    """How often an observer who knows the sharp photograph tells an item from its nearest rival class (B,).

    Phi(d / 2 sigma) with d the distance between the two noiseless images: the likelihood-ratio test of two known images
    in Gaussian noise. Averaged over all items, the rivals' own included, it is above what can be had from y alone.
    1 where an item is its only rival.
    """
    sharp = images.to(torch.float32).div(255)
    nearest = torch.full((len(degraded),), torch.inf, device=sharp.device)
    for rival in scorer.rivals().to(sharp):
        difference = Convolution(degraded.psf - rival, boundary).A(sharp)
        distance = difference.flatten(1).norm(dim=1)
        itself = (degraded.psf - rival).abs().flatten(1).amax(1) < 1e-6
        nearest = torch.where(itself, nearest, torch.minimum(nearest, distance))
    return torch.special.ndtr(nearest / (2 * degraded.sigma.clamp_min(1e-6)))
