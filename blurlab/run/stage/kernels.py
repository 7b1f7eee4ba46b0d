"""Test items restored with several kernels: the true one, the one found, others beside them."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.blur import BlurFamily, pad_to_odd
from blurlab.core.rng import generator
from blurlab.metric import IMAGE_METRICS, image_figures, isnr, isnr_oracle_wiener, psf_snr
from blurlab.physics import Degraded
from blurlab.pipeline import BlurEstimate, Pipeline, Scorer
from blurlab.pipeline.estimate import by_kernel
from blurlab.run.record.rows import Item

BATCH = 16
PSF_SNR_CEILING_DB = 80.0
"""SNR of kernels that agree to the precision of float32, for which it is not finite."""
DRAWS_AVERAGED, AT_ONCE = 1024, 64
"""Draws of the blurs whose mean is the constant kernel, and how many are in memory at once."""
WISHED = {
    "oracle": ("isnr", *IMAGE_METRICS),
    "estimated": ("isnr", *IMAGE_METRICS, "psf_snr"),
    "constant": ("isnr", "psf_snr"),
}
"""Kernel used -> what is measured of it; of others the ISNR."""
Used = tuple[Tensor, BlurEstimate]
"""Rows (m,) of the items, and the blur of each that is undone (m of them)."""


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
    used = {"oracle": (every, by_kernel(truth.psf, always)), "estimated": (every, _rows(estimate, index))}
    if estimate.label is not None:
        used["map"] = every, _rows(estimate.label.most_probable, index)
    if scorer is not None:
        used |= scorer.neighbours(truth)
    if constant is not None:
        used["constant"] = every, by_kernel(constant.expand_as(truth.psf), always)
    return used


def _rows(estimate: BlurEstimate, index: Tensor) -> BlurEstimate:
    return by_kernel(estimate.psf[index], estimate.blurred[index])


def restore_items(pipeline: Pipeline, truth: Degraded, used: dict[str, Used], items: list[Item]) -> dict[str, Tensor]:
    """Restore items with each of the kernels and add the figures to them, with those of the images as they came.

    Returns:
        The restored images (m, C, H, W) by name of the kernel.
    """
    jobs = [(name, int(place)) for name, (rows, _) in used.items() for place in rows]
    place = torch.cat([rows.to(truth.y.device) for rows, _ in used.values()])
    size = max(psf.shape[-1] for psf in (truth.psf, *(estimate.psf for _, estimate in used.values())))
    kernel = torch.cat([pad_to_odd(estimate.psf.to(truth.psf), size) for _, estimate in used.values()])
    blurred = torch.cat([estimate.blurred.to(truth.y.device) for _, estimate in used.values()])
    x, y, true = truth.x[place], truth.y[place], pad_to_odd(truth.psf, size)[place]
    image = y.clone()
    for some in blurred.nonzero().squeeze(1).split(BATCH):
        image[some] = pipeline.restore(y[some], by_kernel(kernel[some], blurred[some]), truth.sigma[place][some])
    figures = {"isnr": isnr(y, image, x), **image_figures(image, x)}
    figures["psf_snr"] = psf_snr(kernel, true).clamp_max(PSF_SNR_CEILING_DB)
    for number, (name, at) in enumerate(jobs):
        wished = WISHED.get(name, ("isnr",))
        items[at].restorations[name] = {figure: float(figures[figure][number]) for figure in wished}
    add_references(truth, items)
    return dict(zip(used, image.split([len(rows) for rows, _ in used.values()]), strict=True))


def add_references(truth: Degraded, items: list[Item]) -> None:
    """The figures of the blurred images, and of the Wiener filter that knows each photograph's spectrum."""
    plain = image_figures(truth.y, truth.x)
    fits = max(truth.psf.shape[-2:]) <= min(truth.x.shape[-2:])  # circular: no kernel may be wider than the image
    wiener = isnr_oracle_wiener(truth.x, truth.psf, truth.sigma) if fits else None
    for row, item in enumerate(items):
        item.restorations["blurred"] = {name: float(values[row]) for name, values in plain.items()}
        if wiener is not None:
            item.restorations["oracle_wiener"] = {"isnr": float(wiener[row])}


def mean_kernel(family: BlurFamily, seed: int) -> Tensor:
    """The mean (1, 1, k, k) of kernels as they are drawn in training: the best answer of who does not look."""
    draws = generator(seed, "constant kernel")
    batches = [family.sample(AT_ONCE, generator=draws).psf for _ in range(DRAWS_AVERAGED // AT_ONCE)]
    return torch.cat(batches).mean(0, keepdim=True)
