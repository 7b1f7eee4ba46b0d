"""Measure real fundus photographs as the test of the synthetic ones does; write `fundus_spectra.json` beside this.

Usage: python tests/golden/make_fundus_spectra.py DATA
DATA holds the photographs of DRIVE in drive/*.png and those of CHASE_DB1 in chase_db1/*.jpg; none of them is copied.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIDE = 256
EDGES = np.array([0.02, 0.03, 0.045, 0.065, 0.09, 0.12, 0.16, 0.20, 0.25, 0.30, 0.36, 0.42, 0.48])
FOLDERS = {"drive": "drive/*.png", "chase_db1": "chase_db1/*.jpg"}


def prepared_green(photo: NDArray[np.float32]) -> NDArray[np.float64]:
    """Centre square crop of (H, W, 3), area-average resize to 256x256, green channel, values in [0, 1]."""
    import cv2

    side = min(photo.shape[:2])
    top, left = ((length - side) // 2 for length in photo.shape[:2])
    green = np.ascontiguousarray(photo[top : top + side, left : left + side, 1], dtype=np.float32)
    return cv2.resize(green, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float64)


def measures(green: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hann-windowed power per radial band in dB, its horizontal-over-vertical balance in dB, then the log kurtosis.

    Returns:
        (2 * bands + 1,): power of each band of cycles/pixel in ``EDGES``; 10 log10 of power within 45 degrees of the
        horizontal frequency axis over the rest, band by band; log10 of the median kurtosis of the two first differences
        over the 32x32 blocks that lie inside the field of view.
    """
    window = np.outer(np.hanning(SIDE), np.hanning(SIDE))
    centred = (green - (green * window).sum() / window.sum()) * window
    power = np.abs(np.fft.fft2(centred)) ** 2 / (window**2).sum()
    fy, fx = np.meshgrid(np.fft.fftfreq(SIDE), np.fft.fftfreq(SIDE), indexing="ij")
    band = np.digitize(np.hypot(fx, fy), EDGES) - 1
    flat = np.abs(fx) > np.abs(fy)
    steep = np.abs(fx) < np.abs(fy)
    bands = range(len(EDGES) - 1)
    level = [10 * np.log10(power[band == i].mean()) for i in bands]
    ratio = [10 * np.log10(power[(band == i) & flat].mean() / power[(band == i) & steep].mean()) for i in bands]
    return np.array([*level, *ratio, np.log10(_block_kurtosis(green))])


def _block_kurtosis(green: NDArray[np.float64], block: int = 32) -> float:
    """Median over the inner blocks of E[d^4] / E[d^2]^2, d the centred first differences of both axes."""
    values = []
    for top in range(block, SIDE - block, block):
        for left in range(block, SIDE - block, block):
            if np.hypot(top + block / 2 - SIDE / 2, left + block / 2 - SIDE / 2) > 0.36 * SIDE:
                continue
            patch = green[top : top + block, left : left + block]
            for axis in (0, 1):
                d = np.diff(patch, axis=axis)
                d = d - d.mean()
                values.append((d**4).mean() / (d**2).mean() ** 2)
    return float(np.median(values))


def summary(rows: NDArray[np.float64]) -> dict[str, object]:
    """Mean and per-image standard deviation of the measures of several photographs, by name."""
    bands = len(EDGES) - 1
    names = {"power_db": slice(0, bands), "balance_db": slice(bands, 2 * bands), "log_kurtosis": slice(2 * bands, None)}
    return {
        "photographs": len(rows),
        **{
            name: {
                "mean": rows[:, part].mean(0).round(4).tolist(),
                "std": rows[:, part].std(0, ddof=1).round(4).tolist(),
            }
            for name, part in names.items()
        },
    }


def main(data: Path) -> None:
    """Write the reference file from the photographs under ``data``."""
    from PIL import Image

    rows = {}
    for name, pattern in FOLDERS.items():
        files = sorted(data.glob(pattern))
        photos = [np.asarray(Image.open(file).convert("RGB")).astype(np.float32) / np.float32(255) for file in files]
        rows[name] = np.stack([measures(prepared_green(photo)) for photo in photos])
    spread = {name: summary(values) for name, values in rows.items()}
    text = json.dumps({"side": SIDE, "edges_cycles_per_px": EDGES.tolist(), **spread}, indent=1)
    Path(__file__).with_name("fundus_spectra.json").write_text(text + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
