"""Figures of restored images: of one item, and of all of a run with their limits."""

from __future__ import annotations

import math
from statistics import median
from typing import Any

from torch import Tensor

from blurlab.dataset import Degraded
from blurlab.metric import align, isnr, isnr_border, isnr_oracle_wiener, psnr, psnr_oracle_wiener, ssim
from blurlab.run.record.means import interval

BORDER_PX = 16
"""Width of the frame whose ISNR stands beside that of the rest."""
WIENER = "Wiener filter that knows kernel, noise and the photograph's own spectrum; circular, expected over the noise"
UNITS = {"isnr": "dB", "psnr": "dB", "ssim": ""}
Row = dict[str, Any]


def figures(case: Degraded, image: Tensor, captured: bool) -> dict[str, float]:
    """PSNR, SSIM and ISNR of a restored image; of a capture after alignment, of the rest also frame and inside."""
    x, y = case.x, case.y
    if captured:
        moved, before = align(image, x), align(y, x)
        down, right = moved.shift_px[0].tolist()
        reached = float(psnr(moved.x_hat, moved.x))
        gain = reached - float(psnr(before.x_hat, before.x))
        shift = {"shift_down_px": down, "shift_right_px": right}
        return {"psnr": reached, "ssim": float(ssim(moved.x_hat, moved.x)), "isnr": gain, **shift}
    return {
        "psnr": float(psnr(image, x)),
        "ssim": float(ssim(image, x)),
        "isnr": float(isnr(y, image, x)),
        "isnr_border16": float(isnr_border(y, image, x, border=BORDER_PX)),
        "isnr_interior": float(isnr(y, image, x, border=BORDER_PX)),
    }


def reference(case: Degraded, captured: bool) -> dict[str, float]:
    """What the blurred image has, and what the Wiener filter that knows the spectrum would reach."""
    y, x = case.y, case.x
    if captured:
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
        some = [row for row in rows if row.get(name) is not None and math.isfinite(row[name])]
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
