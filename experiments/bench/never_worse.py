"""What each deconvolver gains where kernel and noise are exact, on smooth and rough photographs, down to no noise.

    python experiments/bench/never_worse.py [--only tikhonov tv] [--side 64] [--output FILE]

Photographs of scikit-image and an exact ramp are blurred by the sum itself (boundary ``valid``), get Gaussian noise,
and are restored with the true kernel and sigma. The record holds for each member of conf/deconvolver, scene and kernel
one number per sigma: the gain (ISNR, null where y has no error at all) and the root mean square error of the result.
Printed is every case that is worse than the law allows (``blurlab.deconvolver.laws.check_never_worse``), and the mean
gain of each member over the cases in which y's own error can be seen.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
from pathlib import Path

import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch import Tensor

from blurlab.blur import Box, Defocus, Gaussian, Motion
from blurlab.deconvolver import SIGMA_FLOOR, Deconvolver
from blurlab.deconvolver.laws import WORSE_DB
from blurlab.metric import isnr
from blurlab.physics import Convolution

ROOT = Path(__file__).parents[2]
SIGMAS = (0.0, 0.001, 0.004, 0.01, 0.02, 0.05)
SIZE = 15
"""Side of every kernel [px]."""
CORNERS = {"camera": ("camera", 120, 180), "astronaut": ("astronaut", 60, 170), "coffee": ("coffee", 150, 250)}
CORNERS |= {"sky": ("camera", 20, 290), "table": ("coffee", 0, 440)}
"""Scene -> photograph, first row and column; sky and table are the smoothest parts of theirs."""


def kernels() -> dict[str, Tensor]:
    """Kernels (1, 1, 15, 15)."""
    families = {
        "gaussian1": (Gaussian([0.3, 2.0], SIZE), [1.0]),
        "gaussian2": (Gaussian([0.3, 2.0], SIZE), [2.0]),
        "motion9": (Motion([1, 10], [0, 180], SIZE), [9.0, 30.0]),
        "disk4": (Defocus([0.5, 5.0], SIZE), [4.0]),
        "box15": (Box([1, 15], SIZE), [15.0]),
    }
    return {name: family.psf(torch.tensor([values])) for name, (family, values) in families.items()}


def scenes(side: int) -> dict[str, Tensor]:
    """Sharp images (1, 1, side + 14, side + 14): grey crops of photographs, and a ramp from .2 to .8."""
    from skimage import data

    whole, found = side + SIZE - 1, {}
    for name, (photograph, top, left) in CORNERS.items():
        image = torch.from_numpy(getattr(data, photograph)()).float() / 255
        grey = image.mean(-1) if image.ndim == 3 else image
        found[name] = grey[top : top + whole, left : left + whole][None, None]
    found["ramp"] = torch.linspace(0.2, 0.8, whole).expand(1, 1, whole, whole)
    return found


def members(only: list[str]) -> dict[str, Deconvolver]:
    """The deconvolvers of conf/deconvolver as they stand."""
    names = only or sorted(path.stem for path in (ROOT / "conf" / "deconvolver").glob("*.yaml"))
    with initialize_config_dir(str(ROOT / "conf"), version_base=None):
        return {name: instantiate(compose(f"deconvolver/{name}")["deconvolver"], _convert_="all") for name in names}


def measure(solver: Deconvolver, sharp: Tensor, psf: Tensor) -> dict[str, list[float | None]]:
    """ISNR [dB] and errors for each of ``SIGMAS``."""
    margin, sigma = SIZE // 2, torch.tensor(SIGMAS)
    x = sharp[..., margin:-margin, margin:-margin].expand(len(SIGMAS), -1, -1, -1)
    noise = torch.randn(x.shape[1:], generator=torch.Generator().manual_seed(0))
    y = Convolution(psf, "valid", "direct").A(sharp) + sigma[:, None, None, None] * noise
    restored = solver(y, psf, sigma).image
    before, after = ((one - x).square().mean((1, 2, 3)).sqrt().tolist() for one in (y, restored))
    gain = [value if math.isfinite(value) else None for value in isnr(y, restored, x).tolist()]
    return {"isnr": gain, "rmse_y": before, "rmse": after}


def breaches(table: dict[str, dict]) -> list[str]:
    """Every case that is worse than the law allows."""
    lines = []
    for key, row in table.items():
        for sigma, before, after in zip(SIGMAS, row["rmse_y"], row["rmse"], strict=True):
            if after**2 > before**2 * 10 ** (WORSE_DB / 10) + SIGMA_FLOOR**2:
                lines.append(f"{key} sigma {sigma:g}: rmse {before:.5f} -> {after:.5f}")
    return lines


def mean_gain(table: dict[str, dict], member: str) -> float:
    """Mean ISNR of a member over the cases in which y's own error is above that of 8 bits [dB]."""
    rows = [row for key, row in table.items() if key.startswith(f"{member}/")]
    pairs = [pair for row in rows for pair in zip(row["isnr"], row["rmse_y"], strict=True)]
    return float(torch.tensor([gain for gain, before in pairs if before > SIGMA_FLOOR]).mean())


def main() -> None:
    """Measure, print, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[], help="members to measure; the others keep their record")
    parser.add_argument("--side", type=int, default=64, help="of the images [px]")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "never_worse.json")
    args = parser.parse_args()
    torch.set_num_threads(1)
    record: dict = json.loads(args.output.read_text()) if args.only and args.output.is_file() else {}
    table: dict = record.get("table", {})
    for name, solver in members(args.only).items():
        for scene, sharp in scenes(args.side).items():
            for kernel, psf in kernels().items():
                row = measure(solver, sharp, psf)
                table[f"{name}/{scene}/{kernel}"] = {
                    key: [None if value is None else float(f"{value:.4g}") for value in values]
                    for key, values in row.items()
                }
        mine = {key: row for key, row in table.items() if key.startswith(f"{name}/")}
        print(*breaches(mine), sep="\n")
        print(f"{name}: {mean_gain(table, name):.2f} dB, {len(breaches(mine))} worse of {len(mine) * len(SIGMAS)}")
    names = sorted({key.split("/")[0] for key in table})
    record = {"sigma": SIGMAS, "side": args.side, "torch": torch.__version__, "cpu": platform.machine()}
    record["mean_isnr_db"] = {name: round(mean_gain(table, name), 3) for name in names}
    record["worse"] = breaches(table)
    record["table"] = table
    args.output.write_text(json.dumps(record, indent=1) + "\n")
    print(args.output)


if __name__ == "__main__":
    main()
