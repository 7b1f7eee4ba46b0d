"""A photograph of 12 megapixels undone by ``blurlab deblur`` and by two tools that people use for it.

    python experiments/bench/peers.py FOLDER --polyblur PYTHON    # FOLDER holds BSDS500; writes results/peers.json, .md
    python experiments/bench/peers.py FOLDER --only    # the table alone, from the record that is there

- *polyblur* [Delbracio2021], the package of that name on PyPI, in the environment whose Python is PYTHON (``pip install
  torch polyblur``): its options as they come, saturated pixels left out as its docstring recommends; once, and three
  times (``polyblur_3``) as in its paper. It takes the image for periodic where it looks for the largest gradient, so
  the step from one border to the other passes for a sharp edge, and hardly anything is undone. ``polyblur_mirrored`` is
  ``polyblur_3`` with gradients of the image mirrored at its borders instead.
- *RawTherapee*, the deconvolution of its sharpening (Richardson-Lucy with a Gaussian) as it comes, by
  ``rawtherapee-cli`` (Debian's package rawtherapee). Its capture sharpening, which finds the radius by itself, is for
  raw files alone.

Photographs and figures as in ``photograph.py``; besides, a slight softness (a Gaussian of 1.2 px), which is what both
were made for. Each is a process of its own that reads and writes a file; seconds are of the clock. A tool that is not
there is "not run".
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from photograph import ALONE, KERNEL_PX, gain, kernels, mosaic, photograph
from timing import machine
from torch import Tensor

from blurlab.blur import gaussian_psf
from blurlab.core.image_io import read_image

SOFT = "softness, Gaussian of 1.2 px"
RESULT = Path(__file__).parent / "results" / "peers.json"

POLYBLUR = """\
import sys
import numpy as np
from PIL import Image
import polyblur
import torch
from polyblur import blur_estimation
periodic = blur_estimation.fourier_gradients
def mirrored(image):
    both = torch.cat([image, image.flip(-1)], -1)
    rows, cols = image.shape[-2:]
    return tuple(one[..., :rows, :cols] for one in periodic(torch.cat([both, both.flip(-2)], -2)))
if sys.argv[4] == "mirrored":
    blur_estimation.fourier_gradients = mirrored
image = np.asarray(Image.open(sys.argv[1])).astype(np.float32) / 255
done = polyblur.polyblur_deblurring(image, n_iter=int(sys.argv[3]), discard_saturation=True)
Image.fromarray((np.clip(done, 0, 1) * 255 + 0.5).astype(np.uint8)).save(sys.argv[2])
"""
SHARPENING = """\
[Sharpening]
Enabled=true
Method=rld
"""
"""What RawTherapee is told; all else is as it comes."""


def blurs() -> dict[str, Tensor]:
    """The blurs that are measured, each (1, 1, k, k)."""
    return {SOFT: gaussian_psf(torch.full((1,), 1.2), KERNEL_PX), **kernels()}


def commands(path: Path, made: Path, python: Path | None) -> dict[str, tuple[list[str], Path] | None]:
    """Of each tool the command and the file that it writes; None where the tool is not there."""
    profile = made / "sharpen.pp3"
    profile.write_text(SHARPENING)
    out, rawtherapee = made / "rawtherapee.tif", shutil.which("rawtherapee-cli")
    found: dict[str, tuple[list[str], Path] | None] = {
        "blurlab": (
            [sys.executable, "-m", "blurlab", "deblur", str(path), "--out", str(made / "out")],
            made / "out" / path.name,
        )
    }
    ways = {"polyblur": ("1", "periodic"), "polyblur_3": ("3", "periodic"), "polyblur_mirrored": ("3", "mirrored")}
    for name, way in ways.items():
        theirs = made / f"{name}.png"
        words = [str(python), "-c", POLYBLUR, str(path), str(theirs), *way]
        found[name] = None if python is None else (words, theirs)
    words = [str(rawtherapee), "-o", str(out), "-p", str(profile), "-t", "-b8", "-Y", "-c", str(path)]
    found["rawtherapee"] = None if rawtherapee is None else (words, out)
    return found


def run(words: list[str]) -> dict[str, Any] | None:
    """Seconds and peak memory of a command, what ours says of the blur; None, and a word to stderr, where it fails."""
    done = subprocess.run([sys.executable, "-c", ALONE, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        print(f"{words[0]} ended with status {done.returncode}: {' '.join(last)}", file=sys.stderr)
        return None
    said, _, used = done.stdout.rstrip("\n").rpartition("\n")
    found = said.partition(": ")[2].partition(" -> ")[0] if "blurlab" in words else ""
    return {**json.loads(used), **({"found": found} if found else {})}


def image_of(path: Path) -> Tensor:
    """The values of a file, (1, C, H, W)."""
    return torch.from_numpy(read_image(path)).permute(2, 0, 1)[None]


def table(record: dict[str, Any]) -> str:
    """A page of the record: a line for each blur and tool."""
    lines = [
        "# `blurlab deblur` beside polyblur and RawTherapee",
        "",
        "Mosaics of BSDS500's photographs, 4000x3000, blurred in linear light, with noise, saved as JPEG files of",
        "quality 92. No tool is told the blur, and each is a process of its own. PSNR over nine squares of 512 px,",
        "shifts allowed. From [peers.json](peers.json), made by `experiments/bench/peers.py`, whose head says what",
        "each tool is told.",
        "",
        "| blur | tool | PSNR before, dB | after, dB | gain, dB | seconds | peak, MB | what it found |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for blur in (name for name in blurs() if name in record["blurs"]):
        for tool, one in record["blurs"][blur].items():
            if tool == "machine":
                continue
            if one == "not run":
                lines.append(f"| {blur} | {tool} | not run | | | | | |")
                continue
            before, after = one["psnr_before_db"], one["psnr_after_db"]
            lines.append(
                f"| {blur} | {tool} | {before:.2f} | {after:.2f} | {after - before:+.2f} | {one['seconds']:g} | "
                f"{one['peak_mb']} | {one.get('found', '')} |"
            )
    used = [one["machine"] for one in record["blurs"].values()]
    cores = sorted({f"{one['cpu']}, {one['cores']} cores" for one in used})
    return "\n".join([*lines, "", f"Processor: {'; '.join(cores)}.", ""])


def main() -> None:
    """Measure, print a line for each blur and tool, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds BSDS500")
    parser.add_argument("--polyblur", type=Path, help="Python of an environment that has polyblur")
    parser.add_argument("--only", nargs="*", default=list(blurs()), choices=list(blurs()))
    parser.add_argument("--output", type=Path, default=RESULT)
    args = parser.parse_args()
    if args.only:
        sharp = mosaic(args.folder)
    record = json.loads(args.output.read_text()) if args.output.exists() else {"blurs": {}}
    for name in args.only:
        found: dict[str, Any] = {}
        with tempfile.TemporaryDirectory() as folder:
            made, path = Path(folder), Path(folder) / "photograph.jpg"
            photograph(sharp, blurs()[name], path)
            for tool, command in commands(path, made, args.polyblur).items():
                used = None if command is None else run(command[0])
                if command is None or used is None:
                    found[tool] = "not run"
                else:
                    found[tool] = used | gain(image_of(path), image_of(command[1]), sharp)
                print(name, tool, json.dumps(found[tool]), flush=True)
        record["blurs"][name] = found | {"machine": machine()}
        args.output.write_text(json.dumps(record, indent=1) + "\n")
    args.output.with_suffix(".md").write_text(table(record))


if __name__ == "__main__":
    main()
