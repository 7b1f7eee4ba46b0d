"""How well the noise of a blurred photograph is measured: ``python experiments/bench/noise_level.py FOLDER``.

FOLDER holds DRIVE, CHASE_DB1 and BSDS500. Photographs of blurlab's own test splits (``--count`` of each), green, the
central 224 x 224 of 250 x 250 pixels, blurred by a line, a disk or not at all (boundary ``valid``), with Gaussian
noise, as they are or rounded to 8 bits. The record holds the median, the least and the greatest of estimate / truth,
where the truth of a rounded image is sqrt(sigma^2 + (1/255)^2 / 12). Of a photograph that is not blurred the ratio
counts its own noise too. Haar's details are measured beside those of ``estimate_sigma``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from blurlab.blur import Defocus, Motion
from blurlab.core.rng import generator
from blurlab.dataset import Bsds500, ChaseDb1, Drive, Source, make_split, prepare_all
from blurlab.noise import estimate_sigma
from blurlab.noise.level import MAD_OF_NORMAL
from blurlab.physics import Convolution

SIZE, KERNEL = 250, 27
SIGMAS = (0.002, 0.004, 0.01)
LEVEL = 1 / 255


def blurs() -> dict[str, Tensor]:
    """Name -> kernel (1, 1, 27, 27)."""
    delta = torch.zeros(1, 1, KERNEL, KERNEL)
    delta[..., KERNEL // 2, KERNEL // 2] = 1
    disk = Defocus([1, 8], size=KERNEL).psf(torch.tensor([[4.0]]))
    line = Motion([3, 20], [0, 180], size=KERNEL).psf(torch.tensor([[9.0, 30.0]]))
    return {"none": delta, "disk of radius 4": disk, "line of 9 px": line}


def load(source: Source, count: int) -> Tensor:
    """Test photographs (n, 1, SIZE, SIZE)."""
    split = make_split(source)
    done = prepare_all(source, split.test[:count], SIZE, "green", digests=split.digests)
    return torch.from_numpy(np.stack(done.arrays)).permute(0, 3, 1, 2).float() / 255


def haar(y: Tensor) -> Tensor:
    """The same median of the diagonal details of the Haar wavelet, for comparison (B,)."""
    detail = y[..., 1:, 1:] - y[..., :-1, 1:] - y[..., 1:, :-1] + y[..., :-1, :-1]
    return (detail / 2).abs().flatten(1).median(1).values / MAD_OF_NORMAL


def main() -> None:
    """Measure, print, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "noise_level.json")
    args = parser.parse_args()
    torch.set_num_threads(1)
    record: dict[str, dict[str, list[float]]] = {}
    for source in (Drive(args.folder), ChaseDb1(args.folder), Bsds500(args.folder)):
        x = load(source, args.count)
        for name, psf in blurs().items():
            rows = record.setdefault(f"{source.name}, {name}", {})
            clean = Convolution(psf, "valid").A(x)
            for sigma in SIGMAS:
                y = clean + sigma * torch.randn(clean.shape, generator=generator("noise_level", str(sigma)))
                rounded = (y.clamp(0, 1) / LEVEL).round() * LEVEL
                truth = (sigma**2 + LEVEL**2 / 12) ** 0.5
                ratios = {"float": estimate_sigma(y) / sigma, "8 bit": estimate_sigma(rounded) / truth}
                for kind, ratio in (ratios | {"float, Haar": haar(y) / sigma}).items():
                    rows[f"{sigma:g}, {kind}"] = [
                        round(float(f(ratio)), 3) for f in (Tensor.median, torch.min, torch.max)
                    ]
            print(source.name, name, rows, flush=True)
    args.output.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
