"""Figures of kernels without a name: of one item, and of all of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from blurlab.blur import BlurFamily, Mixture
from blurlab.blur.shape import odd_at_least
from blurlab.metric import align, error_ratio, kernel_correlation, norm_ratio
from blurlab.physics import Degraded
from blurlab.run.record.means import interval, proportion
from blurlab.run.record.restored import RestoredItem

LIMITS = (2, 3, 5)
"""Error ratios up to which an image counts as restored, by the data set: 2 or 3 with Levin's, 5 with large ones."""
MEANS = {"error_ratio": "error_ratio_mean", "norm_ratio": "norm_ratio_mean"}
"""Figure of an item -> name of its mean, where that is another one."""
UNITS = {"psnr": "dB", "ssim": "", "error_ratio": "", "norm_ratio": "", "kernel_correlation": "", "blind_s": "s"}
"""Figures of an item whose means stand in a record, and their units."""


def kernel_side(family: BlurFamily, case: Degraded) -> int:
    """The odd side [px] of the smallest square that holds the true blur of an item: what a blind method may be told."""
    kind = int(case.kind[0])
    params = case.params[0].tolist()
    if not isinstance(family, Mixture):
        return odd_at_least(family.extent_px(*params))
    return odd_at_least(family.member(kind).extent_px(*params[family.columns(kind)]))


def blind_figures(
    case: Degraded, images: dict[str, Tensor], psf: Tensor, blind_s: float, side_px: int
) -> dict[str, float]:
    """What is measured of an item whose kernel was estimated and has no name: its images are aligned first.

    Args:
        case: The item.
        images: Restored (1, C, H, W) with the true kernel, "oracle", and with that found, "estimated".
        psf: The kernel found (1, 1, k, k).
        blind_s: Processor time of the estimate, s.
        side_px: Side of the true kernel.
    """
    x_hat, (x_known, x, _) = align(images["estimated"], case.x).x_hat, align(images["oracle"], case.x)
    grey = [one.mean(1, keepdim=True) for one in (x_hat, x_known, x)]
    return {
        "error_ratio": float(error_ratio(x_hat, x_known, x)),
        "norm_ratio": float(norm_ratio(*grey)),
        "kernel_correlation": float(kernel_correlation(psf, case.psf)),
        "kernel_side_px": side_px,
        "blind_s": blind_s,
    }


def blind_summary(items: Sequence[RestoredItem], seed: int) -> dict[str, Any]:
    """Entries of ``metrics``: means and shares over all items, and over those of each size of kernel.

    ``error_ratio_le_2`` is the share of items with a ratio up to 2; ``error_ratio_le_2/19`` that of kernels of 19 px.

    Args:
        items: The items restored; those without an estimate of this kind do not count.
        seed: Seeds the bootstrap.
    """
    blind = [item for item in items if "error_ratio" in item.figures.get("estimated", {})]
    found = _means(blind, seed)
    sides = sorted({int(item.figures["estimated"]["kernel_side_px"]) for item in blind})
    for side in sides if len(sides) > 1 else ():
        some = [item for item in blind if item.figures["estimated"]["kernel_side_px"] == side]
        found |= {f"{name}/{side}": entry for name, entry in _means(some, seed).items()}
    return found


def _means(items: Sequence[RestoredItem], seed: int) -> dict[str, Any]:
    if not items:
        return {}
    photos = [item.photo for item in items]
    found: dict[str, Any] = {}
    for figure, unit in UNITS.items():
        values = [item.figures["estimated"][figure] for item in items]
        found[MEANS.get(figure, figure)] = interval(values, photos, seed, unit)
    ratios = [item.figures["estimated"]["error_ratio"] for item in items]
    for limit in LIMITS:
        found[f"error_ratio_le_{limit}"] = proportion(sum(ratio <= limit for ratio in ratios), len(ratios))
    return found
