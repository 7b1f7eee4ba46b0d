"""Milliseconds for one 256x256 image on one core, for each head: ``python experiments/bench/latency.py``."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from pathlib import Path

import torch

from blurlab.head import Compact, LeNet

SIZE = 256
REPEATS = 50


def milliseconds(net: torch.nn.Module) -> list[float]:
    """Times of ``REPEATS`` calls on one image after five warm ones."""
    image = torch.rand(1, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    times = []
    with torch.inference_mode():
        for _ in range(REPEATS + 5):
            start = time.perf_counter()
            net.eval()(image)
            times.append(1000 * (time.perf_counter() - start))
    return times[5:]


def main() -> None:
    """Time the heads, print a line each, write the record."""
    torch.set_num_threads(1)
    heads = {"compact": Compact(3), "lenet on 64x64 tiles": LeNet(3, input_size=64)}
    record = {
        "image": f"1x{SIZE}x{SIZE}",
        "threads": 1,
        "torch": torch.__version__,
        "cpu": platform.processor() or platform.machine(),
    }
    record["cores"] = os.cpu_count()
    record["heads"] = {}
    for name, net in heads.items():
        times = milliseconds(net)
        weights = sum(weight.numel() for weight in net.parameters())
        figures = {
            "median_ms": statistics.median(times),
            "min_ms": min(times),
            "max_ms": max(times),
            "weights": weights,
        }
        record["heads"][name] = {key: round(value, 3) for key, value in figures.items()}
        print(
            f"{name}: {figures['median_ms']:.2f} ms (min {min(times):.2f}, max {max(times):.2f}), {weights:,} weights"
        )
    path = Path(__file__).parent / "results" / "latency.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n")
    print(path)


if __name__ == "__main__":
    main()
