"""What sharp photographs' spectra look like: the prior of blurlab.likelihood, fitted to BSDS500's 200 training images.

    python experiments/bench/spectrum_prior.py FOLDER   # FOLDER holds bsds500/; writes blurlab/likelihood/natural.json

The central 128x128 pixels of each, grey, with the rounding noise of 8 bits, windows of 64 px, one sine taper.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from blurlab.blur import NoBlur
from blurlab.core.rng import generator
from blurlab.dataset import Bsds500
from blurlab.dataset.prepare import pick_channel
from blurlab.likelihood import flat
from blurlab.likelihood.prior import TERMS, free_level
from blurlab.likelihood.taper import multitaper
from blurlab.likelihood.whittle import make_problem, maximise

SIDE, WINDOW, HOP, SIGMA = 128, 64, 32, 1e-3
WEIGHT, FREEDOM = 1.0, 4.0


def centres(folder: Path) -> torch.Tensor:
    """The middles of the training photographs (200, 1, SIDE, SIDE), grey."""
    source = Bsds500(folder)
    found = []
    for photo in source.photos():
        if photo.id.startswith("train/"):
            image = pick_channel(source.load(photo), "grey")
            top, left = (image.shape[0] - SIDE) // 2, (image.shape[1] - SIDE) // 2
            found.append(torch.from_numpy(image[top : top + SIDE, left : left + SIDE, 0].copy()))
    return torch.stack(found)[:, None]


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    x = centres(parser.parse_args().folder)
    y = x + SIGMA * torch.randn(x.shape, generator=generator("spectrum prior"))
    observed = multitaper(y, WINDOW, HOP, 1)
    problem = make_problem(observed, NoBlur(), flat(WEIGHT, FREEDOM), tapers=1, windows=SIDE**2 / WINDOW**2)
    state, _ = maximise(problem, torch.zeros(len(x), 0, dtype=torch.float64), 20)
    stored = {
        "photographs": f"BSDS500 train, {len(x)} centres of {SIDE} px, grey, noise {SIGMA:g}",
        "terms": list(TERMS),
        "mean": [round(value, 6) for value in state.smooth.mean(0).tolist()],
        "covariance": [[round(value, 6) for value in row] for row in free_level(state.smooth).tolist()],
        "weight": WEIGHT,
        "freedom": FREEDOM,
    }
    target = Path(__file__).parents[2] / "blurlab" / "likelihood" / "natural.json"
    target.write_text(json.dumps(stored, indent=1) + "\n")
    print(target)


if __name__ == "__main__":
    main()
