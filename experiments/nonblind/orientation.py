"""Which kernels of Levin et al. are stored turned: the blurred photographs decide, by residual.

    python experiments/nonblind/orientation.py FOLDER > experiments/nonblind/results/orientation.json

FOLDER holds ``levin09``. Each sharp photograph is blurred with each kernel as it is stored and turned by 180 degrees;
what is left of the blurred photograph, up to a shift, says which is right. Nothing else is chosen by these photographs.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
import torch

from blurlab.blur import recorded_kernels
from blurlab.dataset import Levin09
from blurlab.metric import align
from blurlab.physics import Convolution

BORDER_PX = 20
KERNELS = r"kernel\d+\.png"


def residual(x: torch.Tensor, y: torch.Tensor, psf: torch.Tensor) -> float:
    """Standard deviation of y - h * x, after the best shift, 20 px from the border on."""
    moved = align(Convolution(psf, "reflect").A(x), y, border=BORDER_PX)
    return float((moved.x_hat - moved.x).std())


def main() -> None:
    """Print each kernel's residuals, means over the photographs, and which way explains them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    root = parser.parse_args().folder
    source, lines = Levin09(root), {}
    stored = recorded_kernels(f"{root}/levin09/gt", KERNELS)
    turned = recorded_kernels(f"{root}/levin09/gt", KERNELS, turned=stored.kinds)
    photos = [(photo.id, as_batch(source.load(photo))) for photo in source.photos()]
    for kind, name in enumerate(stored.kinds):
        found = {"as_stored": stored, "turned": turned}
        for way, family in found.items():
            psf = family.psf(torch.empty(1, 0), kind)
            each = [residual(x, as_batch(source.observed(photo.id, name)), psf) for photo, x in photos]
            found[way] = round(float(np.mean(each)), 5)
        lines[name] = {**found, "turn": found["turned"] < found["as_stored"]}
    print(json.dumps({"residual": lines, "turned": [name for name in lines if lines[name]["turn"]]}, indent=1))


def as_batch(image: np.ndarray) -> torch.Tensor:
    """An image (H, W, 1) as a batch of one."""
    return torch.from_numpy(image).permute(2, 0, 1)[None]


if __name__ == "__main__":
    main()
