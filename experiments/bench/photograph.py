"""Seconds and memory of ``blurlab deblur`` on photographs of 12 megapixels whose blur is known.

    python experiments/bench/photograph.py FOLDER    # FOLDER holds BSDS500; writes results/photograph.json

A mosaic of BSDS500's photographs, 4000x3000 in colour, is blurred in linear light by a defocus, a motion or the shake
of a hand, gets Gaussian noise of ``SIGMA`` there and is saved as a JPEG file (quality 92, colour at half resolution).
The command restores each in a process of its own: seconds by the clock and of the processor, reading, writing and the
start of Python included, and its peak memory. PSNR is that of the files' values against the sharp mosaic, over
nine squares of ``PIECE`` px, each shifted by what a free kernel may leave. ``--only`` measures some and leaves the rest
of the record as it is. ``by_iterations`` is the PSNR of one square, restored with the true kernel by so many of them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from PIL import Image
from timing import machine
from torch import Tensor

from blurlab.blur import disk_psf, motion_psf, trajectory_psf, trimmed
from blurlab.core.image_io import read_image
from blurlab.core.rng import generator
from blurlab.dataset import Bsds500
from blurlab.deconvolver import InLight, LightTV
from blurlab.deconvolver.parts import corners
from blurlab.metric import align, psnr
from blurlab.noise import Srgb
from blurlab.physics import Convolution

HEIGHT, WIDTH, KERNEL_PX = 3000, 4000, 31
CELL = 320, 480
"""Of a photograph of BSDS500 rows and columns that are used."""
SIGMA, QUALITY, SEED = 0.002, 92, 3
PIECE = 512
ITERATIONS, ERROR_PX = (10, 20, 30, 60), 0.25
RESULT = Path(__file__).parent / "results" / "photograph.json"

ALONE = """\
import json, resource, subprocess, sys, time
start = time.perf_counter()
status = subprocess.run(sys.argv[1:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
seconds, cpu = time.perf_counter() - start, used.ru_utime + used.ru_stime
peak = round(used.ru_maxrss * 1024 / 1e6)
print(json.dumps({"seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1), "peak_mb": peak}))
sys.exit(status)
"""
"""Runs a command from a small process: a process begins with the peak memory of the one that started it."""


def kernels() -> dict[str, Tensor]:
    """The blurs that are measured, each (1, 1, k, k)."""
    one = torch.ones(1)
    return {
        "defocus, radius 4 px": disk_psf(4 * one, KERNEL_PX),
        "motion, 12 px at 30 deg": motion_psf(12 * one, 30 * one, KERNEL_PX),
        "shake, path of 40 px": trajectory_psf(one, 40 * one, SEED * one, KERNEL_PX),
    }


def mosaic(folder: Path, first: int = 0) -> Tensor:
    """Sharp photographs side by side (1, 3, H, W), a kernel larger than what is seen, from the ``first`` of them on."""
    height, width = HEIGHT + KERNEL_PX - 1, WIDTH + KERNEL_PX - 1
    down, across = -(-height // CELL[0]), -(-width // CELL[1])
    paths = [photo.path for photo in Bsds500(folder).photos() if photo.path]
    first %= len(paths)
    images = (torch.from_numpy(read_image(path)).permute(2, 0, 1) for path in paths[first:] + paths[:first])
    wide = (image for image in images if image.shape[-2] >= CELL[0] and image.shape[-1] >= CELL[1])
    lines = [torch.cat([next(wide)[:, : CELL[0], : CELL[1]] for _ in range(across)], -1) for _ in range(down)]
    return torch.cat(lines, -2)[None, :, :height, :width]


def photograph(sharp: Tensor, psf: Tensor, path: Path) -> None:
    """Write the file of a camera that was out of focus or moved."""
    response = Srgb()
    light = Convolution(psf, "valid").A(response.decode(sharp))
    light += SIGMA * torch.randn(light.shape, generator=generator("photograph"))
    values = (response.encode(light)[0] * 255).round().byte().permute(1, 2, 0)
    Image.fromarray(values.numpy()).save(path, quality=QUALITY)


def deblurred(path: Path, out: Path) -> dict[str, Any]:
    """Run the command on one photograph: what it printed, seconds and memory."""
    words = [sys.executable, "-m", "blurlab", "deblur", str(path), "--out", str(out)]
    done = subprocess.run([sys.executable, "-c", ALONE, *words], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the command failed on {path.name} with status {done.returncode}")
    said, _, used = done.stdout.rstrip("\n").rpartition("\n")
    return {**json.loads(used), "found": said.partition(": ")[2].partition(" -> ")[0]}


def gain(before: Tensor, after: Tensor, sharp: Tensor) -> dict[str, float]:
    """Mean PSNR [dB] of the squares, before and after."""
    margin = KERNEL_PX // 2
    seen = sharp[..., margin : margin + HEIGHT, margin : margin + WIDTH]
    found: dict[str, list[float]] = {"psnr_before_db": [], "psnr_after_db": []}
    for top, left in corners(seen, (PIECE, PIECE)):
        place = (..., slice(top, top + PIECE), slice(left, left + PIECE))
        for name, image in zip(found, (before, after), strict=True):
            shifted = align(image[place], seen[place])
            found[name].append(float(psnr(shifted.x_hat, shifted.x)))
    return {name: round(mean(values), 2) for name, values in found.items()}


def by_iterations(photo: Tensor, sharp: Tensor, psf: Tensor) -> dict[int, float]:
    """PSNR [dB] of a square in the middle by how many iterations restored it."""
    margin, (top, left) = KERNEL_PX // 2, (HEIGHT // 2, WIDTH // 2)
    y, x = (one[..., n : n + PIECE, m : m + PIECE] for one, n, m in (
        (photo, top, left), (sharp, top + margin, left + margin)
    ))  # fmt: skip
    inside, found = (..., slice(margin, -margin), slice(margin, -margin)), {}
    for count in ITERATIONS:
        solver = InLight(LightTV(iterations=count, tolerance=0)).allowing(torch.tensor([ERROR_PX]))
        found[count] = round(float(psnr(solver(y, trimmed(psf)).image[inside], x[inside])), 3)
    return found


def main() -> None:
    """Measure, print a line for each blur, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds BSDS500")
    parser.add_argument("--only", nargs="*", default=list(kernels()), choices=list(kernels()))
    parser.add_argument("--output", type=Path, default=RESULT)
    args = parser.parse_args()
    sharp = mosaic(args.folder)
    for name in args.only:
        with tempfile.TemporaryDirectory() as made:
            path, out = Path(made) / "photograph.jpg", Path(made) / "out"
            photograph(sharp, kernels()[name], path)
            found = deblurred(path, out)
            before, after = (
                torch.from_numpy(read_image(one)).permute(2, 0, 1)[None] for one in (path, out / path.name)
            )
        found |= gain(before, after, sharp) | {"by_iterations": by_iterations(before, sharp, kernels()[name])}
        record = json.loads(args.output.read_text()) if args.output.exists() else {}
        record["image_px"] = [HEIGHT, WIDTH]
        record.setdefault("blurs", {})[name] = found | {"machine": machine()}
        print(name, json.dumps(record["blurs"][name]), flush=True)
        args.output.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
