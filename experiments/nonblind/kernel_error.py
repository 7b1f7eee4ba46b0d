"""What is gained and lost by assuming that a kernel is out of place where the noise is not told.

    python experiments/nonblind/kernel_error.py FOLDER    # writes results/kernel_error.json

FOLDER holds levin09 and bsds500. "captures": mean PSNR [dB] over the 32 images of Levin et al., whose kernels were
measured, aligned and cropped as in ``+experiment=levin32``, for each allowance [px] that is added to the measured noise
(:func:`blurlab.noise.effective_sigma`). "exact": mean ISNR [dB] of total variation over validation photographs of
BSDS500 blurred by exactly the kernel that is told, the noise told, measured, and measured with each allowance.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from orientation import KERNELS, as_batch
from torch import Tensor

from blurlab.blur import recorded_kernels
from blurlab.core.rng import generator
from blurlab.dataset import Bsds500, Levin09
from blurlab.dataset.prepare import pick_channel
from blurlab.deconvolver import TV, Deconvolver
from blurlab.metric import align, isnr, psnr
from blurlab.noise import effective_sigma, estimate_sigma
from blurlab.physics import Convolution

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "results"
ALLOWANCES_PX = (0.0, 0.1, 0.15, 0.2, 0.22, 0.25, 0.3)
SOLVERS = {
    "tv": ["deconvolver=tv"],
    "hyper_laplacian": ["deconvolver=hyper_laplacian"],
    "epll": ["deconvolver=epll"],
    "epll, strength 2": ["deconvolver=epll", "deconvolver.strength=2"],
}
SIGMAS, SIDE, MARGIN, PHOTOGRAPHS = (0.002, 0.004, 0.01), 160, 13, 8
CUT_PX = 15


def solver(words: list[str]) -> Deconvolver:
    """A deconvolver of conf/deconvolver with options."""
    with initialize_config_dir(str(ROOT / "conf"), version_base=None):
        cfg = compose(overrides=["+" + words[0], *words[1:]])
    return instantiate(cfg.deconvolver, _convert_="all")


def captures(folder: Path) -> tuple[Tensor, Tensor, Tensor]:
    """Sharp photographs, blurred ones and kernels, (32, 1, 255, 255) twice and (32, 1, k, k)."""
    source, turned = Levin09(folder), json.loads((RESULTS / "orientation.json").read_text())["turned"]
    family = recorded_kernels(f"{folder}/levin09/gt", KERNELS, turned=turned)
    pairs = [(photo, kind) for photo in source.photos() for kind in range(len(family.kinds))]
    sharp = [as_batch(source.load(photo)) for photo, _ in pairs]
    blurred = [as_batch(source.observed(photo.id, family.kinds[kind])) for photo, kind in pairs]
    return torch.cat(sharp), torch.cat(blurred), torch.cat([family.psf(torch.empty(1, 0), kind) for _, kind in pairs])


def on_captures(folder: Path, allowance: float) -> dict[str, float]:
    """Mean PSNR of each solver."""
    x, y, psf = captures(folder)
    sigma = effective_sigma(y, allowance)
    found = {}
    for name, words in SOLVERS.items():
        restore, values = solver(words), []
        for i in range(len(x)):
            one = restore(y[i : i + 1], psf[i : i + 1], sigma[i : i + 1]).image
            moved = align(one, x[i : i + 1], border=CUT_PX)
            values.append(float(psnr(moved.x_hat, moved.x)))
        found[name] = round(sum(values) / len(values), 3)
    return found


def on_exact(folder: Path, sigma: float) -> dict[str, float]:
    """Mean ISNR of total variation, by what is taken for the noise."""
    source, side = Bsds500(folder, ["val"]), SIDE + 2 * MARGIN
    photos = list(source.photos())
    images = []
    for photo in photos[:: len(photos) // PHOTOGRAPHS][:PHOTOGRAPHS]:
        grey = pick_channel(source.load(photo), "grey")
        top, left = (grey.shape[0] - side) // 2, (grey.shape[1] - side) // 2
        images.append(as_batch(grey[top : top + side, left : left + side].copy()))
    _, _, recorded = captures(folder)
    sharp, psf = torch.cat(images), recorded[: len(images)]
    y = Convolution(psf, "valid").A(sharp)
    y = y + sigma * torch.randn(y.shape, generator=generator("kernel_error", str(sigma)))
    cut = (psf.shape[-1] - 1) // 2
    x = sharp[..., cut:-cut, cut:-cut]
    taken = {"told": torch.full((len(y),), sigma), "measured": estimate_sigma(y)}
    taken |= {f"{px:g} px": effective_sigma(y, px) for px in ALLOWANCES_PX[1:]}
    return {name: round(float(isnr(y, TV()(y, psf, noise).image, x).mean()), 3) for name, noise in taken.items()}


def main() -> None:
    """Measure, print a line each, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    record: dict[str, dict[str, dict[str, float]]] = {"exact": {}, "captures": {}}
    for sigma in SIGMAS:
        record["exact"][f"{sigma:g}"] = on_exact(args.folder, sigma)
        print(f"exact, sigma {sigma:g}", record["exact"][f"{sigma:g}"], flush=True)
    for allowance in ALLOWANCES_PX:
        record["captures"][f"{allowance:g} px"] = on_captures(args.folder, allowance)
        print(f"captures, {allowance:g} px", record["captures"][f"{allowance:g} px"], flush=True)
    (RESULTS / "kernel_error.json").write_text(json.dumps(record, indent=1) + "\n")
    print(RESULTS / "kernel_error.json")


if __name__ == "__main__":
    main()
