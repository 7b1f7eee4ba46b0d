"""Memory and seconds of a 100-megapixel colour photograph: ``python experiments/bench/large.py``.

scikit-image's astronaut, mirrored and repeated, is blurred by a motion, with noise of .01, and restored by tiles on one
thread, each solver in a process of its own: peak of the resident memory less what was resident before, the result
included. Then the tiles against the untiled result on 1200x1200: greatest difference 256 px and more from the border.
``--solver`` and ``--measure`` measure some and leave the rest of the record as it is.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
import torch
from torch import Tensor

from blurlab.blur import motion_psf
from blurlab.core.rng import generator
from blurlab.deconvolver import TV, Tiled, Wiener
from blurlab.metric import isnr
from blurlab.physics import Convolution

SIDE, TILE, STRIP = 10_000, 1024, 500
SMALL_SIDE, SMALL_TILE, FAR = 1200, 768, 256
SIGMA, LENGTH_PX, ANGLE_DEG, KERNEL_PX = 0.01, 11.0, 30.0, 11
SMALL = f"tiles of {SMALL_TILE} px against the whole, {SMALL_SIDE}x{SMALL_SIDE}, {FAR} px inside"
SOLVERS = {"wiener": Wiener(boundary="padded"), "tv, 10 iterations": TV(iterations=10, tolerance=0)}


def blurred() -> tuple[Tensor, Tensor, Tensor]:
    """One period (1, 3, 1024, 1024) of the sharp and of the blurred photograph, and the kernel."""
    photo = torch.from_numpy(skimage.data.astronaut().copy()).permute(2, 0, 1)[None] / 255
    wide = torch.cat([photo, photo.flip(-1)], -1)
    period = torch.cat([wide, wide.flip(-2)], -2)
    psf = motion_psf(torch.tensor([LENGTH_PX]), torch.tensor([ANGLE_DEG]), KERNEL_PX)
    return period, Convolution(psf, "circular").A(period), psf


def photograph(side: int) -> np.ndarray:
    """(1, 3, side, side): the blurred period, repeated, with noise; made strip by strip."""
    period = blurred()[1]
    image = np.empty((1, 3, side, side), np.float32)
    noise = generator("large")
    cols = torch.arange(side) % period.shape[-1]
    for top in range(0, side, STRIP):
        rows = torch.arange(top, min(top + STRIP, side)) % period.shape[-2]
        strip = period[..., rows[:, None], cols]
        image[..., top : top + STRIP, :] = strip + SIGMA * torch.randn(strip.shape, generator=noise)
    return image


def save(path: str, side: int) -> None:
    """Write the photograph."""
    np.save(path, photograph(side))


def peak_mb() -> float:
    """Most memory that was resident in this process so far, [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def restore(path: str, name: str) -> dict[str, Any]:
    """Load the photograph and restore it by tiles: memory, seconds, and what it gained in its middle."""
    torch.set_num_threads(1)
    period, _, psf = blurred()
    y = torch.from_numpy(np.load(path))
    before, start, busy = peak_mb(), time.perf_counter(), time.process_time()
    tiled = Tiled(SOLVERS[name], TILE, progress=Line(name))
    restored = tiled(y, psf)
    found = {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - busy,
        "beyond_image_mb": peak_mb() - before,
        "result_mb": restored.image.nbytes / 1e6,
        **{key: value[0] for key, value in restored.history.items()},
    }
    middle = (torch.arange(period.shape[-1]) + (y.shape[-1] - period.shape[-1]) // 2) % y.shape[-1]
    x = period[..., middle[:, None] % period.shape[-2], middle % period.shape[-1]]
    return found | {"isnr_db": float(isnr(*(z[..., middle[:, None], middle] for z in (y, restored.image)), x))}


def compare(path: str, name: str) -> dict[str, Any]:
    """The tiles against the whole image."""
    torch.set_num_threads(1)
    psf = blurred()[2]
    y = torch.from_numpy(np.load(path))
    tiled = Tiled(SOLVERS[name], SMALL_TILE)(y, psf)
    inside = (tiled.image - SOLVERS[name](y, psf).image).abs()[..., FAR:-FAR, FAR:-FAR]
    found = {"greatest": float(inside.max()), "rms": float(inside.square().mean().sqrt())}
    return found | {key: value[0] for key, value in tiled.history.items()}


class Line:
    """Prints the share done, a line each tenth."""

    def __init__(self, name: str) -> None:
        self.name, self.said, self.start = name, 0, time.perf_counter()

    def __call__(self, done: float) -> None:
        if int(10 * done) > self.said:
            self.said = int(10 * done)
            print(f"  {self.name}: {10 * self.said} % in {time.perf_counter() - self.start:.0f} s", flush=True)


def alone(work: Callable[..., Any], *arguments: Any) -> Any:
    """The result of ``work`` in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(work, *arguments).result()


def main() -> None:
    """Measure, print two lines for each solver; write the record if the image has its whole size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=SIDE, help="side of the photograph, px")
    parser.add_argument("--solver", nargs="*", default=list(SOLVERS), choices=SOLVERS)
    parser.add_argument("--measure", nargs="*", default=["difference", "memory"], choices=["difference", "memory"])
    asked = parser.parse_args()
    target = Path(__file__).parent / "results" / "large.json"
    before = json.loads(target.read_text()) if target.exists() else {}
    record: dict[str, Any] = {
        "torch": torch.__version__,
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "photograph": f"astronaut, mirrored and repeated, {asked.side}x{asked.side} RGB float32",
        "image_mb": 3 * 4 * asked.side**2 / 1e6,
        "tile_px": TILE,
        "restored": before.get("restored", {}),
        SMALL: before.get(SMALL, {}),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/y.npy"
        alone(save, path, SMALL_SIDE)
        for name in asked.solver if "difference" in asked.measure else ():
            record[SMALL][name] = found = alone(compare, path, name)
            print(f"{name}: tiles differ by {found['greatest']:.1e}, rms {found['rms']:.1e}", flush=True)
        if "memory" in asked.measure:
            alone(save, path, asked.side)
        for name in asked.solver if "memory" in asked.measure else ():
            record["restored"][name] = found = alone(restore, path, name)
            print(
                f"{name}: {found['cpu_seconds']:.0f} s, {found['beyond_image_mb']:.0f} MB beyond the image", flush=True
            )
    if asked.side == SIDE:
        target.write_text(json.dumps(record, indent=1) + "\n")
        print(target)


if __name__ == "__main__":
    main()
