"""How much of a restoration to keep in what the channels of a photograph differ in (``InLight.colour``).

    python experiments/schuler2016/colour.py FOLDER [--count 30]    # bsds500, CHASE_DB1; results/colour.json, .md
    python experiments/schuler2016/colour.py --table                # the table alone, of the record that is there

Validation photographs of BSDS500, blurred as in ``+experiment=camera_bsds`` (all its kinds but none), of which each
kernel is known: as files of its camera, and as files of nothing but white noise of .004; and photographs of CHASE_DB1
through the camera, behind a stop (``+experiment=camera_fundus``). Figures, by share kept: mean ISNR [dB], shares better
than they came and not worse by .5 dB, the worst.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from caution import SIDE, figures
from torch import Tensor

from blurlab.blur import Defocus, Gaussian, Mixture, Motion, Trajectory
from blurlab.core.atomic import write_text
from blurlab.core.rng import generator
from blurlab.dataset import Bsds500, ChaseDb1, Degrade, Source
from blurlab.dataset.prepare import cut_centre, to_square
from blurlab.deconvolver import InLight
from blurlab.deconvolver.colour import with_sure_colour
from blurlab.metric import isnr
from blurlab.noise import Camera, Srgb
from blurlab.noise import Gaussian as WhiteNoise
from blurlab.physics.field_stop import field
from blurlab.pipeline import KnownKernel, Pipeline
from blurlab.pipeline.estimate import by_kernel
from blurlab.run.command.compose import check
from blurlab.run.setup.parts import build_parts

RESULT = Path(__file__).parent / "results" / "colour.json"
SHARES, SEED = (0.0, 0.15, 0.3, 0.5, 1.0), 17
BLURRED = Mixture({
    "gaussian": Gaussian([1, 4]),
    "defocus": Defocus([1.5, 7]),
    "motion": Motion([4, 20], [0, 180]),
    "shake": Trajectory(exposure=1, length_px=[26, 72], size=31),
})  # fmt: skip
"""What is restored is blurred: ``blur=camera_kinds`` without its kind none."""
EYE_PX = 320
"""Side of a fundus photograph."""


def degraded(source: Source, degrade: Degrade, name: str, count: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Observed and sharp photographs (1, 3, H, W), and their kernels."""
    side = (EYE_PX if degrade.stops else SIDE) + 2 * degrade.margin
    take = to_square if degrade.stops else cut_centre
    for photo in source.photos()[:count]:
        sharp = torch.from_numpy(take(source.load(photo), side, "rgb")).permute(2, 0, 1)[None].float() / 255
        seen = degrade(sharp, generator=[generator(SEED, name, photo.id)])
        yield seen.y, seen.x, seen.psf


def gains(items: Iterator[tuple[Tensor, Tensor, Tensor]]) -> dict[str, dict[str, float]]:
    """What each share gains on the cases."""
    won: dict[float, list[float]] = {share: [] for share in SHARES}
    restorer = Pipeline(KnownKernel(BLURRED), {}, {}, InLight(colour=1.0))
    for y, x, psf in items:
        circle = field(y[0])
        stop = torch.tensor([circle or (torch.nan,) * 3])
        estimate = replace(by_kernel(psf, torch.ones(1, dtype=torch.bool)), stop=stop)
        image = restorer.restore(y, estimate, None)
        for share in SHARES:
            won[share].append(float(isnr(y, with_sure_colour(y, image.clone(), share), x)))
    return {f"{share:g}": figures(found) for share, found in won.items()}


def write_table() -> None:
    """The record as a table beside it."""
    record = json.loads(RESULT.read_text())
    lines = [
        f"Mean ISNR [dB], and the share that became better, of {record['photographs']} photographs; kernels known.",
        "",
    ]
    lines += [f"| share kept | {' | '.join(record['by share'])} |", "|---" * (1 + len(record["by share"])) + "|"]
    for share in map("{:g}".format, SHARES):
        cells = [f"{one[share]['isnr']:.2f} dB, {one[share]['better']:.2f}" for one in record["by share"].values()]
        lines.append(f"| {share} | {' | '.join(cells)} |")
    write_text(RESULT.with_suffix(".md"), "\n".join(lines) + "\n")


def main() -> None:
    """Restore every photograph once, keep each share of it, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="holds bsds500 and CHASE_DB1")
    parser.add_argument("--table", action="store_true", help="write the table of the record, and measure nothing")
    parser.add_argument("--count", type=int, default=30, help="photographs of each set at most")
    args = parser.parse_args()
    if args.table:
        return write_table()
    if args.folder is None:
        parser.error("name the folder of the photographs")
    photographs, eyes = Bsds500(str(args.folder), parts=["val"]), ChaseDb1(args.folder)
    parts = [
        build_parts(check([f"+experiment={name}", f"paths.data_dir={args.folder}"])[0])
        for name in ("camera_bsds", "camera_fundus")
    ]
    camera, stopped = (one.degrade.with_family(BLURRED) for one in parts)
    white = camera.with_noise(Camera(Srgb(), file=[WhiteNoise(sigma=0.004)]))
    table = {}
    with torch.inference_mode():
        for name, source, degrade in (
            ("BSDS500 val, camera", photographs, camera),
            ("BSDS500 val, white noise of .004", photographs, white),
            ("CHASE_DB1, camera", eyes, stopped),
        ):
            table[name] = gains(degraded(source, degrade, name, args.count))
            print(name, json.dumps(table[name]), flush=True)
    facts = {"photographs": args.count, "kernels": "known", "torch": torch.__version__, "device": "cpu"}
    write_text(RESULT, json.dumps({**facts, "by share": table}, indent=1) + "\n")
    write_table()


if __name__ == "__main__":
    main()
