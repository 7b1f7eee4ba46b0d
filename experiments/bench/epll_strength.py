"""PSNR of EPLL over its strength, true kernel: ``python experiments/bench/epll_strength.py FOLDER``.

FOLDER holds bsds500/; validation photographs of BSDS500, which neither the patch prior nor any test has seen: the
middle 160 x 160 pixels, grey, blurred by slanted lines and disks and cropped to what the image determines (boundary
``valid``), with Gaussian noise; TV stands beside it.
"""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path

import torch
from torch import Tensor

from blurlab.blur import Defocus, Motion
from blurlab.core.rng import generator
from blurlab.dataset import Bsds500
from blurlab.dataset.prepare import pick_channel
from blurlab.deconvolver import EPLL, TV, Deconvolver
from blurlab.metric import psnr
from blurlab.physics import Convolution

SIDE, MARGIN = 160, 10
SIGMAS = (0.003, 0.01)


def kernels() -> Tensor:
    """Two lines and two disks, (4, 1, 21, 21)."""
    lines = Motion([3, 20], [0, 180], size=2 * MARGIN + 1).psf(torch.tensor([[9.0, 30.0], [17.0, 110.0]]))
    disks = Defocus([1, 8], size=2 * MARGIN + 1).psf(torch.tensor([[2.5], [5.0]]))
    return torch.cat([lines, disks])


def photographs(folder: Path, count: int) -> Tensor:
    """The middles of ``count`` validation photographs with a margin, (n, 1, SIDE + 2 MARGIN, ...), grey."""
    source, side = Bsds500(folder, ["val"]), SIDE + 2 * MARGIN
    photos, found = list(source.photos()), []
    for photo in photos[:: len(photos) // count][:count]:
        image = pick_channel(source.load(photo), "grey")
        top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
        found.append(torch.from_numpy(image[top : top + side, left : left + side, 0].copy()))
    return torch.stack(found)[:, None]


def main() -> None:
    """Measure, print a line per noise, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--strengths", type=float, nargs="+", default=[1.0, 1.5, 2.0])
    parser.add_argument("--count", type=int, default=4, help="photographs; they take the kernels in turn")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "epll_strength.json")
    args = parser.parse_args()
    torch.set_num_threads(1)
    sharp = photographs(args.folder, args.count)
    psf = kernels()[torch.arange(len(sharp)) % 4]
    x, blurred = sharp[..., MARGIN:-MARGIN, MARGIN:-MARGIN], Convolution(psf, "valid").A(sharp)
    solvers: dict[str, Deconvolver] = {f"epll {c:g}": EPLL(strength=c) for c in args.strengths}
    solvers |= {"tv": TV()}
    table: dict[str, dict[str, list[float]]] = {}
    for sigma in SIGMAS:
        y = blurred + sigma * torch.randn(blurred.shape, generator=generator("epll strength", str(sigma)))
        values = {name: psnr(solver(y, psf, sigma).image, x) for name, solver in solvers.items()}
        table[f"{sigma:g}"] = {name: [round(v, 3) for v in value.tolist()] for name, value in values.items()}
        print(f"sigma {sigma:g}", {name: round(float(value.mean()), 2) for name, value in values.items()}, flush=True)
    record = {"photographs": f"BSDS500 val, {len(sharp)} middles of {SIDE} px, grey", "psnr": table}
    record |= {
        "boundary": {"data": "valid", "solver": "unknown"},
        "torch": torch.__version__,
        "cpu": platform.machine(),
    }
    args.output.write_text(json.dumps(record, indent=1) + "\n")
    print(args.output)


if __name__ == "__main__":
    main()
