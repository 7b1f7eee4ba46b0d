"""How much the phase evidence counts, and how wide the intervals are, on photographs that no table tests on.

    python experiments/deepblur2024/strength.py DATA     # DATA holds bsds500/val; writes results/strength.json

Sixteen validation photographs of BSDS500, 256 px, each through a kernel of `blur=zernike`, at three levels of noise:
the mean SNR of the posterior's mean kernel, how often it lies the right way round, and how often the coefficients lie
within 1.645 deviations, for each strength.
"""

from __future__ import annotations

import argparse
import datetime
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from blurlab.blur import Zernike
from blurlab.likelihood import OrientedRefiner
from blurlab.metric import psf_snr
from blurlab.physics import Convolution

COUNT, SIDE, SEED = 16, 256, 1
SIGMAS, STRENGTHS = (0.01, 0.05, 0.24), (0.0, 6.0, 12.0, 25.0, 50.0, 100.0)
RESULT = Path(__file__).parent / "results" / "strength.json"


def photographs(folder: Path, side: int) -> Tensor:
    """Centres of the first validation photographs (n, 1, side, side)."""
    found = []
    for path in sorted((folder / "bsds500" / "val").glob("*.jpg"))[:COUNT]:
        grey = np.asarray(Image.open(path).convert("L"), dtype=np.float32) / 255
        top, left = ((length - side) // 2 for length in grey.shape)
        found.append(torch.from_numpy(grey[top : top + side, left : left + side].copy()))
    return torch.stack(found)[:, None]


def main(folder: Path) -> None:
    """Measure every strength at every level of noise and write the result."""
    family, draw = Zernike(pixel_nm=100), torch.Generator().manual_seed(SEED)
    x, blur = photographs(folder, SIDE + 30), family.sample(COUNT, generator=draw)
    clean = Convolution(blur.psf, "valid").forward(x)
    refiner, rows = OrientedRefiner(family), []
    for sigma in SIGMAS:
        y = clean + sigma * torch.randn(clean.shape, generator=draw)
        populations = [refiner.populations(one[None])[1][0] for one in y]
        for strength in STRENGTHS:
            parts = [one.weighed(strength) for one in populations]
            psf = torch.stack([part[0] for part in parts])[:, None]
            mean, spread = (torch.stack([part[place] for part in parts]) for place in (1, 2))
            off = (blur.params - mean).abs() / spread.diagonal(dim1=1, dim2=2).sqrt()
            snr, turned = psf_snr(psf, blur.psf), psf_snr(psf.flip(-2, -1), blur.psf)
            row = {"sigma": sigma, "strength": strength, "psf_snr": round(float(snr.mean()), 2)}
            row |= {"right": float((snr >= turned).float().mean()), "in_90": float((off < 1.645).float().mean())}
            rows.append({**row, "off_90": float(off.flatten().quantile(0.9))})
            print(rows[-1], flush=True)
    made = {"created": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}", "photographs": COUNT, "rows": rows}
    RESULT.write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds bsds500/val")
    main(parser.parse_args().folder)
