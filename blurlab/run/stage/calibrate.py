"""Stage: what a wrong kernel costs, measured on validation photographs with the run's own noise and deconvolver."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig
from torch import Tensor

from blurlab.blur import StrengthFamily
from blurlab.core.atomic import replace_whole
from blurlab.core.rng import generator
from blurlab.metric import isnr
from blurlab.physics import Convolution
from blurlab.pipeline import RiskTable, Task, conformal_halfwidth
from blurlab.run.errors import UsageError
from blurlab.run.setup.context import Context
from blurlab.run.setup.parts import Parts
from blurlab.run.setup.progress import track
from blurlab.run.stage.base import Stage, check_networks, check_photographs, check_restores, once
from blurlab.run.stage.train import best_net

BATCH = 32
TABLE = "risk.safetensors"
NAMES = ("candidates_px", "grid_px", "loss_db", "halfwidth_px")


class Calibrate(Stage):
    """A risk table for each task whose answer picks a kernel."""

    def check(self, cfg: DictConfig, parts: Parts, before: Sequence[Stage]) -> None:
        """Besides: are there trained networks, photographs, and a deconvolver that restores?"""
        super().check(cfg, parts, before)
        if parts.identifier.risk_tasks:
            check_networks(cfg, parts, before)
            check_photographs(cfg)
            check_restores(parts, before)

    def __call__(self, context: Context) -> None:
        for task in context.identifier.risk_tasks:
            once(context, f"calibrate_{task.name}", lambda folder, q=task: measure(context, q, folder))


def measure(context: Context, task: Task, folder: Path) -> dict[str, Any]:
    """Measure and keep the risk table of one task.

    Where the candidates are the classes themselves every pair is measured; where they are finer, it is measured at the
    budget's strengths and errors, and the loss is joined by straight lines in (strength, error).

    Returns:
        The pairs measured: strengths, strengths used, mean ISNR in dB.
    """
    grid = task.target.grid_px  # type: ignore[attr-defined]  # a task with a risk table asks for a strength
    candidates = context.identifier.candidates_px(task)
    photos = sharp_batch(context, context.budget["risk_photos"])
    if len(candidates) == len(grid):
        pairs = [(float(true), float(used)) for true in grid for used in candidates]
    else:
        pairs = spread_pairs(grid, context.budget["risk_strengths_px"], context.budget["risk_errors_px"])
    values = [
        restored_isnr(context, task, photos, true, used)
        for true, used in track(pairs, f"cost of a wrong kernel: {task.name}", context.console, context.progress)
    ]
    loss = loss_matrix(pairs, values, candidates, grid)
    halfwidth = math.nan if len(candidates) == len(grid) else interval_halfwidth(context, task, grid)
    table = RiskTable(candidates, grid, loss, float(torch.tensor(halfwidth)))  # rounded as in its file
    _save(folder / TABLE, table)
    context.risks[task.name] = table
    return {
        "halfwidth_px": halfwidth,
        "true_px": [p[0] for p in pairs],
        "used_px": [p[1] for p in pairs],
        "isnr": values,
    }


def spread_pairs(grid: Tensor, strengths_px: list[float], errors_px: list[float]) -> list[tuple[float, float]]:
    """Pairs (true, used) at the budget's strengths and errors, scaled from 1..10 px to the range of the grid."""
    low, high = float(grid[0]), float(grid[-1])
    scale = (high - low) / 9
    true = [low + (float(strength) - 1) * scale for strength in strengths_px]
    errors = [float(error) * scale for error in errors_px]
    return [(s, max(low, s + e)) for s in true for e in errors if s + e <= high]


def interval_halfwidth(context: Context, task: Task, grid: Tensor) -> float:
    """Half the width of the 90 % interval about the posterior's mean, from the validation photographs."""
    net = best_net(context, task)
    items = context.degraded(
        "val", context.budget["draws_val"], stream=f"interval/{task.name}", degrade=context.degrade_for(task)
    )
    errors = []
    with torch.inference_mode():
        for degraded in items.batches(BATCH):
            errors.append((net(degraded.y).softmax(1) @ grid.to(degraded.y) - degraded.strength_px).abs().cpu())
    return conformal_halfwidth(torch.cat(errors))


def restored_isnr(context: Context, task: Task, sharp: Tensor, true_px: float, used_px: float) -> float:
    """Mean ISNR in dB of photographs blurred at one strength and restored with the kernel of another."""
    family: StrengthFamily = task.family  # type: ignore[assignment]  # a task with a risk table asks for a strength
    blurred_kind = torch.full((1,), len(family.kinds) - 1)
    kernel = family.psf_at(torch.tensor([true_px]), blurred_kind).to(sharp)
    noise = generator(context.seed, "risk", task.name, str(true_px))
    blurred = Convolution(kernel, context.degrade.boundary).A(sharp)
    y, sigma = context.degrade.noise(blurred, generator=noise)
    margin = context.degrade.margin
    x = sharp[..., margin : sharp.shape[-2] - margin, margin : sharp.shape[-1] - margin]
    params = family.at_strength(torch.tensor([used_px]), blurred_kind)
    if not bool(family.changes(params, blurred_kind)):
        return 0.0  # nothing to undo: the image is left as it is
    used = family.psf(params, blurred_kind).to(sharp)
    restored = context.deconvolver(y, used.expand(len(y), -1, -1, -1), sigma).image
    return float(isnr(y, restored, x).mean())


def loss_matrix(pairs: list[tuple[float, float]], values: list[float], candidates: Tensor, grid: Tensor) -> Tensor:
    """Loss (c, m) in dB of handing on a candidate where a grid strength is true, from measured pairs.

    Each measured strength gives a curve of loss over the error; the curves are joined linearly in strength. Beyond the
    measured errors the end value holds.
    """
    strengths = sorted({true for true, _ in pairs})
    errors = candidates[:, None].numpy() - grid[None, :].numpy()
    curves = []
    for strength in strengths:
        points = sorted(
            (used - strength, value) for (true, used), value in zip(pairs, values, strict=True) if true == strength
        )
        error, value = np.array(points).T
        best = np.interp(0.0, error, value)
        if len(candidates) == len(grid):
            curves.append(best - value)
        else:
            curves.append(np.interp(errors, error, best - value))
    if len(candidates) == len(grid):
        return torch.tensor(np.stack(curves, axis=1), dtype=torch.float32).clamp_min(0)
    place = np.clip(np.interp(grid.numpy(), strengths, np.arange(len(strengths))), 0, len(strengths) - 1)
    lower = np.minimum(place.astype(int), len(strengths) - 2)
    share = place - lower
    stack, columns = np.stack(curves), np.arange(len(grid))
    joined = (1 - share) * stack[lower, :, columns].T + share * stack[lower + 1, :, columns].T
    return torch.tensor(joined, dtype=torch.float32).clamp_min(0)


def sharp_batch(context: Context, count: int) -> Tensor:
    """The first ``count`` validation photographs (n, C, H, W) in [0, 1] on the run's device."""
    items = context.degraded("val", 1, stream="risk")
    return items.sharp(range(min(count, len(items))))


def risk_tables(context: Context) -> dict[str, RiskTable]:
    """The measured tables by task; read from their files where this process has not measured them."""
    for task in context.identifier.risk_tasks:
        if task.name not in context.risks:
            context.risks[task.name] = load_table(context.dir / "stages" / f"calibrate_{task.name}")
    return {task.name: context.risks[task.name] for task in context.identifier.risk_tasks}


def load_table(folder: Path) -> RiskTable:
    """The table that :func:`measure` kept in a folder."""
    from safetensors import safe_open

    if not (folder / TABLE).is_file():
        raise FileNotFoundError(2, "no such file", str(folder / TABLE))
    try:
        with safe_open(folder / TABLE, framework="pt") as state:
            candidates, grid, loss, halfwidth = (state.get_tensor(name) for name in NAMES)
    except Exception as error:  # safetensors has errors of its own
        raise UsageError(f"{folder / TABLE} cannot be read; remove its folder and resume the run") from error
    return RiskTable(candidates, grid, loss, float(halfwidth))


def _save(path: Path, table: RiskTable) -> None:
    from safetensors.torch import save

    parts = table.candidates_px, table.grid_px, table.loss_db, torch.tensor(table.halfwidth_px)
    tensors = dict(zip(NAMES, parts, strict=True))
    with replace_whole(path) as file:
        file.write(save({name: tensor.contiguous() for name, tensor in tensors.items()}))
