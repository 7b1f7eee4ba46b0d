"""What sharp photographs' spectra look like: the prior of blurlab.likelihood, fitted to BSDS500's 200 training images.

    python experiments/bench/spectrum_prior.py FOLDER   # FOLDER holds bsds500/; writes blurlab/likelihood/natural.json

The central 128x128 pixels of each, grey, with the rounding noise of 8 bits, windows of 64 px, one sine taper. Then the
same photographs are blurred (each kind, parameters drawn uniformly) and fitted. Two things are measured:

- What holds 90 % of the errors, as two numbers: a multiple of a fit's own standard deviation, at a BSNR of 20 dB where
  noise rules, and an error that no lack of noise removes, at 40 dB: real spectra are rougher than the model.
- Caution: how far below the fit, as a share of half that interval, the kernel lies with which TV loses least ISNR in
  the mean over both noises.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from blurlab.blur import BlurFamily, Defocus, Gaussian, Motion, NoBlur, OneParameterStrength
from blurlab.core.rng import generator
from blurlab.dataset import Bsds500
from blurlab.dataset.prepare import pick_channel
from blurlab.deconvolver import TV
from blurlab.likelihood import Fit, Refiner, SpectrumPrior, flat, prior_from
from blurlab.likelihood.climb import maximise
from blurlab.likelihood.prior import TERMS, free_level
from blurlab.likelihood.taper import multitaper
from blurlab.likelihood.whittle import make_problem
from blurlab.metric import isnr
from blurlab.noise import sigma_from_bsnr
from blurlab.physics import Convolution

SIDE, MARGIN, WINDOW, HOP, SIGMA = 128, 20, 64, 32, 1e-3
WEIGHT, FREEDOM = 1.0, 4.0
SOFTNESS_PX = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
CAUTION = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
NOISY_DB, CLEAR_DB = 20.0, 40.0
AT_ONCE = 20
FAMILIES: tuple[OneParameterStrength, ...] = (Gaussian([0.5, 5]), Defocus([1, 8]), Motion([3, 20], [0, 180]))
TARGET = Path(__file__).parents[2] / "blurlab" / "likelihood" / "natural.json"


@dataclass(frozen=True)
class Fitted:
    """Photographs blurred by one kind, and their fits.

    Attributes:
        sharp: (n, 1, SIDE, SIDE).
        observed: (n, 1, SIDE, SIDE).
        params: True parameters (n, P).
        sigma: True noise (n,).
        fit: Of all of them.
    """

    sharp: Tensor
    observed: Tensor
    params: Tensor
    sigma: Tensor
    fit: Fit

    @property
    def sd(self) -> Tensor:
        """Standard deviations that the fits claim (n, P)."""
        return self.fit.covariance.diagonal(dim1=1, dim2=2).sqrt()


def centres(folder: Path) -> Tensor:
    """The middles of the training photographs with a margin (200, 1, SIDE + 2 MARGIN, ...), grey."""
    source, side = Bsds500(folder, ["train"]), SIDE + 2 * MARGIN
    found = []
    for photo in source.photos():
        image = pick_channel(source.load(photo), "grey")
        top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
        found.append(torch.from_numpy(image[top : top + side, left : left + side, 0].copy()))
    return torch.stack(found)[:, None]


def spectra(x: Tensor) -> tuple[Tensor, float]:
    """Coefficients of the log spectra of sharp photographs (n, 8), and the softness with which they fit best."""
    y = x + SIGMA * torch.randn(x.shape, generator=generator("spectrum prior"))
    observed = multitaper(y, WINDOW, HOP, 1)
    fits = {}
    for softness in SOFTNESS_PX:
        belief = flat(softness, WEIGHT, FREEDOM)
        problem = make_problem(observed, NoBlur(), belief, tapers=1, windows=SIDE**2 / WINDOW**2)
        fits[softness] = maximise(problem, torch.zeros(len(x), 0, dtype=torch.float64), 20)[0]
        print(f"softness {softness} px: {float(fits[softness].value.mean()):.1f}")
    best = min(fits, key=lambda softness: float(fits[softness].value.mean()))
    return fits[best].smooth, best


def fitted(family: BlurFamily, x: Tensor, prior: SpectrumPrior, bsnr_db: float) -> Fitted:
    """Blur each photograph, add noise, fit."""
    random = generator("spread", family.kinds[-1], str(bsnr_db))
    params = family.draw(len(x), generator=random)[1]
    cut = MARGIN - family.size // 2
    wide = x[..., cut : x.shape[-2] - cut, cut : x.shape[-1] - cut]
    blurred = Convolution(family.psf(params), "valid").A(wide)
    sigma = sigma_from_bsnr(blurred, bsnr_db)
    y = blurred + sigma[:, None, None, None] * torch.randn(blurred.shape, generator=random)
    refiner = Refiner(family, prior, window=WINDOW, hop=HOP)
    fits = [refiner(some) for some in y.split(AT_ONCE)]
    fit = Fit(*(torch.cat(parts) for parts in zip(*(vars(one).values() for one in fits), strict=True)))
    return Fitted(x[..., MARGIN:-MARGIN, MARGIN:-MARGIN], y, params, sigma, fit)


def errors(family: BlurFamily, done: Fitted) -> Tensor:
    """Absolute error of each parameter (n, P)."""
    return family.apart(done.params, done.fit.params).abs()


def spread90(family: BlurFamily, noisy: Fitted, clear: Fitted) -> dict[str, list[float]]:
    """(multiple of the standard deviation, error without noise) whose root of squares holds 90 % of the errors."""
    multiple = (errors(family, noisy) / noisy.sd).quantile(0.9, dim=0)
    rest = (errors(family, clear) ** 2 - (multiple * clear.sd) ** 2).quantile(0.9, dim=0).clamp_min(0).sqrt()
    pairs = torch.stack([multiple, rest], 1).tolist()
    return {name: [round(value, 4) for value in pair] for name, pair in zip(family.names, pairs, strict=True)}


def losses(family: OneParameterStrength, done: Fitted, spread: list[float]) -> list[float]:
    """Mean ISNR lost against the true kernel for each caution [dB]."""
    place = family.strength_column
    half = ((spread[0] * done.sd[:, place]) ** 2 + spread[1] ** 2).sqrt()
    best = gain(done, family.psf(done.params))
    lost = []
    for caution in CAUTION:
        strength = (done.fit.params[:, place] - caution * half).clamp(*family.bounds[place])
        handed = family.with_strength(done.fit.params, strength * family.strength_scale)
        lost.append(float((best - gain(done, family.psf(handed.float()))).mean()))
    print(f"{family.kinds[-1]}: lost", {c: round(value, 3) for c, value in zip(CAUTION, lost, strict=True)})
    return lost


def gain(done: Fitted, psf: Tensor) -> Tensor:
    """ISNR (n,) of TV with these kernels [dB]."""
    batches = zip(*(part.split(AT_ONCE) for part in (done.sharp, done.observed, psf, done.sigma)), strict=True)
    return torch.cat([isnr(y, TV()(y, kernel, sigma).image, x) for x, y, kernel, sigma in batches])


def main() -> None:
    """Fit, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    x = centres(parser.parse_args().folder)
    smooth, softness = spectra(x[..., MARGIN:-MARGIN, MARGIN:-MARGIN])
    prior = prior_from(smooth, softness_px=softness, weight=WEIGHT, freedom=FREEDOM)
    spread: dict[str, list[float]] = {}
    caution: dict[str, float] = {}
    for family in FAMILIES:
        noisy, clear = (fitted(family, x, prior, bsnr_db) for bsnr_db in (NOISY_DB, CLEAR_DB))
        spread |= spread90(family, noisy, clear)
        own = spread[family.strength_name]
        lost = [sum(pair) for pair in zip(losses(family, noisy, own), losses(family, clear, own), strict=True)]
        caution[family.strength_name] = CAUTION[lost.index(min(lost))]
    stored = {
        "photographs": f"BSDS500 train, {len(x)} centres of {SIDE} px, grey, noise {SIGMA:g}",
        "terms": list(TERMS),
        "mean": [round(value, 6) for value in smooth.mean(0).tolist()],
        "covariance": [[round(value, 6) for value in row] for row in free_level(smooth).tolist()],
        "softness_px": softness,
        "weight": WEIGHT,
        "freedom": FREEDOM,
        "spread90": spread,
        "caution": caution,
    }
    TARGET.write_text(json.dumps(stored, indent=1) + "\n")
    print(TARGET.name, stored["spread90"], stored["caution"])


if __name__ == "__main__":
    with torch.inference_mode():
        main()
