"""How the spectra of photographs depart from smooth ones; makes `blurlab/likelihood/details.safetensors`.

    python experiments/bench/spectrum_details.py DATA     # DATA holds imagenet_samples/*.JPEG and bsds500/train/*.jpg

Each photograph's centre, 256 px, grey, and its mirror image (a spectrum with its frequencies across turned): the mean
log periodogram of windows of 64 px, less what the eight smooth terms of the prior explain; the principal components of
the rest are the details. Their coefficients' mean and covariance, and those of the smooth terms, are the prior.

With --microscopes the same for images of microscopes, `blurlab/likelihood/microscopes.safetensors`: drawn nuclei and
the photographs, each made soft, dark and noisy (:mod:`blurlab.dataset.micrograph`).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from blurlab.dataset.micrograph import like_a_microscope
from blurlab.dataset.nuclei import nuclei
from blurlab.likelihood.prior import basis, free_level, natural, own_blur
from blurlab.likelihood.taper import multitaper
from blurlab.likelihood.whittle import bin_weight

SIDE, WINDOW, COUNT = 256, 64, 40
LEAST_CONTRAST, NOISE = 0.02, 1e-3
NUCLEI = 200
OUT = Path(__file__).parents[2] / "blurlab" / "likelihood"


def photographs(folder: Path) -> Iterator[Tensor]:
    """Grey centres (1, 1, SIDE, SIDE)."""
    for path in sorted([*folder.glob("imagenet_samples/*.JPEG"), *folder.glob("bsds500/train/*.jpg")]):
        grey = np.asarray(Image.open(path).convert("L"), dtype=np.float32) / 255
        top, left = ((length - SIDE) // 2 for length in grey.shape)
        if min(top, left) >= 0:
            yield torch.from_numpy(grey[top : top + SIDE, left : left + SIDE].copy())[None, None]


def micrographs(folder: Path) -> Iterator[Tensor]:
    """Nuclei and photographs, made like a microscope's images."""
    draw = torch.Generator().manual_seed(0)
    pictures = (torch.from_numpy(nuclei(20_000 + seed, SIDE)[..., 0])[None, None] for seed in range(NUCLEI))
    for image in (*pictures, *photographs(folder)):
        yield like_a_microscope(image, generator=draw)


def periodograms(images: Iterator[Tensor]) -> Tensor:
    """Of every image and its mirror image (2 n, N, N // 2 + 1), NOISE^2 added."""
    found = []
    for image in images:
        if float(image.std()) >= LEAST_CONTRAST:
            found += [multitaper(one, WINDOW, WINDOW, 1) for one in (image, image.flip(-1))]
    return torch.cat(found) + NOISE**2


def main(folder: Path, microscopes: bool) -> None:
    """Measure the photographs of a folder and write the prior."""
    seen = periodograms(micrographs(folder) if microscopes else photographs(folder))
    out = OUT / ("microscopes.safetensors" if microscopes else "details.safetensors")
    weight = bin_weight(WINDOW).flatten()
    counted = weight > 0
    root = weight[counted].sqrt()
    smooth = basis(WINDOW).flatten(1).T[counted]
    line = (seen.log() - own_blur(WINDOW, natural().softness_px)).flatten(1)[:, counted]
    coefficients = torch.linalg.lstsq(smooth * root[:, None], (line * root).T).solution.T
    rest = (line - coefficients @ smooth.T) * root
    _, strength, components = torch.linalg.svd(rest, full_matrices=False)
    components = components[:COUNT]
    details = torch.zeros(COUNT, weight.numel(), dtype=torch.float64)
    details[:, counted] = components / root
    every = torch.cat([coefficients, rest @ components.T], 1)
    stored = {
        "mean": every.mean(0).float(),
        "covariance": free_level(every).float(),
        "details": details.reshape(COUNT, WINDOW, WINDOW // 2 + 1).half(),
    }
    save_file({name: value.contiguous() for name, value in stored.items()}, str(out))
    share = float(strength[:COUNT].square().sum() / strength.square().sum())
    print(f"{len(seen) // 2} photographs; {COUNT} details hold {share:.3f} of what smooth terms leave, in {out.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds imagenet_samples and bsds500/train")
    parser.add_argument("--microscopes", action="store_true", help="the prior of images of microscopes")
    main(**vars(parser.parse_args()))
