"""Seconds of the network of "Learning to Deblur" for one kernel, beside the paper's Table 1.

    python experiments/schuler2016/runtime.py    # writes results/runtime.json

Of the paper's architecture (3 stages; 1, 2 or 3 scales) and of one stage, repeated (``pipeline=quotient``). Weights do
not matter for time, so fresh ones are used. The time is the least of ``--calls``
after one that is not counted, by the clock and by the processor; on a machine with other work the processor's counts.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

import torch

from blurlab.core.atomic import write_text
from blurlab.head import LearningToDeblur, RepeatedStage

HERE = Path(__file__).parent
IMAGES_PX = (255, 800, 1024, 2048)
PUBLISHED = {17: (1.1, 5.2, 9.5, 53.1), 25: (1.2, 14.3, 18.5, 89.1), 33: (1.6, 10.7, 22.6, 91.9)}
"""Seconds by the kernel's side, one for each of ``IMAGES_PX``: table 1 of the paper, an Intel i5 with MATLAB."""


def seconds(net: LearningToDeblur | RepeatedStage, y: torch.Tensor, calls: int) -> dict[str, float]:
    """Least time of a call."""
    clock, processor = [], []
    with torch.inference_mode():
        for _ in range(calls + 1):
            start, used = time.perf_counter(), time.process_time()
            net(y)
            clock.append(time.perf_counter() - start)
            processor.append(time.process_time() - used)
    return {"seconds": round(min(clock[1:]), 4), "cpu_seconds": round(min(processor[1:]), 4)}


def table(head: Callable[[int], LearningToDeblur | RepeatedStage], calls: int) -> dict[str, dict[str, float]]:
    """Every cell, by the sides of kernel and image in px."""
    cells: dict[str, dict[str, float]] = {}
    for side, paper in PUBLISHED.items():
        torch.manual_seed(0)
        net = head(side**2).eval()
        for image, theirs in zip(IMAGES_PX, paper, strict=True):
            name = f"{side}/{image}"
            found = seconds(net, torch.rand(1, 1, image, image), calls)
            cells[name] = {**found, "published": theirs, "share": round(found["cpu_seconds"] / theirs, 4)}
            print(name, json.dumps(cells[name]), flush=True)
    return cells


def main() -> None:
    """Measure every cell of the table, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=HERE / "results" / "runtime.json")
    parser.add_argument("--calls", type=int, default=3, help="for each cell")
    args = parser.parse_args()
    tables = {head.__name__: table(head, args.calls) for head in (LearningToDeblur, RepeatedStage)}
    facts = {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "calls": args.calls,
        "device": f"CPU ({platform.machine()})",
    }
    args.output.parent.mkdir(parents=True, exist_ok=True)
    write_text(args.output, json.dumps({"kernel_px/image_px": tables, **facts}, indent=1) + "\n")


if __name__ == "__main__":
    main()
