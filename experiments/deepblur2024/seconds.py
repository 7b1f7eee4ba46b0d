"""How long 512 x 512 pixels take to be identified and restored; writes results/seconds.json.

    python experiments/deepblur2024/seconds.py

A photograph of scikit-image's, mirrored to 542 px, through one kernel of `blur=zernike`, noise of .01. By the clock,
with all cores: `pipeline=aberrations_network`, then each deconvolver; the median of ``REPEATS``, one more not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from skimage import data
from torch.nn.functional import pad

from blurlab.blur import Zernike
from blurlab.core.atomic import write_text
from blurlab.core.rng import generator
from blurlab.metric import psf_snr
from blurlab.physics import Convolution
from blurlab.run.command.member import member
from blurlab.run.setup.build import build

SIDE, SIGMA, REPEATS = 512, 0.01, 5
DECONVOLVERS = ("wiener", "tv", "unrolled_dr")
LIMIT_S = 3.0
RESULT = Path(__file__).parent / "results" / "seconds.json"


def timed(call: Callable[[], Any]) -> float:
    """Median seconds of a call."""
    call()
    found = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        call()
        found.append(time.perf_counter() - begun)
    return round(median(found), 3)


def main() -> None:
    """Measure and write."""
    family = Zernike(pixel_nm=100)
    x = torch.from_numpy(data.camera()).float()[None, None] / 255
    x = pad(x, (family.size // 2,) * 4, mode="reflect")
    blur = family.sample(1, generator=generator(0, "seconds"))
    y = Convolution(blur.psf, "valid").forward(x)
    y = y + SIGMA * torch.randn(y.shape, generator=generator(0, "noise of seconds"))
    asked = build(member("pipeline", "aberrations_network"), family)
    with torch.inference_mode():
        found = asked.identify(y, {}, {})
        seconds = {"identify": timed(lambda: asked.identify(y, {}, {}))}
        for name in DECONVOLVERS:
            inverse = build(member("deconvolver", name))
            seconds[name] = timed(lambda inverse=inverse: inverse(y, found.psf, found.sigma))  # type: ignore[misc]
    record = {
        "side_px": SIDE,
        "sigma": SIGMA,
        "seconds": seconds,
        "both": {name: round(seconds["identify"] + seconds[name], 3) for name in DECONVOLVERS},
        "limit_s": LIMIT_S,
        "psf_snr": round(float(psf_snr(found.psf, blur.psf)), 2),
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
        "device": "cpu",
        "torch": torch.__version__,
    }
    write_text(RESULT, json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    main()
