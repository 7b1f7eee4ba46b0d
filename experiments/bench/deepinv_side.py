"""deepinv's half of ``deconvolvers.py``: a process of deepinv's own environment that works and times itself when told.

It reads one JSON object a line and answers one JSON object a line:

    {"do": "load", "path": ...}                arrays of an .npz file: y (1, 1, H, W), batch (B, C, h, w), psf (k, k)
    {"do": "wiener", "nsr": ..., "on": "y"}    one call of BlurFFT.prox_l2, the flat Wiener filter
    {"do": "search", "algorithm": ..., ...}    iterations and seconds until the objective is below a target
    {"do": "tv", "algorithm": ..., ...}        one call of that algorithm with so many iterations
    {"do": "save", "path": ...}                the last image, as .npy
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
import time
from typing import Any

import numpy as np
import torch


def import_deepinv() -> Any:
    """deepinv; its torchvision, built for CUDA, registers operators that a CPU build of torch does not have."""
    register = torch.library.register_fake

    def ignore_vision(op: Any, *args: Any, **options: Any) -> Any:
        if isinstance(op, str) and op.startswith("torchvision::"):
            return lambda function: function
        return register(op, *args, **options)

    torch.library.register_fake = ignore_vision  # type: ignore[assignment]
    return importlib.import_module("deepinv")


class ReachedTarget(Exception):
    """The objective is below the target, or time is up."""


class Side:
    """The arrays that were loaded and what is asked of them."""

    def __init__(self, deepinv: Any) -> None:
        self.deepinv = deepinv
        self.image = torch.empty(0)
        self.images: dict[str, torch.Tensor] = {}
        self.physics: dict[str, Any] = {}

    def load(self, path: str) -> dict[str, Any]:
        """Images and one blur for each shape of them; circular, as BlurFFT is."""
        arrays = np.load(path)
        psf = torch.from_numpy(arrays["psf"])[None, None]
        for name in ("y", "batch"):
            self.images[name] = torch.from_numpy(arrays[name])
            shape = tuple(self.images[name].shape[1:])
            self.physics[name] = self.deepinv.physics.BlurFFT(shape, filter=psf.expand(1, shape[0], -1, -1))
        return {"deepinv": self.deepinv.__version__, "torch": torch.__version__, "threads": torch.get_num_threads()}

    def wiener(self, nsr: float, on: str) -> dict[str, Any]:
        """``argmin 1/(2 nsr) |H x - y|^2 + 1/2 |x|^2``."""
        y, physics = self.images[on], self.physics[on]
        start = time.perf_counter()
        self.image = physics.prox_l2(torch.zeros_like(y), y, 1 / nsr)
        return {"seconds": time.perf_counter() - start}

    def tv(self, algorithm: str, weight: float, stepsize: float, inner: int, iterations: int) -> dict[str, Any]:
        """``min 1/2 |H x - y|^2 + weight TV(x)`` ; ``inner`` iterations of TVPrior's prox at a time."""
        solver = self._solver(algorithm, weight, stepsize, inner, iterations)
        start = time.perf_counter()
        self.image = solver(self.images["y"], self.physics["y"])
        return {"seconds": time.perf_counter() - start}

    def search(
        self, algorithm: str, weight: float, stepsize: float, inner: int, target: float, seconds: float
    ) -> dict[str, Any]:
        """How many iterations it takes to an objective of ``target``, the objective itself not timed."""
        y, physics = self.images["y"], self.physics["y"]
        prior = self.deepinv.optim.TVPrior()
        objectives: list[float] = []
        clock = {"spent": 0.0, "since": 0.0}

        def look(_values: Any, _before: Any, x: torch.Tensor) -> float:
            clock["spent"] += time.perf_counter() - clock["since"]
            misfit = (physics.A(x[None]) - y).double().square().sum() / 2
            objectives.append(float(misfit + weight * prior.fn(x[None].double()).sum()))
            if objectives[-1] <= target or clock["spent"] > seconds:
                raise ReachedTarget
            clock["since"] = time.perf_counter()
            return objectives[-1]

        solver = self._solver(algorithm, weight, stepsize, inner, 10_000, {"objective": look})
        clock["since"] = time.perf_counter()
        with contextlib.suppress(ReachedTarget):
            solver(y, physics, compute_metrics=True)
        return {
            "iterations": len(objectives),
            "seconds": clock["spent"],
            "objective": min(objectives),
            "reached": objectives[-1] <= target,
        }

    def save(self, path: str) -> dict[str, Any]:
        """The last image."""
        np.save(path, self.image.numpy())
        return {}

    def _solver(
        self, algorithm: str, weight: float, stepsize: float, inner: int, iterations: int, metrics: Any = None
    ) -> Any:
        optim = self.deepinv.optim
        return getattr(optim, algorithm)(
            data_fidelity=optim.L2(),
            prior=optim.TVPrior(n_it_max=inner),
            lambda_reg=weight,
            stepsize=stepsize,
            max_iter=iterations,
            custom_metrics=metrics,
        )


def main() -> None:
    """Target until the input ends; what libraries print goes to the other stream."""
    answers, sys.stdout = sys.stdout, sys.stderr
    torch.set_num_threads(int(sys.argv[1]))
    side = Side(import_deepinv())
    with torch.no_grad():
        for line in sys.stdin:
            order = json.loads(line)
            answer = getattr(side, order.pop("do"))(**order)
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
