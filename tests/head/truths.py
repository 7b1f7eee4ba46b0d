"""Truths that a target is asked about: batches of which only the labels matter, or only the kernel."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.physics import Convolution, Degraded


def truth(
    kind: Tensor, params: Tensor | None = None, strength_px: Tensor | None = None, psf: Tensor | None = None
) -> Degraded:
    """A batch of these kinds (n,), with images of one pixel."""
    n = len(kind)
    image, nothing = torch.zeros(n, 1, 1, 1), torch.zeros(n)
    return Degraded(
        x=image,
        y=image,
        blur=Convolution(torch.ones(n, 1, 1, 1) if psf is None else psf),
        kind=kind,
        params=torch.zeros(n, 0) if params is None else params,
        strength_px=nothing if strength_px is None else strength_px,
        sigma=nothing,
        item=torch.arange(n),
        weight=torch.ones(n),
    )
