"""A motion measured on the photograph itself, after a network has named it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from blurlab.blind import FreeForm, family_fit
from blurlab.blur import BlurFamily, Mixture, trimmed
from blurlab.pipeline.estimate import BlurEstimate
from blurlab.pipeline.regression import described

LEAST_ERROR_PX, ERROR_SHARE = 0.22, 0.025
"""A kernel whose parameters were fitted is out of place by the first at least, and by this share of its length."""
LENGTH_STEP, ANGLE_STEP = 0.5, 0.5
"""Between two trials, as a share of half the 90 % interval."""
LEAST_LENGTH_PX, LEAST_DEG, MOST_DEG = 0.3, 2.0, 8.0
"""The steps are no smaller than the first two, nor that of an angle greater than the last."""
FITTED_SHARES = 0.5, 1.0
"""A fit's intervals of length and of angle are these shares of a network's (``share90`` of
``experiments/schuler2016/results/motions.json``)."""
MOST_SHARE = 5
"""Nor is that of a length more than one such part of it."""


def refitted(form: FreeForm, family: Mixture, found: BlurEstimate, y: Tensor, rows: Tensor) -> BlurEstimate:
    """Motions fitted to photographs (:func:`~blurlab.blind.family_fit`), in place of a network's.

    Args:
        form: Sees the photographs.
        family: The kinds, their kernels of the photographs' size.
        found: What a network says, with a label and ``error_px``, in the size of the files.
        y: Photographs (B, C, H, W).
        rows: Which of them to fit (B,) bool, all of a kind with a length and an angle.

    Returns:
        The estimate; what is undone is the fit, whose intervals are narrower by ``FITTED_SHARES``.
    """
    label, error = found.label, found.error_px
    assert label is not None and error is not None
    params, halfwidth, done = label.params.clone(), label.halfwidth, torch.zeros_like(rows)
    shares = torch.tensor(FITTED_SHARES, device=y.device)
    for row in rows.nonzero().flatten().tolist():
        kind = int(label.kind[row])
        columns, member = family.columns(kind), family.member(kind)
        step = None if halfwidth is None else _steps(params[row, columns], halfwidth[row, columns])
        if halfwidth is None or step is None:
            continue
        fit = family_fit(form, y[row : row + 1], partial(_kernels, member), params[row, columns], step)
        if fit is not None:
            fit[1] %= 180
            params[row, columns], done[row] = fit, True
            halfwidth = halfwidth.clone()
            halfwidth[row, columns] *= shares
    changed = done.nonzero().squeeze(1)
    if not len(changed):
        return found
    strength = torch.where(done, family.strength_px(params, label.kind), label.strength_map_px)
    before = label.strength_map_px
    around = strength[:, None] + FITTED_SHARES[0] * (label.interval_px - before[:, None])
    label = replace(
        label,
        params=params,
        halfwidth=halfwidth,
        strength_px=torch.where(done, strength, label.strength_px),
        strength_map_px=strength,
        strength_mean_px=label.strength_mean_px + strength - before,
        interval_px=torch.where(done[:, None], around.clamp_min(0), label.interval_px),
        most_probable=described(family, params, label.kind),
    )
    psf = described(family, params[changed], label.kind[changed]).psf
    fitted = replace(found, label=label, error_px=torch.where(done, fitted_error(strength), error))
    return fitted.with_kernels(changed, psf)


def fitted_error(length_px: Tensor) -> Tensor:
    """How far fitted motions are out of place [px].

    Example:
        >>> fitted_error(torch.tensor([4.0, 20.0]))
        tensor([0.2200, 0.5000])
    """
    return (ERROR_SHARE * length_px).clamp_min(LEAST_ERROR_PX)


def _kernels(member: BlurFamily, params: Tensor) -> Tensor:
    return trimmed(member.psf(params))


def _steps(params: Tensor, half: Tensor) -> Tensor | None:
    """Between the trials of a length and an angle (2,); None where these are no such parameters, or not known."""
    if len(half) != 2 or not bool(half.isfinite().all()):
        return None
    length = (LENGTH_STEP * half[0]).clamp_min(LEAST_LENGTH_PX).minimum(params[0] / MOST_SHARE)
    return torch.stack([length, (ANGLE_STEP * half[1]).clamp(LEAST_DEG, MOST_DEG)])
