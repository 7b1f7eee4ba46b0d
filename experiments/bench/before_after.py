"""Time per image and lines of code of the solvers in two checkouts, in one run.

    python experiments/bench/before_after.py BEFORE AFTER    # writes results/before_after.json

BEFORE and AFTER are folders that hold a package ``blurlab``. One process each has its code; the solvers are called in
turn, before, after, before, after, on the same photograph of scikit-image's (camera, 256 x 256, a disk of radius 3 px,
sigma .01), one thread. What counts is processor time, so that other work on the machine does not; a ratio is that of
the fastest calls, and beside it the median over rounds of the quotient within a round. ``equal`` says whether the
restored images are the same to the last bit.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import io
import json
import os
import subprocess
import sys
import time
import tokenize
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

SOLVERS: dict[str, Callable[[Any], Any]] = {
    "tv": lambda package: package.TV(),
    "wiener": lambda package: package.Wiener(),
    "wiener_padded": lambda package: package.Wiener(boundary="padded"),
    "douglas_rachford": lambda package: package.DouglasRachford(),
    "hyper_laplacian": lambda package: package.HyperLaplacian(),
    "epll": lambda package: package.EPLL(),
    "richardson_lucy": lambda package: package.RichardsonLucy(),
    "unrolled_dr": lambda package: package.Learned(
        package.UnrolledDR(partial(package.UNet, channels=(32, 64, 128), blocks=1)), "unrolled_dr_tiny"
    ),
}
"""Name -> how it is made of a checkout's ``blurlab.deconvolver``."""
FILES = ("tv", "wiener", "douglas_rachford", "hyper_laplacian", "epll", "richardson_lucy", "unrolled_dr")
SIDE, SIGMA = 256, 0.01


def serve() -> None:
    """Answer names of solvers with the processor time of one call and a digest of its image, a line each."""
    import torch
    from skimage import data

    import blurlab.deconvolver as deconvolvers
    from blurlab.blur import Defocus
    from blurlab.physics import Convolution

    torch.set_num_threads(1)
    psf = Defocus(3.0).psf(torch.tensor([[3.0]]))
    sharp = torch.from_numpy(data.camera()[100 : 100 + SIDE + 6, 100 : 100 + SIDE + 6].copy())[None, None] / 255
    y = Convolution(psf, "valid").A(sharp)
    y = y + SIGMA * torch.randn(y.shape, generator=torch.Generator().manual_seed(0))
    solvers = {name: make(deconvolvers) for name, make in SOLVERS.items()}
    for line in sys.stdin:
        start = time.process_time()
        image = solvers[line.strip()](y, psf, SIGMA).image
        took = time.process_time() - start
        print(json.dumps([took, hashlib.sha256(image.numpy().tobytes()).hexdigest()]), flush=True)


class Side:
    """A process that has one checkout's code."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "blurlab").is_dir():
            raise SystemExit(f"{folder} holds no package blurlab; name the root of a checkout")
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"},
        )

    def call(self, solver: str) -> tuple[float, str]:
        """Processor time of one call [s] and a digest of what it restored."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(solver + "\n")
        self._process.stdin.flush()
        seconds, digest = json.loads(self._process.stdout.readline())
        return seconds, digest

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def compare(before: Side, after: Side, solver: str, rounds: int) -> dict[str, Any]:
    """Milliseconds of one solver on both sides, alternately, and their ratio."""
    digests = before.call(solver)[1], after.call(solver)[1]
    times = [(before.call(solver)[0], after.call(solver)[0]) for _ in range(rounds)]
    first, second = (min(column) for column in zip(*times, strict=True))
    return {
        "before_ms": round(1e3 * first, 2),
        "after_ms": round(1e3 * second, 2),
        "ratio": round(second / first, 3),
        "median_ratio": round(median(b / a for a, b in times), 3),
        "equal": digests[0] == digests[1],
    }


def lines_of_code(path: Path) -> int:
    """Lines that hold more than blanks, comments and docstrings.

    Example:
        >>> lines_of_code(Path(__file__)) > 50
        True
    """
    text = path.read_text()
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    used: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in skipped:
            used.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            used.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(used)


def main() -> None:
    """Compare, print a line per solver, write the record."""
    if sys.argv[1:] == ["--serve"]:
        serve()
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", nargs="*", default=list(SOLVERS), choices=list(SOLVERS))
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "before_after.json")
    args = parser.parse_args()
    from timing import machine

    sides = [Side(folder.resolve()) for folder in (args.before, args.after)]
    record: dict[str, Any] = {"side": SIDE, "sigma": SIGMA, "rounds": args.rounds, "machine": machine(), "solvers": {}}
    for solver in args.only:
        record["solvers"][solver] = compare(sides[0], sides[1], solver, args.rounds)
        print(f"{solver:18s}", record["solvers"][solver], flush=True)
    for side in sides:
        side.close()
    counted = {
        name: [lines_of_code(folder / "blurlab" / "deconvolver" / f"{name}.py") for folder in (args.before, args.after)]
        for name in FILES
    }
    record["lines_of_code"] = {**counted, "total": [sum(column) for column in zip(*counted.values(), strict=True)]}
    print(record["lines_of_code"])
    args.output.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
