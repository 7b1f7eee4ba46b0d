"""Milliseconds an image, for each head, the likelihood and the GRNN: ``python experiments/bench/latency.py``.

Heads: one image, one core, of 256x256 and of 32x32 px. Likelihood: 256x256, a batch of 16, two threads, one kind of
blur; from a start that is 5 % off, as a network gives it, and from the grid. GRNN: 36,000 patterns of the DBN's 1024
inputs and of 86, queries in batches of 256, two threads.
"""

from __future__ import annotations

import argparse
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
from blurlab.head import DBN, GRNN, Compact, LeNet, ResNet
from blurlab.likelihood import Refiner
from blurlab.physics import Convolution

SIZE, SMALL, BATCH = 256, 32, 16
PATTERNS, QUERIES = 36_000, 256
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


def heads(size: int) -> dict[str, dict[str, float]]:
    """One image, one core."""
    torch.set_num_threads(1)
    image = torch.rand(1, 1, size, size, generator=generator("latency"))
    window = min(64, size)
    nets = {
        "compact": Compact(3, window=window, hop=window // 2),
        "compact, 2x2 tapers": Compact(3, width=16, hidden=128, window=window, hop=window // 2, tapers=2),
        "lenet" + (" on 64x64 tiles" if size > 64 else ""): LeNet(3, input_size=window),
        "dbn 1024-500-30-10": DBN(3),
        "resnet-18": ResNet(3, window=window, hop=window // 2),
        "resnet-18, a quarter of the channels": ResNet(3, widen=0.25, window=window, hop=window // 2),
        "resnet-34": ResNet(3, depth=34, window=window, hop=window // 2),
    }
    return {
        name: milliseconds(partial(net.eval(), image), REPEATS, 5)
        | {"weights": sum(weight.numel() for weight in net.parameters())}
        for name, net in nets.items()
    }


def general_regression() -> dict[str, dict[str, float]]:
    """A query of a batch, two threads."""
    torch.set_num_threads(2)
    random = generator("latency", "grnn")
    found = {}
    for inputs in (1024, 86):
        patterns, queries = (
            torch.randn(PATTERNS, inputs, generator=random),
            torch.randn(QUERIES, inputs, generator=random),
        )
        net = GRNN(patterns, torch.rand(PATTERNS, 1, generator=random), ("radius_px",), spread=5.0)
        times = milliseconds(partial(net, queries), FEWER, 1)
        found[f"{PATTERNS} patterns of {inputs} inputs"] = {name: value / QUERIES for name, value in times.items()}
    return found


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
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    record = {
        "torch": torch.__version__,
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        f"heads, one image of {SIZE}x{SIZE}, one thread": heads(SIZE),
        f"heads, one patch of {SMALL}x{SMALL}, one thread": heads(SMALL),
        f"likelihood, an image of {SIZE}x{SIZE} in a batch of {BATCH}, two threads": likelihood(),
        f"general regression network, a query in a batch of {QUERIES}, two threads": general_regression(),
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
