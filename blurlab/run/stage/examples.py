"""A few test items as pictures: sharp, blurred, restored with the true kernel and with the one found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from blurlab.core.image_io import write_image
from blurlab.dataset import Degraded
from blurlab.metric import isnr, ssim
from blurlab.pipeline import BlurEstimate, Pipeline
from blurlab.run.setup.context import Context
from blurlab.run.setup.items import DegradedItems

COUNT = 6
FAINT = 0.34
"""A kernel whose largest weight is above this hardly shows in a picture."""


def keep_examples(context: Context, pipeline: Pipeline, items: DegradedItems, draws: int) -> list[dict[str, Any]]:
    """Write up to six examples under ``<run>/examples`` and return their entries of the record."""
    folder = context.dir / "examples"
    folder.mkdir(exist_ok=True)
    photos = len(context.data.test)
    step = max(1, photos // COUNT)
    entries: list[dict[str, Any]] = []
    for photo in range(0, photos, step):
        for draw in range(draws):
            entry = _example(context, pipeline, items[photo * draws + draw], photo, len(entries))
            if entry is not None and not any(entry["title"] == other["title"] for other in entries):
                entries.append(entry)
                break
        if len(entries) == COUNT:
            break
    return entries


def _example(
    context: Context, pipeline: Pipeline, degraded: Degraded, photo: int, number: int
) -> dict[str, Any] | None:
    """One example, or None where the item was not blurred or not of the kind whose turn it is."""
    kinds = context.identifier.family.kinds
    blurred = [kind for kind in kinds if kind != "none"]
    kind = kinds[int(degraded.kind[0])]
    if kind != blurred[number % len(blurred)] or float(degraded.psf.max()) > FAINT:
        return None
    done = pipeline(degraded.y, degraded.sigma)
    oracle = context.deconvolver(degraded.y, degraded.psf, degraded.sigma).image
    pictures = {"sharp": degraded.x, "blurred": degraded.y, "oracle": oracle, "estimated": done.image}
    names = {name: f"examples/{number}_{name}.png" for name in pictures}
    for name, picture in pictures.items():
        context.pictures[names[name]] = _array(picture)
        write_image(context.dir / names[name], context.pictures[names[name]])
    return {
        "title": blur_title(kind, float(degraded.strength_px[0])),
        "estimated": in_words(done.estimate, kinds),
        "photo": context.data.test.ids[photo],
        "sharp": names["sharp"],
        "blurred": names["blurred"],
        "oracle": names["oracle"],
        "estimated_image": names["estimated"],
        "isnr_oracle": float(isnr(degraded.y, oracle, degraded.x)),
        "isnr_estimated": float(isnr(degraded.y, done.image, degraded.x)),
        "ssim_blurred": float(ssim(degraded.y, degraded.x)),
        "ssim_estimated": float(ssim(done.image, degraded.x)),
    }


def blur_title(kind: str, strength_px: float) -> str:
    """A blur's kind, with its strength where it has one.

    Example:
        >>> blur_title("motion", 4.0), blur_title("gaussian_correlated", 0.0)
        ('motion 4.00 px', 'gaussian_correlated')
    """
    return f"{kind} {strength_px:.2f} px" if strength_px > 0 else kind


def in_words(estimate: BlurEstimate, kinds: Sequence[str]) -> str:
    """What was found in the first image: kind, strength with its 90 % interval, and the kernel's strength if another.

    Example:
        >>> import torch
        >>> from blurlab.blur import Defocus
        >>> from blurlab.pipeline import FreeKernel, Likelihood
        >>> y, family = torch.zeros(1, 1, 4, 4), Defocus([1, 2])
        >>> in_words(Likelihood(family).uninformed(y), ("none",)), in_words(FreeKernel(family).uninformed(y), ("none",))
        ('none', 'a kernel of 5x5 px')
    """
    label = estimate.label
    if label is None:
        return "a kernel of {}x{} px".format(*estimate.psf.shape[-2:])
    words = kinds[int(label.kind[0])]
    if math.isnan(float(label.interval_px[0, 0])):
        return words
    mean, used = float(label.strength_mean_px[0]), float(label.strength_px[0])
    low, high = label.interval_px[0].tolist()
    words += f" {mean:.2f} px (90 %: {low:.2f} to {high:.2f})"
    return words if abs(used - mean) < 0.005 else f"{words}, kernel of {used:.2f} px by least expected loss"


def _array(picture: Tensor) -> np.ndarray:
    return picture[0].permute(1, 2, 0).clamp(0, 1).cpu().numpy()
