"""Figures of restored images: of one item, and of all of a run with their limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from torch import Tensor

from blurlab.metric import (
    IMAGE_METRICS,
    align,
    image_figures,
    isnr,
    isnr_border,
    isnr_oracle_wiener,
    psnr,
    psnr_oracle_wiener,
)
from blurlab.physics import Convolution, Degraded
from blurlab.run.record.lines import Line
from blurlab.run.record.means import interval
from blurlab.run.record.rows import TRUE_KERNEL, NamedBlur

BORDER_PX = 16
"""Width of the frame whose ISNR stands beside that of the rest."""
WIENER = "Wiener filter that knows kernel, noise and the photograph's own spectrum; circular, expected over the noise"
UNITS = {
    **{name: metric.unit for name, metric in IMAGE_METRICS.items()},
    "isnr": "dB", "isnr_border16": "dB", "isnr_interior": "dB",
}  # fmt: skip
"""Unit of each figure that has a mean; the shift of a capture has none."""


@dataclass(frozen=True)
class RestoredItem:
    """One item of stage ``restore``.

    Attributes:
        photo: Name of the photograph.
        blur: The blur that it was taken through, or that was drawn.
        sigma: Standard deviation of the noise.
        restore_s: Time of the deconvolver.
        figures: By what they are of: ``""`` the restored image where no kernel is estimated, else "oracle" and
            "estimated", the kernel that it was restored with; "blurred", the image observed; "oracle_wiener".
    """

    photo: str
    blur: NamedBlur
    sigma: float
    restore_s: float
    figures: dict[str, dict[str, float]]

    @staticmethod
    def from_json(value: dict[str, Any]) -> RestoredItem:
        """The item whose ``dataclasses.asdict`` this is."""
        return RestoredItem(**{**value, "blur": NamedBlur(**value["blur"])})

    def line(self) -> Line:
        """Its columns in ``per_image.csv``."""
        columns: Line = {"photo": self.photo, "kind": self.blur.kind, **self.blur.params, "sigma": self.sigma}
        columns["restore_s"] = self.restore_s
        for of, figures in self.figures.items():
            columns |= {_name(figure, of): value for figure, value in figures.items()}
        return columns


def _name(figure: str, of: str) -> str:
    return f"{figure}_{of}" if of else figure


def figures(case: Degraded, image: Tensor, moves: bool) -> dict[str, float]:
    """Image metrics and ISNR of a restored image.

    Args:
        case: The item.
        image: Restored (1, C, H, W).
        moves: Is its place against the sharp image unknown, since the image was taken blurred, or its kernel has no
            place of its own? Then it is aligned first, and its border is cut; else ISNR of the frame and of the inside
            are told, too.
    """
    x, y = case.x, case.y
    if moves:
        moved, before = align(image, x), align(y, x)
        down, right = moved.shift_px[0].tolist()
        gain = float(psnr(moved.x_hat, moved.x)) - float(psnr(before.x_hat, before.x))
        shift = {"shift_down_px": down, "shift_right_px": right}
        return {**_plain(moved.x_hat, moved.x), "isnr": gain, **shift}
    return {
        **_plain(image, x),
        "isnr": float(isnr(y, image, x)),
        "isnr_border16": float(isnr_border(y, image, x, border=BORDER_PX)),
        "isnr_interior": float(isnr(y, image, x, border=BORDER_PX)),
    }


def _plain(image: Tensor, x: Tensor) -> dict[str, float]:
    """Every image metric of one image."""
    return {name: float(value) for name, value in image_figures(image, x).items()}


def reference(case: Degraded, moves: bool) -> dict[str, dict[str, float]]:
    """What the blurred image has, and what the Wiener filter that knows the spectrum would reach.

    Args:
        case: The item.
        moves: As in :func:`figures`.
    """
    y, x = case.y, case.x
    if moves:
        y, x, _ = align(y, x)
    found = {"blurred": _plain(y, x)}
    if not isinstance(case.blur, Convolution):  # the filter knows one kernel
        return found
    if max(case.psf.shape[-2:]) <= min(case.x.shape[-2:]):  # circular: no kernel may be wider than the image
        found["oracle_wiener"] = {
            "psnr": float(psnr_oracle_wiener(case.x, case.psf, case.sigma)),
            "isnr": float(isnr_oracle_wiener(case.x, case.psf, case.sigma)),
        }
    return found


def restoration(items: Sequence[RestoredItem], seed: int) -> dict[str, Any]:
    """Means with bootstrap intervals over photographs, the median time of an image, and the limits beside them.

    Args:
        items: The items restored.
        seed: Seeds the bootstrap.

    Returns:
        Entries ``metrics`` and ``limit`` of the record.
    """
    pairs = dict.fromkeys((of, figure) for item in items for of, known in item.figures.items() for figure in known)
    metrics: dict[str, Any] = {}
    for of, figure in pairs:
        values = [(item.figures.get(of, {}).get(figure, math.nan), item.photo) for item in items]
        known = [(value, photo) for value, photo in values if math.isfinite(value)]
        if known and figure in UNITS:
            numbers, photos = [value for value, _ in known], [photo for _, photo in known]
            metrics[_name(figure, of)] = interval(numbers, photos, seed, UNITS[figure])
    metrics["restore_s"] = {"value": median(item.restore_s for item in items), "n": len(items), "unit": "s"}
    limit = {
        _name(figure, of): {"value": metrics[f"{figure}_oracle_wiener"]["value"], "how": WIENER}
        for figure in ("psnr", "isnr")
        for of in ("", "oracle")
        if _name(figure, of) in metrics and f"{figure}_oracle_wiener" in metrics
    }
    for figure in ("isnr", *IMAGE_METRICS):
        if f"{figure}_estimated" in metrics:
            limit[f"{figure}_estimated"] = {"value": metrics[f"{figure}_oracle"]["value"], "how": TRUE_KERNEL}
    return {"metrics": metrics, "limit": limit}
