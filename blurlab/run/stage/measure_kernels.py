"""Stage: how good the kernels are that a pipeline estimates; nothing is restored."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch
from omegaconf import DictConfig
from torch import Tensor

from blurlab.blur import BlurFamily
from blurlab.likelihood.limit import psf_snr_bound, smooth_spectrum
from blurlab.metric import psf_snr
from blurlab.physics import Degraded
from blurlab.pipeline import BlurEstimate
from blurlab.run.record.lines import Line, write_lines
from blurlab.run.record.means import interval, proportion
from blurlab.run.setup.context import Context
from blurlab.run.setup.parts import Parts
from blurlab.run.setup.progress import bar
from blurlab.run.stage.assemble import assemble
from blurlab.run.stage.base import Stage, check_networks, once
from blurlab.run.stage.evaluate import PER_IMAGE
from blurlab.run.stage.kernels import PSF_SNR_CEILING_DB, mean_kernel

BATCH = 4
BOUND = "Cramer-Rao bound, the smooth spectrum of the sharp photograph and the noise known"
FIGURES = ("psf_snr", "psf_snr/network", "psf_snr_constant", "psf_snr_either_way", "identify_cpu_s")
"""Columns of a line whose means stand in the record, where there are any."""


class MeasureKernels(Stage):
    """Every test photograph, blurred ``draws_test`` times; the kernel that the pipeline names against the true one."""

    def check(self, cfg: DictConfig, parts: Parts, before: Sequence[Stage]) -> None:
        """Besides: are there trained networks?"""
        super().check(cfg, parts, before)
        check_networks(cfg, parts, before)

    def __call__(self, context: Context) -> None:
        found = once(context, "kernels", lambda folder: measure_kernels(context))
        context.record.update({key: value for key, value in found.items() if key != "seconds"})


def measure_kernels(context: Context) -> dict[str, Any]:
    """Measure every test item and write ``per_image.csv``.

    Returns:
        Record entries: metrics, limit.
    """
    pipeline, draws = assemble(context), context.budget["draws_test"]
    drawn, constant = context.degraded("test", draws), mean_kernel(context.degrade.family, context.seed)
    lines: list[Line] = []
    with bar(context.console, context.progress) as progress, torch.inference_mode():
        task = progress.add_task("identify kernels", total=len(drawn))
        for degraded in drawn.batches(BATCH):
            start = time.process_time()
            estimate = pipeline.identify(degraded.y)
            seconds = (time.process_time() - start) / len(degraded)
            lines += measured(context.degrade.family, degraded, estimate, constant, seconds)
            for place, one in zip(degraded.item.tolist(), lines[-len(degraded) :], strict=True):
                one["photo"] = context.data.test.ids[place // draws]
            progress.advance(task, len(degraded))
    write_lines(context.dir / PER_IMAGE, lines)
    return summary(lines, context.seed)


def measured(
    family: BlurFamily, truth: Degraded, estimate: BlurEstimate, constant: Tensor, seconds: float
) -> list[Line]:
    """A line for each item of a batch.

    Args:
        family: The blurs.
        truth: The items.
        estimate: Their kernels.
        constant: The blurs' mean kernel (1, 1, k, k).
        seconds: Processor time of an estimate.
    """
    figures = {
        "psf_snr": psf_snr(estimate.psf, truth.psf),
        "reversed": psf_snr(estimate.psf.flip(-2, -1), truth.psf),
        "psf_snr_constant": psf_snr(constant.expand_as(truth.psf), truth.psf),
    }
    label = estimate.label
    if label is not None and label.network_psf is not None:
        figures["psf_snr/network"] = psf_snr(label.network_psf.to(truth.psf), truth.psf)
    if len(family.kinds) == 1 and truth.x.shape[-1] == truth.x.shape[-2]:
        figures["psf_snr_bound"] = psf_snr_bound(
            family, truth.params, smooth_spectrum(truth.x), truth.sigma.double().square().clamp_min(1e-12)
        )
    columns = {name: value.clamp_max(PSF_SNR_CEILING_DB).tolist() for name, value in figures.items()}
    lines: list[Line] = []
    for row in range(len(truth)):
        one: Line = {"photo": "", "sigma": float(truth.sigma[row]), "identify_cpu_s": seconds}
        one |= {name: values[row] for name, values in columns.items()}
        one["psf_snr_either_way"] = max(one["psf_snr"], one["reversed"])
        one |= dict(zip(family.names, truth.params[row].tolist(), strict=True))
        if label is not None and label.halfwidth is not None:
            one |= {
                f"found_{name}": value for name, value in zip(family.names, label.params[row].tolist(), strict=True)
            }
            half = label.halfwidth[row].tolist()
            one |= {f"half_{name}": value for name, value in zip(family.names, half, strict=True)}
        lines.append(one)
    return lines


def summary(lines: Sequence[Line], seed: int) -> dict[str, Any]:
    """Means with intervals over photographs, and the bound beside them."""
    photos = [one["photo"] for one in lines]
    metrics: dict[str, Any] = {}
    for name in (name for name in FIGURES if all(name in one for one in lines)):
        unit = "s" if name.endswith("_s") else "dB"
        metrics[name] = interval([one[name] for one in lines], photos, seed, unit)
    right = sum(one["psf_snr"] >= one["reversed"] for one in lines)
    metrics["orientation_right"] = proportion(right, len(lines))
    held = [
        abs(one[f"found_{name}"] - one[name]) <= one[f"half_{name}"]
        for one in lines
        for name in (column.removeprefix("half_") for column in one if column.startswith("half_"))
    ]
    if held:
        metrics["coverage90"] = proportion(sum(held), len(held))
    bounds = [one["psf_snr_bound"] for one in lines if "psf_snr_bound" in one]
    limit = {"psf_snr": {"value": sum(bounds) / len(bounds), "how": BOUND}} if bounds else {}
    return {"metrics": metrics, "limit": limit}
