"""Validation photographs that the weights of deconvolvers are measured on, and kernels of up to 15 px."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from blurlab.dataset import Source, make_split, prepare_all

SIZE, MARGIN = 256, 7
SIGMAS = (0.002, 0.004, 0.01)


def load(source: Source, count: int) -> Tensor:
    """Green channels (n, 1, 270, 270) of a set's validation photographs in [0, 1]."""
    split = make_split(source)
    done = prepare_all(source, split.val[:count], SIZE + 2 * MARGIN, "green", digests=split.digests)
    return torch.from_numpy(np.stack(done.arrays).transpose(0, 3, 1, 2)).float() / 255


def horizontal(taps: int) -> Tensor:
    """``taps`` equal taps in a row, (1, 1, 15, 15); even numbers lie half a pixel to the right."""
    psf = torch.zeros(1, 1, 2 * MARGIN + 1, 2 * MARGIN + 1)
    first = MARGIN - (taps - 1) // 2
    psf[..., MARGIN, first : first + taps] = 1 / taps
    return psf
