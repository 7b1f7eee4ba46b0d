"""Weight of the hyper-Laplacian prior from the noise: ``python experiments/bench/hyper_weight.py FOLDER``.

FOLDER holds DRIVE, CHASE_DB1 and BSDS500; of each the validation photographs of blurlab's own split are taken
(``--count`` of them at most; of BSDS500 none of the authors' test part), never those that are tested on: green, the
inner 176 x 176 of 270 x 270. They are blurred by lines of 6 px at 0 and 13 px at 30 degrees and a disk of radius 3 px,
cropped to the 162 x 162 pixels that the image determines (boundary ``valid``), given Gaussian noise, and restored with
boundary ``unknown`` over a grid of alpha. The record keeps the mean ISNR of each set, the best alpha for each noise (of
the mean of the sets; a parabola through the best three) and the law ``alpha = strength sigma^exponent`` through them,
for ``--variants`` pairs of p and omega.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from validation import MARGIN, SIGMAS, load

from blurlab.blur.defocus import disk_psf
from blurlab.blur.motion import motion_psf
from blurlab.dataset import Bsds500, ChaseDb1, Drive
from blurlab.deconvolver import HyperLaplacian
from blurlab.metric import isnr

CUT = 47
"""Pixels cut off each side of a photograph."""
STEPS = (-1, 0, 1)
"""Powers of 2 by which alpha is tried around a first guess."""
VARIANTS = ((0.8, 0.5), (2 / 3, 0.0), (2 / 3, 0.5), (0.8, 0.0), (0.8, 1.0))
"""(p, omega)."""


def kernels() -> Tensor:
    """Two lines and a disk, (3, 1, 15, 15)."""
    side = 2 * MARGIN + 1
    lines = motion_psf(torch.tensor([6.0, 13.0]), torch.tensor([0.0, 30.0]), side)
    return torch.cat([lines, disk_psf(torch.tensor([3.0]), side)])


def guess(sigma: float, power: float, omega: float) -> float:
    """Where the grid of alpha is centred: found by hand on one photograph."""
    return (0.3 if power > 0.7 else 0.2) * (2 if omega == 0 else 1) * sigma**1.5


def measure(sharp: Tensor, sigma: float, alphas: list[float], power: float, omega: float) -> list[float]:
    """Mean ISNR for each alpha over photographs and kernels [dB]."""
    inner = sharp[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
    gains: list[list[float]] = [[] for _ in alphas]
    for psf in kernels().split(1):
        noise = torch.randn(inner.shape, generator=torch.Generator().manual_seed(0))
        y = torch.nn.functional.conv2d(sharp, psf.flip(-2, -1)) + sigma * noise
        for gain, alpha in zip(gains, alphas, strict=True):
            solver = HyperLaplacian(weight=alpha, power=power, omega=omega)
            gain += isnr(y, solver(y, psf, sigma).image, inner).tolist()
    return [round(float(np.mean(gain)), 3) for gain in gains]


def best(alphas: list[float], gains: np.ndarray) -> tuple[float, float]:
    """Alpha at the top of the parabola in log alpha through the best of the grid and its neighbours; gain there."""
    i = int(np.clip(gains.argmax(), 1, len(alphas) - 2))
    fit = np.polyfit(np.log(alphas[i - 1 : i + 2]), gains[i - 1 : i + 2], 2)
    place = float(np.clip(-fit[1] / (2 * fit[0]), *np.log([alphas[0], alphas[-1]])))
    return float(np.exp(place)), float(np.polyval(fit, place))


def law(table: dict[str, dict]) -> dict[str, float]:
    """Least squares line of log best alpha over log sigma."""
    sigmas = [float(sigma) for sigma in table]
    exponent, start = np.polyfit(np.log(sigmas), np.log([row["best_alpha"] for row in table.values()]), 1)
    return {"strength": round(float(np.exp(start)), 4), "exponent": round(float(exponent), 3)}


def sweep(sets: dict[str, Tensor], power: float, omega: float) -> dict:
    """``sigma -> alpha, ISNR of each set, best`` and the law through it, for one p and omega."""
    table: dict[str, dict] = {}
    for sigma in SIGMAS:
        alphas = [guess(sigma, power, omega) * 2.0**n for n in STEPS]
        gains = {name: measure(sharp, sigma, alphas, power, omega) for name, sharp in sets.items()}
        place, gain = best(alphas, np.mean(list(gains.values()), axis=0))
        own = {name: float(f"{best(alphas, np.array(values))[0]:.4g}") for name, values in gains.items()}
        table[f"{sigma:g}"] = {"alpha": [float(f"{a:.4g}") for a in alphas], "isnr": gains, "best_of_set": own}
        table[f"{sigma:g}"] |= {"best_alpha": float(f"{place:.4g}"), "best_isnr": round(gain, 3)}
        print(f"p {power:.3g} omega {omega:g} sigma {sigma:g}: alpha {place:.3g}, {gain:.2f} dB", own, flush=True)
    found = law(table)
    print(found, flush=True)
    return {"power": round(power, 4), "omega": omega, "law": found, "sigma": table}


def main() -> None:
    """Measure, print a line per noise, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=2, help="photographs of each set at most")
    parser.add_argument("--variants", type=int, default=1, help="how many pairs of p and omega")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "hyper_weight.json")
    args = parser.parse_args()
    torch.set_num_threads(1)
    sources = (Bsds500(args.folder, ("train", "val")), Drive(args.folder), ChaseDb1(args.folder))
    sets = {source.name: load(source, args.count)[..., CUT:-CUT, CUT:-CUT] for source in sources}
    record = {"size": 176 - 2 * MARGIN, "channel": "green", "boundary": {"data": "valid", "solver": "unknown"}}
    record |= {"images": {name: len(sharp) for name, sharp in sets.items()}, "torch": torch.__version__}
    record["variants"] = [sweep(sets, *pair) for pair in VARIANTS[: args.variants]]
    args.output.write_text(json.dumps(record, indent=1) + "\n")
    print(args.output)


if __name__ == "__main__":
    main()
