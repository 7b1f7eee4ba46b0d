"""Milliseconds an image of 256x256, for each head and for the likelihood: ``python experiments/bench/latency.py``.

Heads: one image, one core. Likelihood: a batch of 16, two threads, one kind of blur; from a start that is 5 % off, as a
network gives it, and from the grid.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from blurlab.blur import Defocus, Gaussian, Motion
from blurlab.core.rng import generator
from blurlab.head import Compact, LeNet
from blurlab.likelihood import Refiner
from blurlab.physics import Convolution

SIZE, BATCH = 256, 16
REPEATS, FEWER = 50, 5


def milliseconds(work: Callable[[], object], repeats: int, warm: int) -> dict[str, float]:
    """Median, least and largest of ``repeats`` calls after some warm ones."""
    times = []
    with torch.inference_mode():
        for _ in range(repeats + warm):
            start = time.perf_counter()
            work()
            times.append(1000 * (time.perf_counter() - start))
    kept = times[warm:]
    return {"median_ms": statistics.median(kept), "min_ms": min(kept), "max_ms": max(kept)}


def heads() -> dict[str, dict[str, float]]:
    """One image, one core."""
    torch.set_num_threads(1)
    image = torch.rand(1, 1, SIZE, SIZE, generator=generator("latency"))
    nets = {"compact": Compact(3).eval(), "lenet on 64x64 tiles": LeNet(3, input_size=64).eval()}
    return {
        name: milliseconds(partial(net, image), REPEATS, 5)
        | {"weights": sum(weight.numel() for weight in net.parameters())}
        for name, net in nets.items()
    }


def likelihood() -> dict[str, dict[str, float]]:
    """An image of a batch, two threads."""
    torch.set_num_threads(2)
    found = {}
    for family in (Defocus([1, 8]), Motion([3, 20], [0, 180]), Gaussian([0.5, 5])):
        random = generator("latency", family.kinds[-1])
        params = family.draw(BATCH, generator=random)[1]
        side = SIZE + family.size - 1
        texture = torch.randn(BATCH, 1, side, side, generator=random).cumsum(-1).cumsum(-2)
        x = 0.5 + 0.1 * (texture - texture.mean((-2, -1), keepdim=True)) / texture.std((-2, -1), keepdim=True)
        y = Convolution(family.psf(params), "valid").A(x)
        y = y + 0.003 * torch.randn(y.shape, generator=random)
        refiner = Refiner(family)
        for how, start in (("from a start", params * 1.05), ("from the grid", None)):
            times = milliseconds(partial(refiner, y, start), FEWER, 1)
            found[f"{family.kinds[-1]} {how}"] = {name: value / BATCH for name, value in times.items()}
    return found


def main() -> None:
    """Time everything, print a line each, write the record."""
    record = {
        "image": f"1x{SIZE}x{SIZE}",
        "torch": torch.__version__,
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "heads, one image, one thread": heads(),
        f"likelihood, an image in a batch of {BATCH}, two threads": likelihood(),
    }
    for title, part in record.items():
        if isinstance(part, dict):
            print(title)
            for name, figures in part.items():
                part[name] = {key: round(value, 3) for key, value in figures.items()}
                print(f"  {name}: {figures['median_ms']:.2f} ms ({figures['min_ms']:.2f} to {figures['max_ms']:.2f})")
    path = Path(__file__).parent / "results" / "latency.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n")
    print(path)


if __name__ == "__main__":
    main()
