"""How careful a restoration of a photograph has to be: the noise and the error of the kernel that are assumed.

    python experiments/schuler2016/caution.py FOLDER [--count 40]    # FOLDER holds bsds500; writes results/caution.json

Validation photographs of BSDS500 through the camera and the blurs of ``+experiment=camera_bsds``, named by the network
of `blurlab deblur`. What is named, and is no shake, is restored with each factor on the measured noise
(``InLight.caution``) and each share of half the 90 % interval that the kernel is taken to be wrong by (``UNSURE`` of
:mod:`blurlab.pipeline.photograph`). Figures: mean ISNR [dB], the share better than they came, the share not worse by
.5 dB; and the same of total variation with one noise for all pixels, as it was before LightTV.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from blurlab.core.atomic import write_text
from blurlab.core.rng import generator
from blurlab.dataset import Bsds500
from blurlab.deconvolver import TV, InLight
from blurlab.deconvolver.light_tv import BRIGHTEST
from blurlab.metric import isnr
from blurlab.pipeline.photograph import EXACT_PX
from blurlab.run.command.compose import check
from blurlab.run.setup.parts import build_parts

RESULT = Path(__file__).parent / "results" / "caution.json"
CAUTIONS, SHARES, SIDE, SEED = (1.0, 2.0, 4.0, 6.0), (0.0, 0.25, 0.5), 256, 7
WORDS = [
    "+experiment=camera_bsds", "budget=small", "pipeline=photograph", "pipeline.weights=photograph",
    "pipeline.free_form=null", "deconvolver=in_light", "run.variant=caution", "logger=csv",
]  # fmt: skip


def cases(folder: Path, count: int) -> list[tuple[Tensor, Tensor, Tensor, float]]:
    """Observed and sharp photographs, kernels, and half the 90 % interval of each one's strength [px]."""
    parts = build_parts(check([*WORDS, f"paths.data_dir={folder}"])[0])
    source, side, found = Bsds500(str(folder), parts=["val"]), SIDE + 2 * parts.degrade.margin, []
    for photo in list(source.photos())[:count]:
        image = torch.from_numpy(source.load(photo)).permute(2, 0, 1)[None]
        top, left = ((whole - side) // 2 for whole in image.shape[-2:])
        sharp = image[..., top : top + side, left : left + side].float()
        seen = parts.degrade(sharp, generator=[generator(SEED, "caution", photo.id)])
        label = (estimate := parts.identifier.identify(seen.y, {}, {})).label
        assert label is not None
        half = float(label.interval_px[0].diff()) / 2
        if bool(label.can_tell) and not math.isnan(half):
            found.append((seen.y, seen.x, estimate.psf, half))
        print(f"{photo.id}: {parts.identifier.family.kinds[int(label.kind)]}", flush=True)
    return found


def gains(solver: InLight, share: float, items: list[tuple[Tensor, Tensor, Tensor, float]]) -> dict[str, float]:
    """What a solver gains on the cases."""
    won = []
    for y, x, psf, half in items:
        error = torch.tensor([(EXACT_PX**2 + (share * half) ** 2) ** 0.5])
        won.append(float(isnr(y, solver.allowing(error)(y, psf).image, x)))
    return figures(won)


def figures(won: list[float]) -> dict[str, float]:
    """Of gains [dB]: their mean, the shares better than they came and not worse by .5 dB, and the worst."""
    each = torch.tensor(won)
    return {
        "isnr": round(float(each.mean()), 3),
        "better": round(float((each > 0).float().mean()), 3),
        "not_worse": round(float((each > -0.5).float().mean()), 3),
        "worst": round(float(each.min()), 2),
    }


def main() -> None:
    """Make the cases, try every pair, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds bsds500")
    parser.add_argument("--count", type=int, default=40, help="photographs")
    args = parser.parse_args()
    table: dict[str, Any] = {}
    with torch.inference_mode():
        items = cases(args.folder, args.count)
        table["one noise for all pixels, caution 2, share 0"] = gains(
            InLight(TV(upper=BRIGHTEST), caution=2), 0.0, items
        )
        for caution in CAUTIONS:
            for share in SHARES:
                table[f"caution {caution:g}, share {share:g}"] = found = gains(InLight(caution=caution), share, items)
                print(caution, share, json.dumps(found), flush=True)
    facts = {"photographs": args.count, "restored": len(items), "side_px": SIDE, "torch": torch.__version__}
    write_text(RESULT, json.dumps({"data": "BSDS500 val", **facts, "solvers": table}, indent=1) + "\n")


if __name__ == "__main__":
    main()
