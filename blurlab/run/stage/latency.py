"""How long the parts take for one image, on one core where the device is a CPU."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

from blurlab.core.rng import generator
from blurlab.pipeline import Pipeline
from blurlab.run.setup.context import Context


def classify_ms(context: Context, pipeline: Pipeline) -> float:
    """Median milliseconds on one image of the data set's size: the first network, or where there is none all of it."""
    size = int(context.cfg.dataset.size)
    if not pipeline.nets:
        return identify_ms(context, pipeline)
    image = torch.rand(1, context.data.channels, size, size, device=context.device)
    net = pipeline.nets[context.identifier.tasks[0].name]
    return median_ms(lambda: net(image), repeats=20, device=context.device)


def identify_ms(context: Context, pipeline: Pipeline) -> float:
    """Median milliseconds of the whole identification, on one image of the data set's size."""
    size = int(context.cfg.dataset.size)
    image = torch.rand(1, context.data.channels, size, size, device=context.device)
    return median_ms(lambda: pipeline.identify(image), repeats=3, device=context.device)


def restore_ms(context: Context, pipeline: Pipeline) -> float:
    """Median milliseconds of the deconvolver on one image, all cores."""
    size = int(context.cfg.dataset.size)
    image = torch.rand(1, context.data.channels, size, size, device=context.device)
    some = context.identifier.family.sample(32, generator=generator(context.seed, "latency")).psf
    psf = some[some.flatten(1).amax(1).argmin()].unsqueeze(0)  # the widest of them
    return median_ms(
        lambda: context.deconvolver(image, psf.to(image), 0.004), repeats=3, device=context.device, threads=0
    )


def median_ms(work: Callable[[], object], *, repeats: int, device: torch.device, threads: int = 1) -> float:
    """Median wall-clock milliseconds of ``work`` after one warm call.

    Args:
        work: What to time.
        repeats: Timed calls.
        device: Waited for after each call.
        threads: CPU threads meanwhile; 0 leaves them as they are.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        seconds = []
        for _ in range(repeats + 1):
            start = time.perf_counter()
            work()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            seconds.append(time.perf_counter() - start)
        return 1000 * statistics.median(seconds[1:])
    finally:
        torch.set_num_threads(before)
