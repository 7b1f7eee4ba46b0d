"""ISNR of TV over its strength, true kernel: ``python experiments/bench/tv_weight.py FOLDER``.

The weight is alpha = strength sigma^1.5. FOLDER holds DRIVE, CHASE_DB1 and BSDS500; of each the validation photographs
of blurlab's own split are taken (``--count`` of them at most), never those that are tested on: green, 270 x 270. They
are blurred with 4, 6, 8, 10 horizontal taps, cropped to the 256 x 256 pixels that the image determines (boundary
``valid``), given Gaussian noise, and restored with boundary ``unknown``.
"""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from blurlab.dataset import Bsds500, ChaseDb1, Drive, Source, make_split, prepare_all
from blurlab.deconvolver import TV

SIZE, MARGIN = 256, 7
TAPS = (4, 6, 8, 10)
SIGMAS = (0.002, 0.004, 0.01)


def load(source: Source, count: int) -> Tensor:
    """Green channels (n, 1, 270, 270) of a set's validation photographs in [0, 1]."""
    split = make_split(source)
    done = prepare_all(source, split.val[:count], SIZE + 2 * MARGIN, "green", digests=split.digests)
    return torch.from_numpy(np.stack(done.arrays).transpose(0, 3, 1, 2)).float() / 255


def horizontal(taps: int) -> Tensor:
    """``taps`` equal taps in a row, (1, 1, 15, 15); even numbers lie half a pixel to the right."""
    psf = torch.zeros(1, 1, 2 * MARGIN + 1, 2 * MARGIN + 1)
    first = MARGIN - (taps - 1) // 2
    psf[..., MARGIN, first : first + taps] = 1 / taps
    return psf


def isnr(x: Tensor, y: Tensor, restored: Tensor) -> Tensor:
    """ISNR (B,) [dB]."""
    return 10 * torch.log10((y - x).square().sum((1, 2, 3)) / (restored - x).square().sum((1, 2, 3)))


def measure(sharp: Tensor, strengths: list[float], iterations: int) -> dict[str, dict[str, list[float]]]:
    """``"sigma/taps" -> strength -> ISNR per image``."""
    inner = sharp[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
    table: dict[str, dict[str, list[float]]] = {}
    for sigma in SIGMAS:
        for taps in TAPS:
            psf = horizontal(taps)
            noise = torch.randn(inner.shape, generator=torch.Generator().manual_seed(0))
            y = torch.nn.functional.conv2d(sharp, psf.flip(-2, -1)) + sigma * noise
            solvers = {f"{c:g}": TV(strength=c, iterations=iterations) for c in strengths}
            values = {c: isnr(inner, y, solver(y, psf, sigma).image) for c, solver in solvers.items()}
            table[f"{sigma:g}/{taps}"] = {c: [round(v, 3) for v in value.tolist()] for c, value in values.items()}
            print(
                f"{sigma:g}/{taps}",
                {c: round(float(value.mean()), 2) for c, value in values.items()},
                flush=True,
            )
    return table


def main() -> None:
    """Measure, print a line per noise and taps, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--strengths", type=float, nargs="+", default=[1.0, 1.5, 2.0, 2.5, 3.0])
    parser.add_argument("--iterations", type=int, default=40)
    parser.add_argument("--count", type=int, default=6, help="photographs of each set at most")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "tv_weight.json")
    args = parser.parse_args()
    torch.set_num_threads(1)
    record = {"size": SIZE, "channel": "green", "boundary": {"data": "valid", "solver": "unknown"}}
    record |= {
        "iterations": args.iterations,
        "torch": torch.__version__,
        "cpu": platform.machine(),
        "isnr": {},
    }
    for source in (Drive(args.folder), ChaseDb1(args.folder), Bsds500(args.folder)):
        name, sharp = source.name, load(source, args.count)
        print(name, len(sharp), "images")
        steepness = torch.hypot(sharp.diff(dim=-1)[..., 1:, :], sharp.diff(dim=-2)[..., 1:]).mean((1, 2, 3))
        record["isnr"][name] = measure(sharp, args.strengths, args.iterations)
        record["isnr"][name]["mean_gradient"] = [round(v, 5) for v in steepness.tolist()]
    args.output.parent.mkdir(exist_ok=True)
    args.output.write_text(json.dumps(record, indent=1) + "\n")
    print(args.output)


if __name__ == "__main__":
    main()
