"""What of a file a spectrum is asked about: the picture without its frame, smaller copies of it, and no pattern."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d

from blurlab.deconvolver.parts import middle
from blurlab.physics.field_stop import RIM, Circle

BLOCK_PX = 8
"""Side of the blocks that are a part of the frame or of the picture."""
FLAT = 6 / 255
"""Range of values within a block of a frame: noise and a codec leave a few grey levels."""
BLACK, WHITE = 20 / 255, 250 / 255
"""A frame is at most as bright as the first, or at least as bright as the second."""
LEAST_SHARE = 0.02
"""Share of the image that a frame covers at least; less is no matter."""
LEAST_PX = 64
"""Smallest side of what is cut out."""
SQUARE_PX = 180
"""That of a square inside an eye's field: in smaller ones vessels are so near together that they look moved."""

MOST_PX = 2_100_000
"""Pixels of a copy that are looked at."""

REPEATS = 0.8
"""Correlation of an image's gradients with themselves, moved, from which on its pattern repeats."""
SIDE_PX = 512
"""Side of the middle in which repetition is looked for."""
APART = 0.7
"""Correlation below which edges are left behind: as wide as they are, so far they look like themselves."""


def picture(y: Tensor) -> tuple[int, int, int, int]:
    """The part of an image that holds the picture and nothing of a frame around it.

    A frame is black or white and touches the image's border. The rectangle that encloses the picture is taken, whatever
    shape the picture has: of a round field the corners stay, whose edge says little, while a square within would leave
    out more than a third of the detail.

    Args:
        y: (C, H, W) in [0, 1].

    Returns:
        Its first row, the row after its last, and its columns alike; the whole image where there is no frame, or too
        little beside it.

    Example:
        >>> framed = torch.zeros(1, 128, 160)
        >>> framed[:, 24:, 40:] = torch.rand(104, 120, generator=torch.Generator().manual_seed(0))
        >>> picture(framed)
        (32, 128, 48, 160)
    """
    from scipy.ndimage import binary_dilation

    height, width = y.shape[-2:]
    whole = (0, height, 0, width)
    frame = _frame(y)
    if frame.mean() < LEAST_SHARE:
        return whole
    hidden = binary_dilation(frame, np.ones((3, 3)))  # and the blocks that the frame ends in
    if hidden.all():
        return whole
    rows, cols = (~hidden).any(1).nonzero()[0], (~hidden).any(0).nonzero()[0]
    top, bottom = _pixels(rows[0], rows[-1] + 1, height)
    left, right = _pixels(cols[0], cols[-1] + 1, width)
    return (top, bottom, left, right) if min(bottom - top, right - left) >= LEAST_PX else whole


def square_within(circle: Circle, shape: Sequence[int]) -> tuple[int, int, int, int] | None:
    """The largest square inside the field of an image (H, W), away from its rim.

    The rim is that of a stop in the camera: sharp whatever blurs the eye behind it, so it would be taken for detail.

    Returns:
        Its first row, the row after its last, and its columns alike; None where it is too small.
    """
    half = (1 - RIM) * circle.radius / math.sqrt(2)
    (top, bottom), (left, right) = (
        (max(0, math.ceil(middle - half)), min(side, math.floor(middle + half) + 1))
        for middle, side in zip(circle[:2], shape, strict=True)
    )
    return (top, bottom, left, right) if min(bottom - top, right - left) >= SQUARE_PX else None


def _pixels(first: int, last: int, side: int) -> tuple[int, int]:
    """Blocks as pixels; a rest that fills no block at the end belongs to the last one."""
    return int(first) * BLOCK_PX, side if last == side // BLOCK_PX else int(last) * BLOCK_PX


def _frame(y: Tensor) -> NDArray[np.bool_]:
    """Which blocks belong to a frame (H // 8, W // 8)."""
    from scipy.ndimage import label

    grey = y.mean(0)[None, None]
    high, low = (sign * max_pool2d(sign * grey, BLOCK_PX)[0, 0].cpu().numpy() for sign in (1, -1))
    frame = np.zeros(high.shape, dtype=bool)
    for one_grey in (high <= BLACK, low >= WHITE):
        parts, _ = label(one_grey & (high - low <= FLAT))
        edge = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
        frame |= np.isin(parts, edge[edge > 0])
    return frame


def smaller(y: Tensor, scale: int) -> Tensor:
    """Means over squares of ``scale`` pixels, in the middle of a large photograph; a rest is left out.

    Args:
        y: (B, C, H, W).
        scale: Side of the squares [px].

    Returns:
        (B, C, h, w) of at most about ``MOST_PX`` pixels each.

    Example:
        >>> smaller(torch.rand(1, 3, 3000, 4001), 2).shape
        torch.Size([1, 3, 1254, 1673])
    """
    rows, cols = middle(y, scale**2 * MOST_PX)
    part = y[..., slice(*rows), slice(*cols)]
    return part if scale == 1 else avg_pool2d(part, scale)


def repeats(y: Tensor) -> Tensor:
    """Which images are a pattern that repeats itself (B,) bool: a grid shows its own period, not the blur's width.

    The correlation of the gradients' lengths with themselves, moved, falls from 1 as edges are left behind; it comes
    back to ``REPEATS`` or more where nearly all edges come again.

    Args:
        y: (B, C, H, W) in [0, 1].

    Example:
        >>> rows, cols = torch.meshgrid(torch.arange(128), torch.arange(128), indexing="ij")
        >>> checks = ((rows // 9 + cols // 9) % 2).float()
        >>> noise = torch.rand(128, 128, generator=torch.Generator().manual_seed(0))
        >>> repeats(torch.stack([checks, noise])[:, None])
        tensor([ True, False])
    """
    from scipy.ndimage import label

    height, width = (min(side, SIDE_PX) for side in y.shape[-2:])
    top, left = (y.shape[-2] - height) // 2, (y.shape[-1] - width) // 2
    grey = y[..., top : top + height, left : left + width].double().mean(1)
    edges = torch.hypot(grey.diff(dim=-2)[..., :-1], grey.diff(dim=-1)[..., :-1, :])
    edges = edges - edges.mean((-2, -1), keepdim=True)
    rows, cols = edges.shape[-2:]
    spectrum = torch.fft.rfft2(edges, (2 * rows, 2 * cols))
    moved = torch.fft.irfft2(spectrum.abs().square(), (2 * rows, 2 * cols))[..., : rows // 2, : cols // 2]
    seen = (rows - torch.arange(rows // 2))[:, None] * (cols - torch.arange(cols // 2))[None, :]
    correlation = moved / seen.to(moved) / edges.square().mean((-2, -1), keepdim=True).clamp_min(1e-12)
    again = []
    for one in correlation.cpu().numpy():
        parts, _ = label(one >= APART)
        again.append(float(one[parts != parts[0, 0]].max(initial=0.0)) >= REPEATS)
    return torch.tensor(again, device=y.device)
