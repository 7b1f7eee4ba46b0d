"""How white the noise of photographs is, and what that is worth (``deconvolver/whiteness.py``).

    python experiments/schuler2016/excess.py FOLDER [--count 20]    # bsds500, CHASE_DB1; writes results/excess.json

The photographs of ``colour.py``, kernels known: as files of cameras, and with white noise alone, of three strengths. Of
each set: quantiles of :func:`blurlab.deconvolver.whiteness.excess_noise` (how many times as strong the noise is at
middle frequencies as at the finest), and gains with all of the caution everywhere and with less where noise is white.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from caution import figures
from colour import BLURRED, degraded
from torch import Tensor

from blurlab.core.atomic import write_text
from blurlab.dataset import Bsds500, ChaseDb1
from blurlab.deconvolver import InLight
from blurlab.deconvolver.whiteness import excess_noise
from blurlab.metric import isnr
from blurlab.noise import Camera, Srgb
from blurlab.noise import Gaussian as WhiteNoise
from blurlab.physics.field_stop import field
from blurlab.pipeline import KnownKernel, Pipeline
from blurlab.pipeline.estimate import by_kernel
from blurlab.run.command.compose import check
from blurlab.run.setup.parts import build_parts

RESULT = Path(__file__).parent / "results" / "excess.json"
QUANTILES, SIGMAS = (0.0, 0.25, 0.5, 0.75, 1.0), (0.001, 0.004, 0.01)


class Cautious(InLight):
    """All of the caution, whatever the noise is."""

    def measured_sigma(self, y: Tensor, level: Tensor, blur: Any) -> Tensor:
        return super().measured_sigma(y, level, blur=None)


def main() -> None:
    """Measure and restore every photograph, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds bsds500 and CHASE_DB1")
    parser.add_argument("--count", type=int, default=20, help="photographs of each set at most")
    args = parser.parse_args()
    camera, stopped = (
        build_parts(check([f"+experiment={name}", f"paths.data_dir={args.folder}"])[0]).degrade.with_family(BLURRED)
        for name in ("camera_bsds", "camera_fundus")
    )
    photographs, eyes = Bsds500(str(args.folder), parts=["val"]), ChaseDb1(args.folder)
    sets = {"BSDS500 val, camera": (photographs, camera), "CHASE_DB1, camera": (eyes, stopped)}
    for sigma in SIGMAS:
        white = camera.with_noise(Camera(Srgb(), file=[WhiteNoise(sigma=sigma)]))
        sets[f"BSDS500 val, white noise of {sigma:g}"] = photographs, white
    solvers, table = {"cautious": Cautious(), "adapted": InLight()}, {}
    with torch.inference_mode():
        for name, (source, degrade) in sets.items():
            excess, won = [], {solver: [] for solver in solvers}
            for y, x, psf in degraded(source, degrade, name, args.count):
                stop = torch.tensor([field(y[0]) or (torch.nan,) * 3])
                estimate = replace(by_kernel(psf, torch.ones(1, dtype=torch.bool)), stop=stop)
                excess.append(float(excess_noise(y, psf)))
                for key, solver in solvers.items():
                    image = Pipeline(KnownKernel(BLURRED), {}, {}, solver).restore(y, estimate, None)
                    won[key].append(float(isnr(y, image, x)))
            told = torch.tensor(excess)[torch.tensor(excess).isfinite()]
            spread = [round(float(told.quantile(q)), 2) for q in QUANTILES]
            table[name] = {"excess": spread, "not told": len(excess) - len(told)}
            table[name] |= {key: figures(gains) for key, gains in won.items()}
            print(name, json.dumps(table[name]), flush=True)
    facts = {"photographs": args.count, "quantiles": QUANTILES, "torch": torch.__version__, "device": "cpu"}
    write_text(RESULT, json.dumps({**facts, "sets": table}, indent=1) + "\n")


if __name__ == "__main__":
    main()
