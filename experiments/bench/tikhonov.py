"""What Tikhonov's rules for the weight lose to the best one: ``python experiments/bench/tikhonov.py FOLDER``.

FOLDER holds DRIVE, CHASE_DB1 and BSDS500; of each the first ``--count`` validation photographs of blurlab's own split
are taken, never those that are tested on: green, 270 x 270. They are blurred (boundary ``valid``), cropped to the
256 x 256 pixels that the image determines, given Gaussian noise and restored with boundary ``unknown``. The loss of a
rule is its PSNR below that of the best of a grid of fixed weights, for each image.

``--border`` measures instead how far the restored image is from the minimiser of the same weight after so many
transforms, by conjugate gradients and by the fixed point ``z <- y where observed, A z elsewhere``.
"""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path

import torch
from torch import Tensor
from validation import MARGIN, SIGMAS, horizontal, load

from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.dataset import Bsds500, ChaseDb1, Drive
from blurlab.deconvolver import Tikhonov
from blurlab.deconvolver.border import keep_observed, on_grid
from blurlab.deconvolver.linear_rule import RULES
from blurlab.deconvolver.quadratic import complete, tikhonov
from blurlab.physics import Gradient

EXPONENTS = [-5 + n / 4 for n in range(21)]


def kernels() -> dict[str, Tensor]:
    """Ten taps in a row, and a disk of radius 4 px (pixels whose centre it covers), (1, 1, 15, 15)."""
    away = torch.arange(2 * MARGIN + 1) - MARGIN
    disk = (away[:, None].square() + away.square() <= 16).float()
    return {"taps10": horizontal(10), "disk4": (disk / disk.sum())[None, None]}


def observed(sharp: Tensor, psf: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
    """The sharp 256 x 256 pixels and what is observed of them."""
    inner = sharp[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
    noise = torch.randn(inner.shape, generator=torch.Generator().manual_seed(0))
    return inner, torch.nn.functional.conv2d(sharp, psf.flip(-2, -1)) + sigma * noise


def psnr(x: Tensor, restored: Tensor) -> Tensor:
    """PSNR (B,) of peak 1 [dB]."""
    return -10 * torch.log10((restored - x).square().mean((1, 2, 3)))


def losses(sharp: Tensor, penalties: list[str]) -> dict[str, dict[str, list[float]]]:
    """``"penalty/sigma/kernel" -> rule -> dB below the best fixed weight, per image``."""
    table: dict[str, dict[str, list[float]]] = {}
    for penalty in penalties:
        for sigma in SIGMAS:
            for name, psf in kernels().items():
                x, y = observed(sharp, psf, sigma)
                fixed = [Tikhonov(weight=10**e, penalty=penalty, tolerance=1e-2) for e in EXPONENTS]
                best = torch.stack([psnr(x, solver(y, psf, sigma).image) for solver in fixed]).amax(0)
                ruled = {rule: Tikhonov(penalty=penalty, rule=rule, tolerance=1e-2) for rule in RULES}
                row = {rule: best - psnr(x, solver(y, psf, sigma).image) for rule, solver in ruled.items()}
                row["psnr_best"] = best
                key = f"{penalty}/{sigma:g}/{name}"
                table[key] = {rule: [round(v, 3) for v in value.tolist()] for rule, value in row.items()}
                print(key, {rule: round(float(value.mean()), 3) for rule, value in row.items()}, flush=True)
    return table


def border(sharp: Tensor, sigma: float = 0.004) -> dict[str, list[float]]:
    """Relative error of the restored image after 40, 80, 160 and 320 transforms, float64, mean over images."""
    psf = kernels()["disk4"].double()
    _, y = observed(sharp, psf.float(), sigma)
    y = y.double() - y.double().mean((-2, -1), keepdim=True)
    first, size = on_grid(y, psf, "unknown"), (y.shape[-2], y.shape[-1])
    shape = (first.shape[-2], first.shape[-1])
    otf, weighed = psf_to_otf(psf, shape), 1e-3 * Gradient().power(shape, like=y)
    hat = otf.abs().square() / (otf.abs().square() + weighed)
    exact = tikhonov(complete(first, size, otf, weighed, 1e-10, 2000), otf, weighed)[..., : size[0], : size[1]]

    def error(z: Tensor) -> float:
        away = tikhonov(z, otf, weighed)[..., : size[0], : size[1]] - exact
        return float((away.flatten(1).norm(dim=1) / exact.flatten(1).norm(dim=1)).mean())

    budget = (40, 80, 160, 320)
    table: dict[str, list[float]] = {"transforms": list(map(float, budget))}
    table["conjugate_gradients"] = [error(complete(first, size, otf, weighed, 0, n // 4)) for n in budget]
    table["fixed_point"], z = [], first
    for n in range(1, budget[-1] // 2 + 1):
        z = keep_observed(irfft2(hat * rfft2(z), shape), y)
        if 2 * n in budget:
            table["fixed_point"].append(error(z))
    return table


def main() -> None:
    """Measure, print a line per condition, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--penalties", nargs="+", default=["gradient"])
    parser.add_argument("--count", type=int, default=2, help="photographs of each set at most")
    parser.add_argument("--border", action="store_true", help="only the border's solver")
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    record: dict = {"size": 256, "channel": "green", "boundary": {"data": "valid", "solver": "unknown"}}
    record |= {"torch": torch.__version__, "cpu": platform.machine()}
    sets = {
        source.name: load(source, args.count)
        for source in (Drive(args.folder), ChaseDb1(args.folder), Bsds500(args.folder))
    }
    if args.border:
        record["relative_error"] = {name: border(sharp) for name, sharp in sets.items()}
        print(json.dumps(record["relative_error"], indent=1))
    else:
        record["exponents"] = EXPONENTS
        record["loss"] = {name: losses(sharp, args.penalties) for name, sharp in sets.items()}
        every = [table for rows in record["loss"].values() for table in rows.values()]
        for rule in RULES:
            values = torch.tensor([value for table in every for value in table[rule]])
            record.setdefault("mean_loss", {})[rule] = round(float(values.mean()), 3)
            record.setdefault("greatest_loss", {})[rule] = round(float(values.max()), 3)
        print(record["mean_loss"], record["greatest_loss"])
    name = "tikhonov_border.json" if args.border else "tikhonov.json"
    output = args.output or Path(__file__).parent / "results" / name
    output.write_text(json.dumps(record, indent=1) + "\n")
    print(output)


if __name__ == "__main__":
    main()
