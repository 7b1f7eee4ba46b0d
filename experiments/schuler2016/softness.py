"""How wide a Gaussian to undo in a photograph that is soft, and does not show in which way.

    python experiments/schuler2016/softness.py FOLDER    # FOLDER holds bsds500; writes results/softness.json

Validation photographs of BSDS500, sharp, or a little out of focus in one of two ways, through the camera of
``+experiment=camera_bsds``, seen by the network of `blurlab deblur`. Those of which it says that they are soft are
restored with Gaussians between the lower end of the 90 % interval of what was found (place 0, never less than half of
what was found) and what was found itself (place 1): ``PLACE`` of :mod:`blurlab.pipeline.softness`. Figures: mean ISNR
[dB], the share better than they came, the share not worse by .5 dB, the worst; for all, and by what was done.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import torch
from caution import SIDE, WORDS, figures
from torch import Tensor

from blurlab.blur import Defocus, Gaussian, Mixture, NoBlur, gaussian_psf
from blurlab.core.atomic import write_text
from blurlab.core.rng import generator
from blurlab.dataset import Bsds500
from blurlab.deconvolver import InLight
from blurlab.metric import isnr
from blurlab.pipeline import softness
from blurlab.run.command.compose import check
from blurlab.run.setup.parts import build_parts

RESULT = Path(__file__).parent / "results" / "softness.json"
PLACES, SEED = (0.0, 0.25, 0.5, 0.75, 1.0), 11
SOFT = Mixture({"none": NoBlur(), "gaussian": Gaussian([0.5, 1.8]), "defocus": Defocus([0.8, 2.8])})


class Case(NamedTuple):
    """A photograph that is soft.

    Attributes:
        y: As it came, (1, C, H, W).
        x: Sharp.
        widths: Deviations of the Gaussians at each of the places [px].
        kind: Of its blur.
    """

    y: Tensor
    x: Tensor
    widths: list[float]
    kind: str


def cases(folder: Path, count: int) -> list[Case]:
    """What the network says is soft."""
    parts = build_parts(check([*WORDS, f"paths.data_dir={folder}"])[0])
    degrade = parts.degrade.with_family(SOFT.with_size(parts.degrade.family.size))
    source, side, found = Bsds500(str(folder), parts=["val"]), SIDE + 2 * degrade.margin, []
    for photo in list(source.photos())[:count]:
        image = torch.from_numpy(source.load(photo)).permute(2, 0, 1)[None]
        top, left = ((whole - side) // 2 for whole in image.shape[-2:])
        sharp = image[..., top : top + side, left : left + side].float()
        seen = degrade(sharp, generator=[generator(SEED, "softness", photo.id)])
        kind, widths = SOFT.kinds[int(seen.kind)], []
        for softness.PLACE in PLACES:
            label = parts.identifier.identify(seen.y, {}, {}).label
            assert label is not None and label.soft_px is not None
            widths.append(float(label.soft_px))
        if all(map(math.isfinite, widths)):
            found.append(Case(seen.y, seen.x, widths, kind))
        print(f"{photo.id}: {kind}, {widths}", flush=True)
    return found


def main() -> None:
    """Make the cases, try every place, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds bsds500")
    parser.add_argument("--count", type=int, default=100, help="photographs")
    args = parser.parse_args()
    table: dict[str, Any] = {}
    with torch.inference_mode():
        items, solver = cases(args.folder, args.count), InLight()
        for index, place in enumerate(PLACES):
            won: dict[str, list[float]] = {}
            for y, x, widths, kind in items:
                gain = float(isnr(y, solver(y, gaussian_psf(torch.tensor([widths[index]]), 31)).image, x))
                won.setdefault(kind, []).append(gain)
            every = [gain for some in won.values() for gain in some]
            table[f"{place:g}"] = {
                name: {"count": len(some), **figures(some)} for name, some in {"all": every, **won}.items()
            }
            print(place, json.dumps(table[f"{place:g}"]), flush=True)
    facts = {"photographs": args.count, "soft": len(items), "side_px": SIDE, "torch": torch.__version__}
    write_text(RESULT, json.dumps({"data": "BSDS500 val", **facts, "places": table}, indent=1) + "\n")


if __name__ == "__main__":
    main()
