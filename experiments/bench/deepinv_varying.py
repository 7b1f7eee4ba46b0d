"""Blur that varies over the image, against deepinv's.

    make bench-deepinv                               # once: deepinv in an environment of its own
    python experiments/bench/deepinv_varying.py      # writes results/deepinv_varying.json

The same kernels, weights and images in float64, under every boundary that both have: the greatest difference of
``physics.ProductConvolution`` and deepinv's ``SpaceVaryingBlur``, of the blurred images and of the adjoint, over the
greatest value. deepinv works in a process of its own environment, which has no blurlab.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

PADDING = {"circular": "circular", "reflect": "reflect", "replicate": "replicate", "zero": "constant", "valid": "valid"}
"""blurlab's name of a boundary -> deepinv's."""
KERNELS, SIZE, SHAPE, CHANNELS, IMAGES = 3, 7, (33, 40), 2, 2
ROOT = Path(__file__).parents[2]


def deepinv_side(folder: Path) -> None:
    """In deepinv's environment: blur, and blur back, what lies in the folder; write what comes out beside it."""
    import torch
    from deepinv_side import import_deepinv

    deepinv = import_deepinv()
    arrays = np.load(folder / "arrays.npz")
    x, psf, weight = (torch.from_numpy(arrays[name]) for name in ("x", "psf", "weight"))
    filters = psf[:, None].expand(-1, x.shape[1], -1, -1, -1)
    multipliers = weight[:, None].expand(-1, x.shape[1], -1, -1, -1)
    found: dict[str, Any] = {"version": np.array(deepinv.__version__)}
    for name, padding in PADDING.items():
        physics = deepinv.physics.SpaceVaryingBlur(filters=filters, multipliers=multipliers, padding=padding)
        y = physics.A(x)
        found[f"{name}_y"], found[f"{name}_back"] = y.numpy(), physics.A_adjoint(y).numpy()
    np.savez(folder / "deepinv.npz", **found)


def compare(python: Path) -> dict[str, Any]:
    """Relative differences by boundary."""
    import torch

    from blurlab.core.rng import generator
    from blurlab.physics import ProductConvolution, grid_windows

    draw = generator("deepinv varying")
    x = torch.rand(IMAGES, CHANNELS, *SHAPE, generator=draw, dtype=torch.float64)
    psf = torch.rand(IMAGES, KERNELS, SIZE, SIZE, generator=draw, dtype=torch.float64)
    weight = grid_windows(SHAPE, (1, KERNELS))[None].double().expand(IMAGES, -1, -1, -1).contiguous()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "arrays.npz", x=x.numpy(), psf=psf.numpy(), weight=weight.numpy())
        subprocess.run([str(python), __file__, "--side", name], check=True)
        with np.load(folder / "deepinv.npz") as file:
            theirs = {key: file[key] for key in file.files}
    found: dict[str, Any] = {"deepinv": str(theirs["version"]), "torch": torch.__version__, "boundary": {}}
    for boundary in PADDING:
        operator = ProductConvolution(psf, weight, boundary)
        y = operator.A(x)
        pairs = {"forward": (y, "y"), "adjoint": (operator.A_adjoint(y), "back")}
        found["boundary"][boundary] = {
            what: float(np.abs(ours.numpy() - theirs[f"{boundary}_{key}"]).max() / np.abs(ours.numpy()).max())
            for what, (ours, key) in pairs.items()
        }
    return found


def main() -> None:
    """Compare, print, write the record."""
    if sys.argv[1:2] == ["--side"]:
        deepinv_side(Path(sys.argv[2]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deepinv", type=Path, default=ROOT / ".venv-deepinv" / "bin" / "python")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "deepinv_varying.json")
    args = parser.parse_args()
    if not args.deepinv.exists():
        raise SystemExit(
            f"deepinv not found at {args.deepinv}: run `make bench-deepinv`, or name its python by --deepinv"
        )
    found = compare(args.deepinv)
    print(json.dumps(found, indent=1))
    args.output.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
