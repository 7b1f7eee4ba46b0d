"""Kernels estimated pixel by pixel in place of those that a network's parameters describe."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from blurlab.blind import FreeForm, FreeKernelFound
from blurlab.blur import centroid, of_side, trimmed
from blurlab.pipeline.estimate import BlurEstimate

FREE_PX = 0.4
"""How far a kernel is out of place that was estimated pixel by pixel."""
STRAIGHT = 1.6
"""A motion that differs over the photograph is a line in each place where one line leaves no more misfit than this."""
LEAST_PX = 5
"""Side of the smallest support."""


def with_turns(form: FreeForm, found: BlurEstimate, y: Tensor, wanted: Tensor) -> BlurEstimate:
    """The estimate without the fields of those rows wanted (B,) bool that one line explains too badly.

    A field of lines differs a little from their mean. What differs more is no field of lines, but bent.
    """
    for row in (wanted & found.turns).nonzero().flatten().tolist():
        here = slice(row, row + 1)
        if not form.judged(y[here], trimmed(found.psf[here]), STRAIGHT).trusted:
            found = found.without_field(row)
    return found


def with_free_kernels(
    form: FreeForm,
    found: BlurEstimate,
    y: Tensor,
    rows: tuple[Tensor, Tensor, Tensor],
    sides_px: Tensor,
) -> tuple[BlurEstimate, Tensor, Tensor]:
    """The estimate with kernels estimated pixel by pixel where that is called for.

    Args:
        form: Estimates them.
        found: What is known before, with kernels (B, 1, k, k), k odd.
        y: Photographs (B, C, H, W).
        rows: Which to look at; which are of a kind that no parameters describe, whose kernel is a free one or none; of
            which the line may be bent, so that a free kernel is taken if it explains more, each (B,) bool.
        sides_px: Side of the support of each free kernel [px], (B,).

    Returns:
        It, of which rows the kernel is a free one (B,) bool, and of which the kernel explains too little.
    """
    (wanted, unnamed, straight), size, error = rows, found.psf.shape[-1], found.error_px
    free, values, wrong = (torch.zeros_like(found.blurred) for _ in range(3))
    blurred = found.blurred.clone()
    for row in wanted.nonzero().flatten().tolist():
        here, line = slice(row, row + 1), trimmed(found.psf[row : row + 1])
        other: FreeKernelFound | None = None
        if bool(unnamed[row]):
            other = form.trusted(y[here], _odd(float(sides_px[row]), size))
        elif bool(straight[row]):
            other = form.against(y[here], line, _odd(float(sides_px[row]), size))
        if other is not None:
            psf, free[row], values[row] = other
            blurred[row] = free[row]
            index = torch.tensor([row], device=blurred.device)
            found = found.with_kernels(index, _in_place(of_side(psf.to(found.psf), size)))
        elif bool(found.blurred[row]):
            _, explains, values[row] = form.judged(y[here], line)
            wrong[row] = not explains
    error = error if error is None else error.masked_fill(free, FREE_PX)
    return replace(found, blurred=blurred, error_px=error, of_values=values), free, wrong


def _odd(side_px: float, most: int) -> int:
    """The odd side next to it, from ``LEAST_PX`` to ``most``."""
    return min(max(LEAST_PX, 2 * round((side_px - 1) / 2) + 1), most)


def _in_place(psf: Tensor) -> Tensor:
    """A kernel (1, 1, k, k) moved by whole pixels so that its centre of mass is in the middle: the picture stays."""
    down, across = (-centroid(psf)[0, 0]).round().int().tolist()
    return psf.roll((down, across), (-2, -1))
