"""What kernels leave unexplained in the captures of Levin et al.

    python experiments/nonblind/unexplained.py FOLDER    # writes results/unexplained.json

FOLDER holds ``levin09``. For each capture three standard deviations on the [0, 1] scale: the noise, measured in the
capture; what is left of it after the sharp photograph was blurred with the recorded kernel and moved to where that is
least; and what is left after the kernel of 35 x 35 px that leaves least of all, by least squares, nothing asked of it.
No deconvolver that is given one kernel for the whole picture can do as if the noise were less than the last.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from orientation import BORDER_PX, KERNELS, as_batch, residual
from torch import Tensor
from torch.nn import functional as F

from blurlab.blur import recorded_kernels
from blurlab.dataset import Levin09
from blurlab.noise import estimate_sigma

SIDE_PX = 35
RESULT = Path(__file__).parent / "results" / "unexplained.json"


def least(x: Tensor, y: Tensor) -> float:
    """Standard deviation of y - h * x for the kernel h that makes it least; a constant of y's own is taken away."""
    reach, height, width = SIDE_PX // 2, x.shape[-2], x.shape[-1]
    inner = y[0, 0, BORDER_PX : height - BORDER_PX, BORDER_PX : width - BORDER_PX].double().flatten()
    near = x[..., BORDER_PX - reach : height - BORDER_PX + reach, BORDER_PX - reach : width - BORDER_PX + reach]
    shifted = F.unfold(near, SIDE_PX)[0].double()  # (SIDE_PX^2, pixels)
    shifted = torch.cat([shifted, torch.ones_like(shifted[:1])])
    gram = shifted @ shifted.T
    kernel = torch.linalg.solve(gram + 1e-9 * gram.diagonal().mean() * torch.eye(len(gram)), shifted @ inner)
    freedom = len(inner) - len(kernel)
    return float(((inner - kernel @ shifted).square().sum() / freedom).sqrt())


def main() -> None:
    """Print a line per capture, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path, default=RESULT)
    args = parser.parse_args()
    source, turned = Levin09(args.folder), json.loads((RESULT.parent / "orientation.json").read_text())["turned"]
    family = recorded_kernels(f"{args.folder}/levin09/gt", KERNELS, turned=turned)
    found: dict[str, dict[str, float]] = {}
    for photo in source.photos():
        x = as_batch(source.load(photo))
        for kind, name in enumerate(family.kinds):
            y = as_batch(source.observed(photo.id, name))
            psf = family.psf(torch.empty(1, 0), kind)
            values = {"noise": float(estimate_sigma(y)), "recorded": residual(x, y, psf), "any": least(x, y)}
            found[f"{photo.id}, {name}"] = {key: round(value, 5) for key, value in values.items()}
            print(photo.id, name, found[f"{photo.id}, {name}"], flush=True)
    mean = {key: round(float(np.mean([row[key] for row in found.values()])), 5) for key in ("noise", "recorded", "any")}
    record = {"side_px": SIDE_PX, "border_px": BORDER_PX, "mean": mean, "captures": found}
    args.output.write_text(json.dumps(record, indent=1) + "\n")
    print(mean, args.output)


if __name__ == "__main__":
    main()
