"""The default weight of TV: ``python experiments/bench/tv_weight.py FOLDER`` with DRIVE, CHASE_DB1 and BSDS500 in it.

Photographs of blurlab's own splits, green, the central 128 x 128 pixels of 256 x 256, are blurred (by a line or a
disk and by a random walk, boundary ``valid``), given Gaussian noise of three levels and restored with TV as it comes,
with weights around sigma^1.5. From those to train on follow the powers of ``blurlab.deconvolver.weight.FromGradient``,
written to ``blurlab/deconvolver/weight.json``: they lose least ISNR against the best weight of each image, fundus and
other photographs counting alike. Those to test on, with other kernels, are restored with 30 weights: the record says
what the rule loses there against the best of the 30 of each image, and what rules that solve many times lose.
"""

from __future__ import annotations

import argparse
import json
import platform
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize
from torch import Tensor

from blurlab.blur import Defocus, Motion
from blurlab.core.rng import generator
from blurlab.dataset import Bsds500, ChaseDb1, Drive, Source, make_split, prepare_all
from blurlab.deconvolver import TV, Discrepancy, FromGradient, Sure, WeightRule
from blurlab.deconvolver.weight import features
from blurlab.metric import isnr
from blurlab.physics import Convolution

SIZE, SIDE, MARGIN = 256, 128, 13
SIGMAS = (0.002, 0.004, 0.01)
DECADES = 1.5
TRIED_TO_FIT, TRIED_TO_TEST = 16, 30
STEPS = 400
FINE = 30
SLOW_TAKES = 4
"""Every which item the rules that solve many times are tried on."""
TARGET = Path(__file__).parents[2] / "blurlab" / "deconvolver" / "weight.json"


@dataclass(frozen=True)
class Item:
    """One blurred photograph, and how well it was restored with each weight."""

    source: str
    x: Tensor
    y: Tensor
    psf: Tensor
    sigma: Tensor
    isnr: NDArray[np.float64]

    def loss(self, weight: float) -> float:
        """ISNR lost against the best weight tried [dB]; below 0 where a weight between those is better."""
        place = np.log10(weight / power_law(float(self.sigma)))
        return float(self.isnr.max() - CubicSpline(grid(len(self.isnr)), self.isnr)(np.clip(place, -DECADES, DECADES)))


def power_law(sigma: float) -> float:
    """Where the search for the best weight is centred."""
    return 1.5 * sigma**1.5


def grid(n: int) -> NDArray[np.float64]:
    """Decades above the centre."""
    return np.linspace(-DECADES, DECADES, n)


def walk(*, random: torch.Generator) -> Tensor:
    """Path of a shaking hand, (1, 1, 27, 27): an integrated random velocity that forgets slowly, 8 to 24 px wide."""
    velocity, path = torch.zeros(2), [torch.zeros(2)]
    for change in torch.randn(STEPS, 2, generator=random):
        velocity = 0.98 * velocity + change
        path.append(path[-1] + velocity)
    points = torch.stack(path)
    low, high = points.amin(0), points.amax(0)
    width = 8 + 16 * float(torch.rand((), generator=random))
    points = (points - (low + high) / 2) / (high - low).max() * width + MARGIN
    psf, corner = torch.zeros(2 * MARGIN + 1, 2 * MARGIN + 1), points.floor()
    for shift in torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]]):
        share = (1 - (points - corner - shift).abs()).prod(1)
        rows, cols = (corner.long() + shift).clamp(0, 2 * MARGIN).unbind(1)
        psf.index_put_((rows, cols), share, accumulate=True)
    return (psf / psf.sum())[None, None]


def kernels(number: int, *names: str) -> list[Tensor]:
    """A line or, for odd numbers, a disk, and a walk, drawn by name."""
    random, size = generator("tv_weight", *names), 2 * MARGIN + 1
    family = Defocus([1, 8], size=size) if number % 2 else Motion([3, 20], [0, 180], size=size)
    return [family.sample(1, generator=random).psf, walk(random=random)]


def items(source: Source, part: str, count: int, tried: int) -> list[Item]:
    """Photographs of a part of a set's split, blurred and restored with every weight."""
    split = make_split(source)
    photos = getattr(split, part)[:count]
    done = prepare_all(source, photos, SIZE + 2 * MARGIN, "green", digests=split.digests)
    side, solver, found = SIDE + 2 * MARGIN, TV(), []
    for number, (photo, array) in enumerate(zip(done.photos, done.arrays, strict=True)):
        wide = torch.from_numpy(array).permute(2, 0, 1)[None].float() / 255
        wide = wide[..., (SIZE - SIDE) // 2 :, (SIZE - SIDE) // 2 :][..., :side, :side]
        x = wide[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
        for psf in kernels(number, source.name, photo.id):
            for sigma in SIGMAS:
                noise = torch.randn(x.shape, generator=generator("noise", photo.id, str(sigma)))
                y = Convolution(psf, "valid").A(wide) + sigma * noise
                weights = torch.from_numpy(power_law(sigma) * 10 ** grid(tried)).float().reshape(-1, 1, 1, 1)
                u, _ = solver.solve(y.expand(tried, -1, -1, -1), psf.expand(tried, -1, -1, -1), weights)
                gain = isnr(y.expand(tried, -1, -1, -1), u[..., :SIDE, :SIDE], x.expand(tried, -1, -1, -1))
                found.append(Item(source.name, x, y, psf, torch.full((1, 1, 1, 1), sigma), gain.double().numpy()))
        print(source.name, part, photo.id, f"{found[-1].isnr.max():.2f} dB", flush=True)
    return found


def fit(training: list[Item]) -> dict[str, float]:
    """Constant and powers that lose least, fundus and other photographs counting alike."""
    tables = [features(item.y, item.psf, item.sigma) for item in training]
    table = np.array([[1.0, *(float(value) for value in one.values())] for one in tables])
    natural = np.array([item.source == "bsds500" for item in training])
    share = np.where(natural, 1 / natural.sum(), 1 / (~natural).sum())
    fine = grid(FINE * TRIED_TO_FIT)
    curves = CubicSpline(grid(TRIED_TO_FIT), np.stack([item.isnr for item in training]), axis=1)(fine)
    centre = np.log([power_law(float(item.sigma)) for item in training])

    def loss(powers: NDArray[np.float64]) -> float:
        place = (table @ powers - centre) / np.log(10)
        values = [np.interp(at, fine, curve) for at, curve in zip(place, curves, strict=True)]
        return float(share @ (curves.max(1) - values))

    best = centre + np.log(10) * fine[curves.argmax(1)]
    first = np.linalg.lstsq(table, best, rcond=None)[0]
    options = {"maxiter": 10_000, "maxfev": 10_000, "xatol": 1e-4, "fatol": 1e-6}
    powers = minimize(loss, first, method="Nelder-Mead", options=options).x
    return {name: round(float(value), 3) for name, value in zip(["constant", *tables[0]], powers, strict=True)}


def losses(tested: list[Item], rule: WeightRule) -> dict[str, dict[str, float]]:
    """Mean loss [dB], and that which 90 % of the images stay below, for fundus and other photographs and each noise."""
    found: dict[str, dict[str, list[float]]] = {}
    for item in tested:
        weight = float(rule.choose(item.y, item.psf, item.sigma, TV().blur_again))
        group = found.setdefault("natural" if item.source == "bsds500" else "fundus", {})
        group.setdefault(f"{float(item.sigma):g}", []).append(item.loss(weight))
    table = {}
    for name, group in found.items():
        table[name] = {f"mean {sigma}": round(float(np.mean(values)), 3) for sigma, values in group.items()}
        together = [value for values in group.values() for value in values]
        table[name] |= {"mean": round(float(np.mean(together)), 3), "p90": round(float(np.quantile(together, 0.9)), 3)}
        table[name]["n"] = len(together)
    return table


def main() -> None:
    """Measure, fit, test, write the powers and the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=5, help="photographs of DRIVE and of CHASE_DB1; twice of BSDS500")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "tv_weight.json")
    args = parser.parse_args()
    torch.set_num_threads(1)
    sources = {Drive(args.folder): args.count, ChaseDb1(args.folder): args.count, Bsds500(args.folder): 2 * args.count}
    training = [item for source, n in sources.items() for item in items(source, "train", n, TRIED_TO_FIT)]
    powers = fit(training)
    print(powers)
    TARGET.write_text(json.dumps(powers) + "\n")
    record = {
        "protocol": {"side": SIDE, "channel": "green", "data": "valid", "sigmas": SIGMAS, "photographs": args.count},
        "torch": torch.__version__,
        "cpu": platform.machine(),
        "powers": powers,
        "train": losses(training, FromGradient()),
    }
    tested = [item for source, n in sources.items() for item in items(source, "test", n, TRIED_TO_TEST)]
    record["test"] = {"FromGradient": losses(tested, FromGradient())}
    args.output.write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1), flush=True)
    rules = {"FromGradient": FromGradient(), "Discrepancy": Discrepancy(), "Sure": Sure()}
    record["test_some"] = {name: losses(tested[::SLOW_TAKES], rule) for name, rule in rules.items()}
    args.output.write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record["test_some"], indent=1))


if __name__ == "__main__":
    main()
