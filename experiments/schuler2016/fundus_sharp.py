"""Are fundus photographs that nobody blurred left alone by `blurlab deblur`, at their own size and enlarged?

    python experiments/schuler2016/fundus_sharp.py FOLDER    # of DRIVE and CHASE_DB1; writes results/fundus_sharp.json

Every photograph of both sets: shrunk to 256 px, as it comes, enlarged by 1.5 and by 2.5 (cubic interpolation), each
written as a JPEG file of quality 92. Of each such group: how many there are, the share called blurred, cannot tell, and
undone, and 95 % intervals of the first and the last. Beside them the photographs as they come and blurred in light by
Gaussian (sigma 3 px), defocus (radius 5 px) and motion (15 px): the share of those answered whose kind is right.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from blurlab.api import Deblurrer
from blurlab.blur import BlurFamily, Defocus, Gaussian, Motion
from blurlab.core.atomic import write_text
from blurlab.dataset import ChaseDb1, Drive, Photo, Source, to_square
from blurlab.dataset.corruption import resize
from blurlab.metric import wilson
from blurlab.noise import Srgb, jpeg
from blurlab.physics import Convolution

RESULT = Path(__file__).parent / "results" / "fundus_sharp.json"
QUALITY = 92
SHRUNK_PX = 256
FACTORS = 1.5, 2.5
BLURS: dict[str, BlurFamily] = {"gaussian": Gaussian(3.0), "defocus": Defocus(5.0), "motion": Motion(15.0, [0, 180])}
SHARP = ("none", "cannot tell")


def as_it_comes(image: np.ndarray, number: int) -> Tensor:
    """A photograph (H, W, 3) as a batch of one (1, 3, H, W)."""
    return torch.from_numpy(image).permute(2, 0, 1)[None]


def shrunk(image: np.ndarray, number: int) -> Tensor:
    """Its central square, made 256 px wide."""
    return as_it_comes(to_square(image, SHRUNK_PX, "rgb").astype(np.float32) / 255, number)


def enlarged(factor: float) -> Callable[[np.ndarray, int], Tensor]:
    """Enlarges it by this factor."""
    return lambda image, number: resize(as_it_comes(image, number), factor).clamp(0, 1)


def blurred(family: BlurFamily) -> Callable[[np.ndarray, int], Tensor]:
    """Blurs its light by one of the family's blurs, which the photograph's number chooses."""

    def made(image: np.ndarray, number: int) -> Tensor:
        kind, params = family.draw(1, generator=torch.Generator().manual_seed(number))
        light = Srgb().decode(as_it_comes(image, number))
        return Srgb().encode(Convolution(family.psf(params, kind), "replicate").A(light).clamp(0, 1))

    return made


WAYS = {
    f"shrunk to {SHRUNK_PX} px": shrunk,
    "as they come": as_it_comes,
    **{f"enlarged by {factor:g}": enlarged(factor) for factor in FACTORS},
    **{f"blurred: {name}": blurred(family) for name, family in BLURS.items()},
}


def answers(tool: Deblurrer, source: Source, photos: list[Photo], way: str) -> list[tuple[str, bool]]:
    """Kind, or "cannot tell", and whether it would be undone, of each photograph."""
    told = []
    for number, photo in enumerate(photos):
        file = jpeg(WAYS[way](source.load(photo), number), QUALITY)
        found = tool.identify(file[0].permute(1, 2, 0).numpy())
        told.append((found.kind if found.can_tell else "cannot tell", found.undone))
    return told


def summary(told: list[tuple[str, bool]], way: str) -> dict[str, Any]:
    """The line of one group of photographs."""
    count, kinds = len(told), [kind for kind, _ in told]
    answered = [kind for kind in kinds if kind != "cannot tell"]
    line: dict[str, Any] = {"count": count, "kinds": dict(Counter(kinds)), "undone": sum(u for _, u in told) / count}
    if way.startswith("blurred"):
        right = sum(way.endswith(kind) for kind in answered)
        return line | {"answered": len(answered) / count, "kind_accuracy_answered": right / max(1, len(answered))}
    called = sum(kind not in SHARP for kind in kinds)
    line |= {"called_blurred": called / count, "called_blurred_interval": wilson(called, count)}
    return line | {"undone_interval": wilson(sum(u for _, u in told), count)}


def main() -> None:
    """Ask the tool about every photograph, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds DRIVE and CHASE_DB1")
    parser.add_argument("--every", type=int, default=1, help="ask about every so many photographs only")
    parser.add_argument("--output", type=Path, default=RESULT)
    args = parser.parse_args()
    tool, record = Deblurrer(), {}
    for source in (Drive(args.folder), ChaseDb1(args.folder)):
        for way in WAYS:
            told = answers(tool, source, source.photos()[:: args.every], way)
            record[f"{source.name}, {way}"] = summary(told, way)
            print(f"{source.name}, {way}", json.dumps(record[f"{source.name}, {way}"]), flush=True)
    versions = {"torch": torch.__version__, "threads": torch.get_num_threads(), "device": "cpu", "every": args.every}
    args.output.parent.mkdir(parents=True, exist_ok=True)
    write_text(args.output, json.dumps({"groups": record, "quality": QUALITY, **versions}, indent=1) + "\n")


if __name__ == "__main__":
    main()
