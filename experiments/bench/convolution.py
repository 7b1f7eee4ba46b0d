"""What a blur costs against the same blur written by hand, and from which kernel size the FFT is the cheaper way.

    python experiments/bench/convolution.py               # the table; writes results/convolution.json beside this file
    python experiments/bench/convolution.py --crossover   # direct against FFT for k = 3 .. 41; writes crossover.json

Sixteen RGB images, 256x256 after the blur, a kernel each. By hand: grouped ``conv2d``, its input extended by torch's
own ``pad`` where the boundary needs it, and ``rfft2``, multiply, ``irfft2`` on the next fast grid. All are timed in
turn within each repetition, in an order drawn anew, so that other work on the machine falls on all of them alike.
"direct_extended" is ``conv2d`` on an input that somebody has extended before: less than the operator's job, shown for
what the extension costs. The command ends with 1 where the operator takes more than LIMIT times the cheaper way by
hand.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from blurlab.core.boundary import extend
from blurlab.core.fourier import fast_size
from blurlab.physics import Convolution
from blurlab.physics.convolution import CIRCULAR_CROSSOVER, EXTENDED_CROSSOVER

BATCH, CHANNELS, SIDE = 16, 3, 256
SIZES = (5, 9, 11, 15, 21, 31)
CROSSOVER_SIZES = (3, 5, 7, 9, 11, 13, 15, 17, 21, 31, 41)
RESULTS = Path(__file__).parent / "results"
LIMIT = 1.2


def direct_by_hand(extended: Tensor, weight: Tensor) -> Tensor:
    """Grouped correlation of the extended images with flipped kernels, one group per plane."""
    planes = extended.reshape(1, -1, *extended.shape[-2:])
    return F.conv2d(planes, weight, groups=planes.shape[1]).reshape(BATCH, CHANNELS, SIDE, SIDE)


def fft_by_hand(x: Tensor, psf: Tensor, boundary: str) -> Tensor:
    """rfft2, multiply, irfft2; the kernel's corner is at the origin, so the result is shifted back at the end."""
    r, grid = psf.shape[-1] // 2, (fast_size(x.shape[-2]), fast_size(x.shape[-1]))
    product = torch.fft.rfft2(x, s=grid) * torch.fft.rfft2(psf, s=grid)
    full = torch.fft.irfft2(product, s=grid)
    if boundary == "circular":
        return torch.roll(full, (-r, -r), (-2, -1))
    return full[..., 2 * r : 2 * r + SIDE, 2 * r : 2 * r + SIDE]


def problem(k: int, boundary: str) -> tuple[Tensor, Tensor]:
    """Images whose blur is SIDE x SIDE, and normalised kernels."""
    draw = torch.Generator().manual_seed(k)
    side = SIDE + (k - 1 if boundary == "valid" else 0)
    psf = torch.rand(BATCH, 1, k, k, generator=draw)
    return torch.rand(BATCH, CHANNELS, side, side, generator=draw), psf / psf.sum((-2, -1), keepdim=True)


def variants(k: int, boundary: str) -> dict[str, Callable[[], Tensor]]:
    """The operator and both ways by hand, checked to give the same images."""
    x, psf = problem(k, boundary)
    extended = extend(x, (k // 2, k // 2), boundary)
    weight = psf.flip(-2, -1).repeat_interleave(CHANNELS, 0)
    sides = (k // 2,) * 4
    calls: dict[str, Callable[[], Tensor]] = {
        "operator": lambda: Convolution(psf, boundary).forward(x),
        "direct": lambda: direct_by_hand(x if boundary == "valid" else F.pad(x, sides, mode=boundary), weight),
        "fft": lambda: fft_by_hand(x, psf, boundary),
    }
    if boundary != "valid":
        calls["direct_extended"] = lambda: direct_by_hand(extended, weight)
    for name, call in calls.items():
        if not torch.allclose(call(), calls["direct"](), atol=1e-5):
            raise AssertionError(f"{name} differs from direct at k = {k}, {boundary}")
    return calls


def both_methods(k: int, boundary: str) -> dict[str, Callable[[], Tensor]]:
    """The operator's own two methods."""
    x, psf = problem(k, boundary)
    direct, fft = Convolution(psf, boundary, "direct"), Convolution(psf, boundary, "fft")
    return {"direct": lambda: direct.forward(x), "fft": lambda: fft.forward(x)}


def measure(calls: dict[str, Callable[[], Tensor]], seconds: float, least: int = 7) -> dict[str, list[float]]:
    """Milliseconds of each call, in turn, for about ``seconds`` in all and at least ``least`` times."""
    shuffle, spent, times = random.Random(0), 0.0, {name: list[float]() for name in calls}
    with torch.no_grad():
        while spent < seconds or len(times["direct"]) < least:
            for name in shuffle.sample(list(calls), len(calls)):
                start = time.perf_counter()
                calls[name]()
                times[name].append(1e3 * (time.perf_counter() - start))
                spent += times[name][-1] / 1e3
    return times


def compare(k: int, boundary: str, seconds: float) -> dict[str, Any]:
    """Medians, and the operator's over the cheaper one by hand, with the quartiles of that ratio over repetitions."""
    times = measure(variants(k, boundary), seconds)
    median = {name: statistics.median(values) for name, values in times.items()}
    cheaper = min(("direct", "fft"), key=median.__getitem__)
    each = [a / b for a, b in zip(times["operator"], times[cheaper], strict=True)]
    low, _, high = statistics.quantiles(each, n=4)
    return {
        "boundary": boundary,
        "k": k,
        "repetitions": len(each),
        "median_ms": {name: round(value, 2) for name, value in median.items()},
        "cheaper": cheaper,
        "ratio": round(median["operator"] / median[cheaper], 3),
        "ratio_quartiles": [round(low, 3), round(high, 3)],
    }


def crossover(k: int, boundary: str, seconds: float) -> dict[str, Any]:
    """Medians of the operator's two methods."""
    times = measure(both_methods(k, boundary), seconds, least=5)
    return {
        "boundary": boundary,
        "k": k,
        "median_ms": {n: round(statistics.median(v), 2) for n, v in times.items()},
    }


def machine() -> dict[str, Any]:
    """CPU model, cores, threads and versions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "fft": "mkl" if torch.backends.mkl.is_available() else "pocketfft",
    }


def write(name: str, rows: list[dict[str, Any]], how: dict[str, Any]) -> None:
    """The record, by a temporary name first."""
    RESULTS.mkdir(exist_ok=True)
    record = {
        "bench": name,
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": machine(),
        "images": {"batch": BATCH, "channels": CHANNELS, "side": SIDE, "kernels": BATCH},
        **how,
        "rows": rows,
    }
    path = RESULTS / f"{name}.json"
    path.with_suffix(".tmp").write_text(json.dumps(record, indent=1) + "\n")
    path.with_suffix(".tmp").replace(path)
    print(f"wrote {path}")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crossover", action="store_true", help="direct against FFT over kernel sizes")
    parser.add_argument("--seconds", type=float, default=2.5, help="time for each row of the table")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch; one is fairest on a busy machine")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(" ".join(f"{key}={value}" for key, value in machine().items()))
    rows = []
    for boundary in ("valid", "circular"):
        for k in CROSSOVER_SIZES if options.crossover else SIZES:
            row = (crossover if options.crossover else compare)(k, boundary, options.seconds)
            rows.append(row)
            cells = "  ".join(f"{name} {value:7.1f} ms" for name, value in row["median_ms"].items())
            ratio = "{ratio:6.2f} of the cheaper by hand {ratio_quartiles}".format(**row) if "ratio" in row else ""
            print(f"{boundary:9} k={k:2}  {cells}  {ratio}", flush=True)
    constants = {"crossover": {"circular": CIRCULAR_CROSSOVER, "extended": EXTENDED_CROSSOVER}}
    if options.crossover:
        write("crossover", rows, constants)
    else:
        worst = max(row["ratio"] for row in rows)
        write("convolution", rows, constants | {"limit": LIMIT, "worst_ratio": worst})
        if worst > LIMIT:
            sys.exit(f"worst ratio {worst:g} is above {LIMIT:g}; is the machine idle?")


if __name__ == "__main__":
    main()
