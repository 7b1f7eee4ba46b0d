"""Softness: where it is fine, no photograph tells which kind it is, and a narrow Gaussian undoes them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from blurlab.blur import BlurFamily, Mixture, deviation_px, gaussian_psf
from blurlab.pipeline.estimate import BlurEstimate, KindEstimate, no_kind_found

LEAST_PX = 0.5
"""Standard deviation of the narrowest Gaussian that is undone."""
MOST_PX = 1.8
"""Standard deviation of the widest, which wider softness is undone by, too: a wide disk is no Gaussian."""
LEAST_SHARE = 0.5
"""The lower end of a strength's interval is this share of what was found, at least."""
PLACE = 0.5
"""Where between that end, 0, and what was found, 1, the strength undone is: ``experiments/schuler2016/softness.py``."""


def is_soft(family: BlurFamily, label: KindEstimate, soft: Sequence[str], probability: float) -> Tensor:
    """Which images (B,) bool are probably blurred by one of the kinds ``soft``, whichever it is.

    Args:
        family: The kinds.
        label: What is known of the images.
        soft: Kinds that take away detail alike in all directions.
        probability: Of these kinds together, at least.
    """
    counts = torch.tensor([kind in soft for kind in family.kinds], device=label.kind.device)
    return counts[label.kind] & (label.probability[:, counts].sum(1) >= probability)


def softness(family: Mixture, label: KindEstimate, soft: Tensor, kinds: Sequence[str]) -> Tensor:
    """Standard deviation of the Gaussian to undo [px] (B,), hardly too wide a one; NaN where there is none.

    It is the mean of that of each soft kind, by how probable they are: of kinds that have the same deviation a
    photograph shows little else. Of each it is taken between the lower end of the 90 % interval of its strength and
    what was found (``PLACE``), since a kernel that is too wide costs far more than one that is too narrow.

    Args:
        family: The kinds, their kernels of the photographs' size.
        label: What is known of the photographs, in their size.
        soft: Of which to say it (B,) bool.
        kinds: Names of the soft kinds, each with a strength.
    """
    found = torch.full_like(label.strength_px, torch.nan)
    rows = soft.nonzero().squeeze(1)
    if not len(rows) or label.supposed is None or label.halfwidth is None:
        return found
    params, half, probability = (one[rows] for one in (label.supposed, label.halfwidth, label.probability))
    width, sure = torch.zeros_like(found[rows]), torch.zeros_like(found[rows])
    for name in kinds:
        kind = family.kinds.index(name)
        width += probability[:, kind] * _narrow(family, params, half, kind)
        sure += probability[:, kind]
    width = width / sure
    found[rows] = torch.where(width >= LEAST_PX, width.clamp_max(MOST_PX), torch.nan).to(found)
    return found


def _narrow(family: Mixture, params: Tensor, half: Tensor, kind: int) -> Tensor:
    """Deviations [px] (n,) of blurs of a kind, narrower than these parameters (n, P) by a share of their intervals."""
    (strength,) = (index for index, one in enumerate(family.parameters[family.columns(kind)]) if one.is_length)
    column = family.columns(kind).start + strength
    share = (1 - half[:, column] / params[:, column]).clamp_min(LEAST_SHARE)
    share = torch.lerp(share, torch.ones_like(share), PLACE)
    narrow = family.with_strength(params, share * family.strength_px(params, kind), kind)
    return deviation_px(family.psf(narrow, kind))[:, 0]


def with_softness(found: BlurEstimate, soft_px: Tensor) -> BlurEstimate:
    """The estimate with Gaussians of these standard deviations (B,) to undo; as it was where they are NaN."""
    rows = soft_px.isfinite().nonzero().squeeze(1)
    return found.with_kernels(rows, gaussian_psf(soft_px[rows], found.psf.shape[-1])) if len(rows) else found


def unnamed(family: BlurFamily, label: KindEstimate, y: Tensor, least_probability: float) -> KindEstimate:
    """The label without the names of kinds that are less probable: soft, and no more can be told.

    Args:
        family: The kinds, their kernels of the photographs' size.
        label: What is known of the photographs.
        y: They (B, C, H, W).
        least_probability: Of a kind that is named.
    """
    rows = (label.probability.amax(1) < least_probability).nonzero().squeeze(1)
    if not len(rows):
        return label
    return replace(label.with_rows(rows, no_kind_found(family, y[rows])), soft_px=label.soft_px)
