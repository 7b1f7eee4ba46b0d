"""What sharp photographs' spectra look like: the prior of blurlab.likelihood, fitted to BSDS500's 200 training images.

    python experiments/bench/spectrum_prior.py FOLDER   # FOLDER holds bsds500/; writes blurlab/likelihood/natural.json

The central 128x128 pixels of each, grey, with the rounding noise of 8 bits, windows of 64 px, one sine taper. Then the
same photographs are blurred (each kind, parameters drawn uniformly) and fitted, and what holds 90 % of the errors is
kept as two numbers: a multiple of a fit's own standard deviation, at a BSNR of 20 dB where noise rules, and an error
that no lack of noise removes, at 40 dB: real spectra are rougher than the model.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor

from blurlab.blur import BlurFamily, Defocus, Gaussian, Motion, NoBlur
from blurlab.core.rng import generator
from blurlab.dataset import Bsds500
from blurlab.dataset.prepare import pick_channel
from blurlab.likelihood import Refiner, flat, prior_from
from blurlab.likelihood.prior import TERMS, free_level
from blurlab.likelihood.taper import multitaper
from blurlab.likelihood.whittle import make_problem, maximise
from blurlab.noise import sigma_from_bsnr
from blurlab.physics import Convolution

SIDE, MARGIN, WINDOW, HOP, SIGMA = 128, 20, 64, 32, 1e-3
WEIGHT, FREEDOM = 1.0, 4.0
NOISY_DB, CLEAR_DB = 20.0, 40.0
FAMILIES: tuple[BlurFamily, ...] = (Gaussian([0.5, 5]), Defocus([1, 8]), Motion([3, 20], [0, 180]))
TARGET = Path(__file__).parents[2] / "blurlab" / "likelihood" / "natural.json"


def centres(folder: Path) -> Tensor:
    """The middles of the training photographs with a margin (200, 1, SIDE + 2 MARGIN, ...), grey."""
    source, side = Bsds500(folder), SIDE + 2 * MARGIN
    found = []
    for photo in source.photos():
        if photo.id.startswith("train/"):
            image = pick_channel(source.load(photo), "grey")
            top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
            found.append(torch.from_numpy(image[top : top + side, left : left + side, 0].copy()))
    return torch.stack(found)[:, None]


def spectra(x: Tensor) -> Tensor:
    """Coefficients of the log spectra of sharp photographs (n, 8)."""
    y = x + SIGMA * torch.randn(x.shape, generator=generator("spectrum prior"))
    observed = multitaper(y, WINDOW, HOP, 1)
    problem = make_problem(observed, NoBlur(), flat(WEIGHT, FREEDOM), tapers=1, windows=SIDE**2 / WINDOW**2)
    return maximise(problem, torch.zeros(len(x), 0, dtype=torch.float64), 20)[0].smooth


def errors(family: BlurFamily, x: Tensor, refiner: Refiner, bsnr_db: float) -> tuple[Tensor, Tensor]:
    """Absolute errors of each parameter and the fits' standard deviations (n, P), (n, P)."""
    random = generator("spread", family.kinds[-1], str(bsnr_db))
    params = family.draw(len(x), generator=random)[1]
    cut = MARGIN - family.size // 2
    sharp = x[..., cut : x.shape[-2] - cut, cut : x.shape[-1] - cut]
    blurred = Convolution(family.psf(params), "valid").A(sharp)
    sigma = sigma_from_bsnr(blurred, bsnr_db)
    fit = refiner(blurred + sigma[:, None, None, None] * torch.randn(blurred.shape, generator=random))
    error = (fit.params - params).abs()
    turns = torch.tensor([name.endswith("_deg") for name in family.names])
    error = torch.where(turns, torch.minimum(error, (180 - error).abs()), error)
    return error, fit.covariance.diagonal(dim1=1, dim2=2).sqrt()


def spread90(family: BlurFamily, x: Tensor, refiner: Refiner) -> dict[str, list[float]]:
    """(multiple of the standard deviation, error without noise) whose root of squares holds 90 % of the errors."""
    noisy, noisy_sd = errors(family, x, refiner, NOISY_DB)
    clear, clear_sd = errors(family, x, refiner, CLEAR_DB)
    multiple = (noisy / noisy_sd).quantile(0.9, dim=0)
    rest = (clear**2 - (multiple * clear_sd) ** 2).quantile(0.9, dim=0).clamp_min(0).sqrt()
    pairs = torch.stack([multiple, rest], 1).tolist()
    return {name: [round(value, 4) for value in pair] for name, pair in zip(family.names, pairs, strict=True)}


def main() -> None:
    """Fit, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    x = centres(parser.parse_args().folder)
    smooth = spectra(x[..., MARGIN:-MARGIN, MARGIN:-MARGIN])
    prior = prior_from(smooth, weight=WEIGHT, freedom=FREEDOM)
    spread: dict[str, list[float]] = {}
    for family in FAMILIES:
        spread |= spread90(family, x, Refiner(family, prior, window=WINDOW, hop=HOP))
    stored = {
        "photographs": f"BSDS500 train, {len(x)} centres of {SIDE} px, grey, noise {SIGMA:g}",
        "terms": list(TERMS),
        "mean": [round(value, 6) for value in smooth.mean(0).tolist()],
        "covariance": [[round(value, 6) for value in row] for row in free_level(smooth).tolist()],
        "weight": WEIGHT,
        "freedom": FREEDOM,
        "spread90": spread,
    }
    TARGET.write_text(json.dumps(stored, indent=1) + "\n")
    print(TARGET.name, stored["spread90"])


if __name__ == "__main__":
    main()
