"""What is gained by measuring a motion on the photograph itself, and what is left to gain.

    python experiments/schuler2016/motions.py FOLDER [--count 12]    # FOLDER holds bsds500; writes results/motions.json
    python experiments/schuler2016/motions.py --table                # results/motions.md alone, of the record there

Validation photographs of BSDS500, moved by 5 to 19 px, through the camera of ``+experiment=camera_bsds``; and
photographs of scikit-image whose values, not light, were moved by 9 px at 30 degrees, as PNG and as JPEG of quality 90.
Each is named by the network of `blurlab deblur`, with no free kernel beside it. ISNR [dB], up to a shift, of three
kernels, each with what is allowed for its error: the network's, the one fitted to the photograph, and the true one.
``share90`` is the share of half the network's 90 % intervals, of length and of angle, that nine in ten errors stay in.
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from blurlab.api import Deblurrer
from blurlab.blind import FreeForm
from blurlab.blur import motion_psf, trimmed
from blurlab.core.atomic import write_text
from blurlab.core.rng import generator
from blurlab.dataset import Bsds500, Bundled
from blurlab.metric import align, psnr
from blurlab.physics import Convolution
from blurlab.pipeline.line_fit import fitted_error, refitted
from blurlab.pipeline.photograph import Photograph
from blurlab.run.command.compose import check
from blurlab.run.setup.parts import build_parts

RESULT = Path(__file__).parent / "results" / "motions.json"
BUNDLED, QUALITY, SEED = ("astronaut.png", "coffee.png", "motorcycle_left.png"), 90, 11
WORDS = [
    "+experiment=camera_bsds", "budget=small", "pipeline=photograph", "pipeline.weights=photograph",
    "pipeline.free_form=null", "deconvolver=in_light", "run.variant=motions", "logger=csv",
]  # fmt: skip
Case = tuple[str, Tensor, Tensor, float, float]
"""Name, observed and sharp photograph, length [px] and angle [deg]."""


def line(length: float, angle: float) -> Tensor:
    """The kernel of a motion (1, 1, k, l)."""
    return trimmed(motion_psf(torch.tensor([length]), torch.tensor([angle]), 2 * int(length / 2 + 2) + 1))


def of_camera(folder: Path, count: int) -> Iterator[Case]:
    """BSDS500 through the camera."""
    camera = build_parts(check([*WORDS, f"paths.data_dir={folder}"])[0]).degrade.noise
    source, rng = Bsds500(str(folder), parts=["val"]), np.random.default_rng(SEED)
    for photo in list(source.photos())[:: 100 // count][:count]:
        length, angle = float(rng.uniform(5, 19)), float(rng.uniform(0, 180))
        scene = camera.scene(torch.from_numpy(source.load(photo)).permute(2, 0, 1)[None].float())
        blurred = Convolution(line(length, angle), "valid").A(scene)
        inner = cropped(scene, blurred)
        y, x, _ = camera.photograph(blurred, inner, generator=[generator(SEED, "motions", photo.id)])
        yield photo.id, y, x, length, angle


def of_values() -> Iterator[Case]:
    """Photographs of scikit-image whose values were blurred."""
    source = Bundled()
    for photo in source.photos():
        if photo.id in BUNDLED:
            sharp = torch.from_numpy(source.load(photo)).permute(2, 0, 1)[None].float()[..., :512, :512]
            y = Convolution(line(9.0, 30.0), "valid").A(sharp).clamp(0, 1)
            samples = y[0].mul(255).round().byte().permute(1, 2, 0).numpy()
            for name, options in (("PNG", {}), ("JPEG", {"quality": QUALITY})):
                file = io.BytesIO()
                Image.fromarray(samples).save(file, format=name, **options)  # type: ignore[arg-type]
                read = torch.from_numpy(np.asarray(Image.open(file)).copy()).permute(2, 0, 1)[None] / 255
                yield f"{photo.id}, {name}", read, cropped(sharp, y), 9.0, 30.0


def cropped(image: Tensor, inner: Tensor) -> Tensor:
    """The middle of an image, as large as another."""
    top, left = ((big - small) // 2 for big, small in zip(image.shape[-2:], inner.shape[-2:], strict=True))
    return image[..., top : top + inner.shape[-2], left : left + inner.shape[-1]]


def tried(tool: Deblurrer, case: Case) -> dict[str, Any] | None:
    """What each kernel gains on a photograph; None where no motion was found that would be undone."""
    _, y, x, length, angle = case
    pipeline, form = tool.trained.pipeline, FreeForm()
    assert isinstance(pipeline.identifier, Photograph)
    pipeline.identifier.free_form = None
    found = pipeline.identify(y)
    label, family = found.label, pipeline.identifier.family
    assert label is not None
    if family.kinds[int(label.kind)] != "motion" or not bool(found.blurred) or bool(found.turns):
        return None
    values = torch.tensor([form.judged(y, trimmed(found.psf)).of_values])
    found = replace(found, of_values=values)
    fit = refitted(form, family.with_size(found.psf.shape[-1]), found, y, found.blurred)
    true = found.with_kernels(torch.tensor([0]), cropped_to(line(length, angle), found.psf.shape[-1]))
    gains = {}
    for name, one in {
        "network": found,
        "fitted": fit,
        "true": replace(true, error_px=fitted_error(torch.tensor([length]))),
    }.items():
        ((_, solver),) = one.suited(pipeline.deconvolver)
        image = solver(y, trimmed(one.psf), None).image.clamp(0, 1)
        after, before = align(image, x), align(y, x)
        gains[name] = round(float(psnr(after.x_hat, after.x) - psnr(before.x_hat, before.x)), 2)
    said = {
        name: [round(float(v), 2) for v in one.label.params[0][family.columns(int(label.kind))]]
        for name, one in (("network", found), ("fitted", fit))
        if one.label is not None
    }
    assert label.halfwidth is not None
    half = label.halfwidth[0][family.columns(int(label.kind))]
    true_ones = torch.tensor([length, angle])
    return {
        "length_px, angle_deg": said | {"true": [round(length, 2), round(angle, 2)]},
        "error / half": {name: _errors(torch.tensor(one), true_ones, half) for name, one in said.items()},
        "isnr": gains,
    }


def _errors(found: Tensor, true: Tensor, half: Tensor) -> list[float]:
    """Errors of a length and of an angle, each as a share of half its interval."""
    apart = (found - true).abs()
    apart[1] = min(float(apart[1]), 180 - float(apart[1]))
    return [round(float(one), 3) for one in apart / half]


def cropped_to(psf: Tensor, side: int) -> Tensor:
    """A kernel with zeros around it, (1, 1, side, side)."""
    rows, cols = (side - psf.shape[-2]) // 2, (side - psf.shape[-1]) // 2
    return torch.nn.functional.pad(psf, (cols, cols, rows, rows))


def write_table() -> None:
    """The record as a table beside it."""
    record = json.loads(RESULT.read_text())
    lines = [
        "ISNR [dB] up to a shift with each kernel, and the share of half the network's 90 % interval that nine in ten",
        "errors of length and of angle stay in.", "",
        "| | photographs | network | fitted | true | network's errors | errors of the fit | worse by .1 dB after it |",
        "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for group in ("values", "camera"):
        one, share = record[group]["isnr"], record[group]["share90"]
        each = [found["isnr"] for found in record[group]["photographs"].values()]
        worse = sum(gain["fitted"] < gain["network"] - 0.1 for gain in each)
        errors = [f"{share[name][0]:.2f}, {share[name][1]:.2f}" for name in ("network", "fitted")]
        gains = [f"{one[name]:.2f} dB" for name in ("network", "fitted", "true")]
        lines.append(f"| {group} | {len(each)} | {' | '.join(gains + errors)} | {worse} |")
    write_text(RESULT.with_suffix(".md"), "\n".join(lines) + "\n")


def main() -> None:
    """Try every case, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="holds bsds500")
    parser.add_argument("--table", action="store_true", help="write the table of the record, and measure nothing")
    parser.add_argument("--count", type=int, default=12, help="photographs through the camera")
    args = parser.parse_args()
    if args.table:
        return write_table()
    if args.folder is None:
        parser.error("name the folder of the photographs")
    tool, record = Deblurrer(), {}
    with torch.inference_mode():
        for group, cases in (("values", of_values()), ("camera", of_camera(args.folder, args.count))):
            lines = {}
            for case in cases:
                found = tried(tool, case)
                if found is not None:
                    lines[case[0]] = found
                    print(case[0], json.dumps(found), flush=True)
            kernels = ("network", "fitted", "true")
            means = {name: round(mean(one["isnr"][name] for one in lines.values()), 3) for name in kernels}
            shares = {
                name: [
                    round(float(np.quantile([one["error / half"][name][which] for one in lines.values()], 0.9)), 3)
                    for which in (0, 1)
                ]
                for name in kernels[:2]
            }
            record[group] = {"isnr": means, "share90": shares, "photographs": lines}
            print(group, means, shares, flush=True)
    versions = {"torch": torch.__version__, "threads": torch.get_num_threads()}
    write_text(RESULT, json.dumps(record | versions, indent=1) + "\n")
    write_table()


if __name__ == "__main__":
    main()
