"""What the kernels of an aberrated objective cost against their Fourier transform alone.

    python experiments/bench/zernike.py      # writes results/zernike.json beside this file

A batch of kernels, 31 px, seven coefficients each, against `torch.fft.fft2` of as many 31 x 31 arrays of complex double
precision, in which the kernels are computed, and of single precision, in which they are handed on: what the formula
cannot do without. Processor time, in turn. Ends with 1 where the median ratio is
above LIMIT.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
from timing import in_turn, machine, ratio, spread

from blurlab.blur import Zernike

BATCHES, SECONDS, REPEATS, LIMIT = (1, 16, 64, 256), 4.0, 20, 2.0
RESULT = Path(__file__).parent / "results" / "zernike.json"


def processor(work: Callable[[], object]) -> Callable[[], float]:
    """A call that says how much processor time a repetition took."""

    def run() -> float:
        start = time.process_time()
        for _ in range(REPEATS):
            work()
        return (time.process_time() - start) / REPEATS

    return run


def main() -> int:
    """Time every batch, write the record and say whether the limit holds."""
    torch.set_num_threads(1)
    family, rows, over = Zernike(pixel_nm=100), [], 0
    for count in BATCHES:
        params = family.draw(count, generator=torch.Generator().manual_seed(0))[1]
        plane = torch.randn(count, 31, 31, dtype=torch.complex128, generator=torch.Generator().manual_seed(1))
        single = plane.to(torch.complex64)
        calls = {
            "zernike": processor(lambda p=params: family.psf(p)),  # type: ignore[misc]
            "fft": processor(lambda z=plane: torch.fft.fft2(z)),  # type: ignore[misc]
            "fft_single": processor(lambda z=single: torch.fft.fft2(z)),  # type: ignore[misc]
        }
        with torch.inference_mode():
            times = in_turn(calls, SECONDS)
        of = ratio(times["zernike"], times["fft"])
        over += count > 1 and of["median"] > LIMIT
        micro = {name: spread([one * 1e6 / count for one in times[name]]) for name in calls}
        rows.append(
            {
                "batch": count,
                "us_a_kernel": micro,
                "ratio": of,
                "ratio_single": ratio(times["zernike"], times["fft_single"]),
            }
        )
        print(rows[-1], flush=True)
    RESULT.write_text(json.dumps({"limit": LIMIT, "rows": rows, "machine": machine()}, indent=1) + "\n")
    return int(over > 0)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    sys.exit(main())
