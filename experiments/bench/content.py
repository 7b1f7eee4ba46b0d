"""Of which images the likelihood tells nothing: ``python experiments/bench/content.py FOLDER``.

FOLDER holds bsds500, fundus and levin09. Photographs (every fourth test photograph of BSDS500, every fourth of DRIVE,
the sharp four of levin09), sharp and blurred by the widest kernels that the tool looks for, whole (at most 384 px) and
as the middle 64 px, with Gaussian noise: how many are taken for images of one direction, the smallest share of the
second direction in the gradients, and of ``--fitted`` photographs of each set also the largest misfit of the best kind,
how much sharper their edges are at most than the blur that is found allows, and how many are answered "cannot tell".
Then drawn images that say nothing of their blur, and sharp shapes on a plain ground: which are told one. (A shape that
is said to be sharp is not told a blur.)
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from blurlab.blur import Defocus, Gaussian, Mixture, Motion, NoBlur
from blurlab.core.rng import generator, uniform
from blurlab.dataset import Bsds500, Drive, Levin09, Source
from blurlab.likelihood import has_one_direction, second_direction, sharper_than
from blurlab.physics import Convolution
from blurlab.pipeline import Likelihood
from blurlab.pipeline.estimate import KindEstimate

SIGMA, SIGMAS = 0.004, (0.0, 0.004, 0.02)
SIDES = (64, 0)
LARGEST = 384
FAMILY = Mixture({
    "none": NoBlur(), "gaussian": Gaussian([0.5, 5]), "defocus": Defocus([0.7, 8]), "motion": Motion([2, 20], [0, 180]),
})  # fmt: skip
LIKELIHOOD = Likelihood(FAMILY)


def blurs(angle_deg: float) -> dict[str, Tensor | None]:
    """Name -> kernel."""
    return {
        "sharp": None,
        "gaussian 5": Gaussian(5.0).psf(torch.tensor([[5.0]])),
        "defocus 8": Defocus(8.0).psf(torch.tensor([[8.0]])),
        "motion 20": Motion(20.0, [0, 180]).psf(torch.tensor([[20.0, angle_deg]])),
    }


def photographs(source: Source, count: int) -> Iterator[tuple[str, int, int, Tensor]]:
    """(blur, side or 0 for whole, number of the photograph, y (1, C, H, W)) of each case."""
    photos = source.photos()
    for number, photo in enumerate(photos[:: max(len(photos) // count, 1)][:count]):
        x = torch.from_numpy(source.load(photo)).permute(2, 0, 1)[None, :, :LARGEST, :LARGEST].contiguous()
        angle = float(uniform(1, 0, 180, generator=generator("content", photo.id)))
        for blur, psf in blurs(angle).items():
            blurred = x if psf is None else Convolution(psf, "valid").A(x)
            for side in SIDES:
                top, left = ((n - side) // 2 if side else 0 for n in blurred.shape[-2:])
                cut = blurred[..., top : top + (side or LARGEST), left : left + (side or LARGEST)]
                noise = SIGMA * torch.randn(cut.shape, generator=generator("noise", photo.id))
                yield blur, side, number, (cut + noise).clamp(0, 1)


def drawn(side: int) -> dict[str, Tensor]:
    """Name -> image (1, 1, side, side): straight edges, stripes, ramps and checks."""
    down, across = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    found = {}
    for angle in (0, 10, 30, 45, 73, 90):
        turned = math.radians(angle)
        along = (across - side / 2) * math.cos(turned) + (down - side / 2) * math.sin(turned)
        found[f"edge {angle}"] = (along + 0.5).clamp(0, 1)
        found[f"hard edge {angle}"] = (along > 0).float()
        found[f"ramp {angle}"] = 0.5 + along / (2 * side)
        found[f"wave {angle}"] = 0.5 + 0.4 * torch.sin(along * 2 * math.pi / 7)
    for width in (1, 2, 3, 4, 8, 16):
        found[f"stripes {width}"] = (across // width % 2).float()
    for width in (4, 8, 16):
        found[f"checks {width}"] = ((across // width + down // width) % 2).float()
    return {name: (0.1 + 0.8 * image)[None, None] for name, image in (found | shapes(side)).items()}


def shapes(side: int) -> dict[str, Tensor]:
    """Name -> image (side, side): 1 within a shape, 0 on the ground."""
    down, across = torch.meshgrid(torch.arange(side) - side / 2, torch.arange(side) - side / 2, indexing="ij")
    from_middle = down.hypot(across)
    found = {
        "circle": from_middle < side / 4,
        "small circle": from_middle < side / 12,
        "ring": (from_middle - side / 4).abs() < 3,
        "wide cross": (down.abs() < side / 8) | (across.abs() < side / 8),
        "thin cross": (down.abs() < 2) | (across.abs() < 2),
    }
    for angle in (0, 30):
        turned = math.radians(angle)
        along = across * math.cos(turned) + down * math.sin(turned)
        aside = down * math.cos(turned) - across * math.sin(turned)
        found[f"corner {angle}"] = (along > 0) & (aside > 0)
        found[f"square {angle}"] = (along.abs() < side / 4) & (aside.abs() < side / 4)
        found[f"triangle {angle}"] = (along > 0) & (aside > 0) & (along + aside < side / 2)
    return {name: shape.float() for name, shape in found.items()}


def is_told(found: KindEstimate | None) -> bool:
    """Whether one kind is more likely than the others."""
    return found is not None and float(found.probability.amax()) > 1 / len(LIKELIHOOD.family.kinds) + 1e-6


def main() -> None:
    """Measure, print a line per case, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fitted", type=int, default=4, help="photographs of each set that are fitted too")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "content.json")
    args = parser.parse_args()
    torch.set_num_threads(1)
    sets: list[tuple[Source, int]] = [(Bsds500(args.folder, ("test",)), 50), (Drive(args.folder), 10)]
    record: dict = {"photographs": {}, "drawn": {}}
    for source, count in [*sets, (Levin09(args.folder), 4)]:
        for blur, side, number, y in photographs(source, count):
            key = f"{source.name}/{side or 'whole'}/{blur}"
            row = record["photographs"].setdefault(
                key,
                {
                    "n": 0,
                    "one_direction": 0,
                    "least_share": 1.0,
                    "fitted": 0,
                    "cannot_tell": 0,
                    "misfit": 0.0,
                    "sharper": 0.0,
                },
            )
            row["n"] += 1
            row["one_direction"] += int(has_one_direction(y))
            row["least_share"] = min(row["least_share"], round(float(second_direction(y)), 4))
            if number < args.fitted:
                fits = [refiner(y) for refiner in LIKELIHOOD.refiners]
                row["fitted"] += 1
                row["misfit"] = max(row["misfit"], round(min(float(fit.misfit) for fit in fits), 3))
                likeliest = LIKELIHOOD.most_likely(fits, y)
                assert likeliest.sigma is not None
                row["sharper"] = max(row["sharper"], round(float(sharper_than(y, likeliest.psf, likeliest.sigma)), 3))
                row["cannot_tell"] += int(not is_told(LIKELIHOOD.identify(y, {}, {}).label))
        for key, row in record["photographs"].items():
            if key.startswith(f"{source.name}/"):
                print(key, row, flush=True)
    for sigma in SIGMAS:
        for side in (64, 128):
            for name, image in drawn(side).items():
                y = (image + sigma * torch.randn(image.shape, generator=generator(name))).clamp(0, 1)
                found = LIKELIHOOD.identify(y, {}, {}).label
                assert found is not None
                row = record["drawn"].setdefault(f"{side}/{sigma:g}", {"n": 0, "sharp": [], "told": []})
                row["n"] += 1
                if is_told(found):
                    row["told" if LIKELIHOOD.family.kinds[int(found.kind)] != "none" else "sharp"].append(name)
            print(f"{side}/{sigma:g}", record["drawn"][f"{side}/{sigma:g}"], flush=True)
    args.output.write_text(json.dumps(record, indent=1) + "\n")
    print(args.output)


if __name__ == "__main__":
    main()
