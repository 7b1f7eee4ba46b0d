"""Photographs of the back of the eye, blurred behind a sharp stop as in a camera: does `blurlab deblur` help?

    python experiments/schuler2016/fundus_stop.py FOLDER    # FOLDER holds DRIVE; writes results/fundus_stop.json

Every fourth photograph of DRIVE, at its own size. The field goes on beyond its rim as in a mirror, is blurred in light,
and the photograph's own rim and surroundings are put back; noise of .004, no file format. Of each blur: the kinds that
were named, and PSNR [dB] of the whole photograph before and after `blurlab deblur`; ``with_its_rim`` is the same
deconvolver with the same kernel, shown the photograph as it is.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

import torch
from torch import Tensor

from blurlab.api import Deblurrer
from blurlab.blur import Defocus, Motion
from blurlab.core.atomic import write_text
from blurlab.dataset import Drive
from blurlab.metric import psnr
from blurlab.noise import light_to_srgb, srgb_to_light
from blurlab.physics import Convolution
from blurlab.physics.field_stop import behind_stops

RESULT = Path(__file__).parent / "results" / "fundus_stop.json"
EVERY, SIGMA = 4, 0.004
BLURS = {
    "defocus": Defocus(4.0).psf(torch.tensor([[4.0]])),
    "motion": Motion(9.0, 30.0).psf(torch.tensor([[9.0, 30.0]])),
}


def behind_a_stop(sharp: Tensor, psf: Tensor, seed: int) -> Tensor:
    """A photograph (1, 3, H, W) whose field is blurred, and whose rim is not."""
    light = behind_stops(Convolution(psf, "replicate").A, srgb_to_light(sharp), sharp)
    seen = light_to_srgb(light.clamp(0, 1))
    noise = torch.randn(sharp.shape, generator=torch.Generator().manual_seed(seed))
    return (seen + SIGMA * noise).clamp(0, 1)


def main() -> None:
    """Blur, restore, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds DRIVE")
    source, tool, record = Drive(parser.parse_args().folder), Deblurrer(), {}
    for name, psf in BLURS.items():
        kinds, gains = Counter[str](), []
        for number, photo in enumerate(source.photos()[::EVERY]):
            sharp = torch.from_numpy(source.load(photo)).permute(2, 0, 1)[None].float()
            y = behind_a_stop(sharp, psf, number)
            image = y[0].permute(1, 2, 0).numpy()
            restored, found = tool.deblur(image)
            bare = tool.undo(image, found.psf)[0] if found.undone else image
            shown = (torch.from_numpy(one).permute(2, 0, 1)[None] for one in (image, restored, bare))
            kinds[found.word] += 1
            gains.append([float(psnr(one, sharp)) for one in shown])
        before, after, with_rim = torch.tensor(gains).T
        record[name] = {
            "photographs": len(gains), "kinds": dict(kinds), "psnr_before_db": round(float(before.mean()), 2),
            "psnr_after_db": round(float(after.mean()), 2), "psnr_with_its_rim_db": round(float(with_rim.mean()), 2),
            "least_gain_db": round(float((after - before).min()), 2), "better": int((after > before).sum()),
        }  # fmt: skip
        print(name, json.dumps(record[name]), flush=True)
    facts = {"data": f"DRIVE, every {EVERY}th", "sigma": SIGMA, "torch": torch.__version__, "device": "cpu"}
    write_text(RESULT, json.dumps({**facts, "blurs": record}, indent=1) + "\n")


if __name__ == "__main__":
    main()
