"""Seconds of the network of "Learning to Deblur" for one kernel, beside the paper's Table 1.

    python experiments/schuler2016/runtime.py    # writes results/runtime.json

Weights do not matter for time, so fresh ones are used: 3 stages; 1, 2 or 3 scales. The time is the least of ``--calls``
after one that is not counted, by the clock and by the processor; on a machine with other work the processor's counts.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import time
from pathlib import Path
from typing import Any

import torch

from blurlab.core.atomic import write_text
from blurlab.head import LearningToDeblur

HERE = Path(__file__).parent
KERNELS_PX, IMAGES_PX = (17, 25, 33), (255, 800, 1024, 2048)


def published() -> dict[str, float]:
    """Seconds of the paper's Table 1 by ``kernel/image``."""
    with (HERE / "published.csv").open() as lines:
        rows = [row for row in csv.DictReader(lines) if row["experiment"] == "runtime"]
    return {row["variant"]: float(row["value"]) for row in rows}


def seconds(net: LearningToDeblur, y: torch.Tensor, calls: int) -> dict[str, float]:
    """Least time of a call."""
    clock, processor = [], []
    with torch.inference_mode():
        for _ in range(calls + 1):
            start, used = time.perf_counter(), time.process_time()
            net(y)
            clock.append(time.perf_counter() - start)
            processor.append(time.process_time() - used)
    return {"seconds": round(min(clock[1:]), 4), "cpu_seconds": round(min(processor[1:]), 4)}


def main() -> None:
    """Measure every cell of the table, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=HERE / "results" / "runtime.json")
    parser.add_argument("--calls", type=int, default=3, help="for each cell")
    args = parser.parse_args()
    table: dict[str, Any] = {}
    paper = published()
    for side in KERNELS_PX:
        torch.manual_seed(0)
        net = LearningToDeblur(side**2).eval()
        for image in IMAGES_PX:
            name = f"{side}/{image}"
            found = seconds(net, torch.rand(1, 1, image, image), args.calls)
            table[name] = {**found, "published": paper[name], "share": round(found["cpu_seconds"] / paper[name], 4)}
            print(name, json.dumps(table[name]), flush=True)
    facts = {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "calls": args.calls,
        "device": f"CPU ({platform.machine()})",
    }
    args.output.parent.mkdir(parents=True, exist_ok=True)
    write_text(args.output, json.dumps({"kernel_px/image_px": table, **facts}, indent=1) + "\n")


if __name__ == "__main__":
    main()
