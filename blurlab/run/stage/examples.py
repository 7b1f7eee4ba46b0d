"""A few test items as pictures: sharp, blurred, restored with the true kernel and with the one found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from blurlab.core.image_io import write_image
from blurlab.physics import Degraded
from blurlab.pipeline import BlurEstimate
from blurlab.run.record.rows import Item
from blurlab.run.setup.context import Context

COUNT = 6
SHOWN = ("sharp", "blurred", "oracle", "estimated")
Images = dict[str, Tensor]
FAINT = 0.34
"""A kernel whose largest weight is above this hardly shows in a picture."""


class Gallery:
    """A few test items as pictures, kept while the items are measured: nothing is drawn or restored for them.

    One item of each of up to ``COUNT`` photographs spread over the set. Among its restored items it is the first of the
    kind whose turn it is, or else the first blurred one; its kernel shows, and no other example has its title.

    Args:
        context: The run; the pictures go to ``<run>/examples``.
        draws: Items a photograph.
    """

    def __init__(self, context: Context, draws: int) -> None:
        self.context = context
        self.draws = draws
        self.step = max(1, len(context.data.test) // COUNT)
        self.entries: list[dict[str, Any]] = []
        self._photo = -1
        self._wanted = False
        self._spare: _Example | None = None

    def offer(
        self, truth: Degraded, items: Sequence[Item], estimate: BlurEstimate, rows: Sequence[int], images: Images
    ) -> None:
        """Look at restored items, and keep those that are examples.

        Args:
            truth: The items (n of them), in the order of the set.
            items: What was measured of each.
            estimate: What was found in the batch that they are of.
            rows: The row of each item in the estimate.
            images: Restored images (n, C, H, W) by kernel used, those of ``oracle`` and ``estimated`` among them.
        """
        kinds = self.context.identifier.family.kinds
        blurred = [kind for kind in kinds if kind != "none"]
        for place, item in enumerate(items):
            photo = int(truth.item[place]) // self.draws
            if photo != self._photo:
                self.finish()
                self._photo, self._wanted = photo, photo % self.step == 0 and len(self.entries) < COUNT
            if not self._wanted or float(truth.psf[place].max()) > FAINT:
                continue
            title = blur_title(item.truth.kind, item.truth.strength_px)
            if any(title == entry["title"] for entry in self.entries):
                continue
            words = in_words(estimate, kinds, rows[place])
            pictures = {"sharp": truth.x, "blurred": truth.y, **images}
            example = _Example(title, words, item, {name: _array(pictures[name][place]) for name in SHOWN})
            if item.truth.kind == blurred[len(self.entries) % len(blurred)]:
                self._keep(example)
            else:
                self._spare = self._spare or example

    def finish(self) -> list[dict[str, Any]]:
        """The entries of the record so far, that of the photograph before among them if only a spare was found."""
        if self._spare is not None:
            self._keep(self._spare)
        return self.entries

    def _keep(self, example: _Example) -> None:
        """Write the pictures."""
        folder, context = "examples", self.context
        (context.dir / folder).mkdir(exist_ok=True)
        names = {name: f"{folder}/{len(self.entries)}_{name}.png" for name in SHOWN}
        for name, path in names.items():
            context.pictures[path] = example.pictures[name]
            write_image(context.dir / path, example.pictures[name])
        item = example.item
        self.entries.append(
            {
                "title": example.title,
                "estimated": example.estimated,
                "photo": item.photo,
                "sharp": names["sharp"],
                "blurred": names["blurred"],
                "oracle": names["oracle"],
                "estimated_image": names["estimated"],
                "isnr_oracle": item.figure("isnr", "oracle"),
                "isnr_estimated": item.figure("isnr", "estimated"),
                "ssim_blurred": item.figure("ssim", "blurred"),
                "ssim_estimated": item.figure("ssim", "estimated"),
            }
        )
        self._spare, self._wanted = None, False


@dataclass(frozen=True)
class _Example:
    """An item that may be shown."""

    title: str
    estimated: str
    item: Item
    pictures: dict[str, np.ndarray]


def blur_title(kind: str, strength_px: float) -> str:
    """A blur's kind, with its strength where it has one.

    Example:
        >>> blur_title("motion", 4.0), blur_title("gaussian_correlated", 0.0)
        ('motion 4.00 px', 'gaussian_correlated')
    """
    return f"{kind} {strength_px:.2f} px" if strength_px > 0 else kind


def in_words(estimate: BlurEstimate, kinds: Sequence[str], row: int = 0) -> str:
    """What was found in an image: kind, strength with its 90 % interval, and the kernel's strength if another.

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
    words = kinds[int(label.kind[row])]
    if math.isnan(float(label.interval_px[row, 0])):
        return words
    mean, used = float(label.strength_mean_px[row]), float(label.strength_px[row])
    low, high = label.interval_px[row].tolist()
    words += f" {mean:.2f} px (90 %: {low:.2f} to {high:.2f})"
    return words if abs(used - mean) < 0.005 else f"{words}, kernel of {used:.2f} px by least expected loss"


def _array(picture: Tensor) -> np.ndarray:
    return picture.permute(1, 2, 0).clamp(0, 1).cpu().numpy()
