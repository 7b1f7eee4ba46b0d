"""How much of the network's kernel is handed on, and how wide intervals are, by noise: from validation photographs.

    python experiments/deepblur2024/fit.py DATA FOLDER zernike       # DATA holds bsds500/val; writes results/fit.json
    python experiments/deepblur2024/fit.py DATA FOLDER1 zernike --temper 1       # writes results/fit.temper1.json

Validation photographs of BSDS500, centres of 288 px, and such photographs and drawn nuclei made like a microscope's
images, each through a kernel of `blur=zernike`, at four levels of noise. What is found of each is stored in FOLDER, so
that a fit that was stopped goes on. At each level, for images that either prior explains best, `share` is what gives
the highest mean SNR, `widen` what lets 90 % of the coefficients lie in their intervals;
`conf/pipeline/aberrations_network.yaml` has these values.
"""

from __future__ import annotations

import argparse
import datetime
import json
from pathlib import Path
from typing import Any

import torch
from kept import check, digest
from network import cut, drawn, photographs
from torch import Tensor

from blurlab.blur import Zernike
from blurlab.dataset.micrograph import like_a_microscope
from blurlab.head import SpectrumAndEdges
from blurlab.likelihood import Microscopes, OrientedRefiner
from blurlab.metric import psf_snr
from blurlab.physics import Convolution
from blurlab.pipeline.aberrations import HALF90, Aberrations

SIDE, PHOTOS, MICRO = 288, 48, 16
"""Side of the images, and how many there are of each sort."""
SIGMAS, SHARES = (0.001, 0.01, 0.05, 0.24), [round(0.05 * step, 2) for step in range(21)]
TEMPER = 0.5
PRIORS = ("photographs", "microscopes")
"""Of the spectra of sharp images, in the order of the refiner's."""
RESULTS = Path(__file__).parent / "results"


def sharp(data: Path, draw: torch.Generator) -> Tensor:
    """Photographs, then images like a microscope's (PHOTOS + MICRO, 1, side, side)."""
    side = SIDE + 30
    pool = photographs(data, "val")
    found = []
    for one in pool[:PHOTOS]:
        top, left = ((length - side) // 2 for length in one.shape)
        found.append(one[None, None, top : top + side, left : left + side].float() / 255)
    pictures = [*pool[PHOTOS : PHOTOS + MICRO // 2], *drawn("val")[: MICRO // 2]]
    found += [like_a_microscope(cut(one, side, draw), generator=draw) for one in pictures]
    return torch.cat(found)


def measure(data: Path, folder: Path, weights: str, temper: float) -> list[dict[str, Any]]:
    """What is found of every item."""
    family = Zernike(pixel_nm=100)
    asked = Aberrations(
        family,
        fit=lambda one: OrientedRefiner(one, others=[Microscopes()], temper=temper),
        head=SpectrumAndEdges,
        weights=weights,
    )
    rows = []
    for sigma in SIGMAS:
        draw = torch.Generator().manual_seed(round(1e4 * sigma))
        x, blur = sharp(data, draw), family.sample(PHOTOS + MICRO, generator=draw)
        y = Convolution(blur.psf, "valid").forward(x)
        y = y + sigma * torch.randn(y.shape, generator=draw)
        for number in range(len(y)):
            path = folder / f"{sigma:g}.{number}.pt"
            if not path.exists():
                one = y[number : number + 1]
                with torch.inference_mode():
                    hint, own = asked.believed(one)
                    found = asked.refiner(one, hint)
                half = HALF90 * found.covariance.diagonal(dim1=1, dim2=2).sqrt()
                kept = {"psf": found.psf, "own": own, "params": found.params, "half": half, "prior": found.prior}
                torch.save(kept, path)
            kept = torch.load(path, weights_only=True)
            row = {**kept, "true": blur.psf[number : number + 1], "truth": blur.params[number : number + 1]}
            rows.append({**row, "sigma": sigma, "micro": number >= PHOTOS})
            print(
                sigma,
                number,
                *(round(float(psf_snr(row[name], row["true"])), 2) for name in ("psf", "own")),
                flush=True,
            )
    return rows


def fitted(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Share and widening of items of one level of noise and one prior, with what they give of both sorts."""
    true, found, own = (torch.cat([row[name] for row in rows]) for name in ("true", "psf", "own"))
    means = [float(psf_snr(torch.lerp(found, own, share), true).mean()) for share in SHARES]
    share = SHARES[max(range(len(means)), key=means.__getitem__)]
    off = torch.cat([(row["params"] - row["truth"]).abs() / row["half"] for row in rows])
    widen = round(float(off.flatten().quantile(0.9)), 2)
    said: dict[str, Any] = {"share": share, "widen": widen}
    micro = torch.tensor([row["micro"] for row in rows])
    for name, some in (("photographs", ~micro), ("like microscopes", micro)):
        if not bool(some.any()):
            continue
        mixed = torch.lerp(found, own, share)[some]
        snr = {"likelihood": found[some], "network": own[some], "both": mixed}
        said[name] = {key: round(float(psf_snr(psf, true[some]).mean()), 2) for key, psf in snr.items()}
        right = psf_snr(mixed, true[some]) >= psf_snr(mixed.flip(-2, -1), true[some])
        said[name] |= {"right way round": round(float(right.float().mean()), 3), "n": int(some.sum())}
        said[name] |= {"in 90 %": round(float((off[some] < widen).float().mean()), 3)}
    return said


def main(data: Path, folder: Path, weights: str, temper: float) -> None:
    """Measure, fit, write."""
    check(folder, weights=digest(weights), temper=temper, side=SIDE, photographs=PHOTOS, like_microscopes=MICRO)
    rows = measure(data, folder, weights, temper)
    levels = {
        name: {
            f"{sigma:g}": fitted([row for row in rows if row["sigma"] == sigma and int(row["prior"]) == prior])
            for sigma in SIGMAS
        }
        for prior, name in enumerate(PRIORS)
    }
    made = {"created": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}", "half90": HALF90, "levels": levels}
    result = RESULTS / ("fit.json" if temper == TEMPER else f"fit.temper{temper:g}.json")
    result.write_text(json.dumps(made, indent=1) + "\n")
    print(json.dumps(levels, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="holds bsds500/val")
    parser.add_argument("folder", type=Path, help="where what was found is kept")
    parser.add_argument("weights")
    parser.add_argument("--temper", type=float, default=TEMPER)
    main(**vars(parser.parse_args()))
