"""A motion that differs over a photograph, as that of a camera that turned while it moved: seen in nine windows."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.blur import motion_psf
from blurlab.deconvolver.parts import corners, middle
from blurlab.physics import ProductConvolution

SHARE = 0.45
"""Sides of a window, as a share of the photograph's."""
LEAST_SIDE, MOST_SIDE = 140, 512
"""Sides of a window, px: in smaller ones chance differs as much as motions do, larger ones say no more. The second is
in the size of the copy that is looked at."""
STATISTIC, CHANGE = 6.5, 0.18
"""A motion differs from such an F statistic on, and from such a change between middle and border, as a share of it."""
LEAST_PROBABILITY = 0.05
"""Windows count at least so much, whatever kind they are taken for."""
LEAST_SPREAD_PX = 0.3
"""No window's motion is surer than this."""
SPACING_PX = 40
"""Distance of the kernels by which a motion that differs is described, px, about."""
LOCAL_TILE, TILES = 128, 4
"""Side of the smallest tiles in which such a motion is undone, px, and how many of them go along an image at least."""
LEAST_PX = 1.01
"""Length of the shortest motion, px."""


def windows(y: Tensor, scale: int = 1) -> tuple[Tensor, Tensor] | None:
    """Nine windows of an image, evenly spaced, each half over the next.

    Args:
        y: (1, C, H, W).
        scale: By how much the sides of the copy are divided that is looked at.

    Returns:
        (9, C, h, w), and the places of their middles (9, 2), each from -1 at the first row or column to 1 at the last;
        None where they would be too small.

    Example:
        >>> seen, place = windows(torch.zeros(1, 3, 400, 320))
        >>> seen.shape, place[0]
        (torch.Size([9, 3, 180, 144]), tensor([-0.5500, -0.5500]))
    """
    height, width = y.shape[-2:]
    rows, cols = int(SHARE * height), int(SHARE * width)
    if min(rows, cols) < LEAST_SIDE:
        return None
    parts, places = [], []
    for top, left in corners(y, (rows, cols)):
        part = y[..., top : top + rows, left : left + cols]
        down, across = (slice(*span) for span in middle(part, (MOST_SIDE * scale) ** 2))
        parts.append(part[..., down, across])
        places.append([2 * (top + rows / 2) / height - 1, 2 * (left + cols / 2) / width - 1])
    return torch.cat(parts), torch.tensor(places)


def weights(probability: Tensor, length: Tensor, length_spread: Tensor, angle_spread_deg: Tensor) -> Tensor:
    """What the motion of each window counts (n,), from what a network says of it and how sure it is.

    Example:
        >>> weights(torch.ones(1), torch.tensor([10.0]), torch.tensor([0.4]), torch.tensor([0.0]))
        tensor([4.])
    """
    across = length * torch.deg2rad(angle_spread_deg)
    variance = length_spread.square() + across.square() + LEAST_SPREAD_PX**2
    return probability.clamp_min(LEAST_PROBABILITY) / variance


def motion_field(length: Tensor, angle_deg: Tensor, weight: Tensor, place: Tensor) -> Tensor | None:
    """How the motions found in windows change over the photograph; None where they may be one motion.

    Where a camera turns about its axis while it moves, the motion of each place, a vector, is linear in the place. So
    vectors are fitted by a constant and by a linear field. The field has to explain them better than chance would (F
    statistic), and to differ from the constant enough to matter.

    Args:
        length: Of each window (n,), [px].
        angle_deg: (n,), counter-clockwise from the horizontal; 180 deg more is the same.
        weight: Of each window (n,).
        place: Rows and columns of their middles (n, 2), from -1 to 1.

    Returns:
        (3, 2): the vector to the right and up [px] in the middle, and its change from there to the last row and to the
        last column.

    Example:
        >>> place = torch.cartesian_prod(*[torch.tensor([-0.5, 0.0, 0.5])] * 2)
        >>> noise = torch.randn(9, generator=torch.Generator().manual_seed(0))
        >>> length, one = torch.full((9,), 12.0), torch.ones(9)
        >>> motion_field(length, 30 + noise, one, place) is None
        True
        >>> motion_field(length, 30 + 40 * place[:, 1] + noise, one, place)[0].round()
        tensor([10.,  6.])
    """
    radian, weight = torch.deg2rad(angle_deg.double()), weight.double()
    main = torch.atan2((weight * (2 * radian).sin()).sum(), (weight * (2 * radian).cos()).sum()) / 2
    vector = length.double()[:, None] * torch.stack([radian.cos(), radian.sin()], 1)
    vector = torch.where((radian - main).cos()[:, None] < 0, -vector, vector)
    root, count = weight.sqrt()[:, None], len(length)
    mean = (weight[:, None] * vector).sum(0) / weight.sum()
    linear = torch.cat([torch.ones(count, 1), place], 1).double()
    field = torch.linalg.lstsq(root * linear, root * vector).solution
    alike, rest = ((root * (vector - one)).square().sum() for one in (mean, linear @ field))
    statistic = float((alike - rest) / 4 / (rest / (2 * count - 6)).clamp_min(1e-12))
    change = float(torch.linalg.svdvals(field[1:])[0]) / max(float(mean.norm()), 1e-6)
    return field.float() if statistic > STATISTIC and change > CHANGE else None


def turning(field: Tensor, shape: tuple[int, int]) -> ProductConvolution:
    """The blur of an image by motions that change over it.

    Args:
        field: (3, 2), as of :func:`motion_field`.
        shape: The image y, (H, W).

    Example:
        >>> field = torch.tensor([[6.0, 0.0], [0.0, 0.0], [4.0, 0.0]])
        >>> blur = turning(field, (80, 200))
        >>> blur.psf.shape, [round(float(blur.psf_at(40, col).amax()), 2) for col in (0, 199)]
        (torch.Size([1, 10, 11, 11]), [0.36, 0.11])
    """
    rows, cols = (max(round(side / SPACING_PX), 2) for side in shape)
    down, across = (2 * (torch.arange(count) + 0.5) / count - 1 for count in (rows, cols))
    place = torch.cartesian_prod(down, across)
    vector = torch.cat([torch.ones(len(place), 1), place], 1) @ field.to(place)
    length = vector.norm(dim=1).clamp_min(LEAST_PX)
    angle = torch.rad2deg(torch.atan2(vector[:, 1], vector[:, 0])) % 180
    side = 2 * int(float(length.max()) / 2 + 1) + 1
    psf = motion_psf(length, angle, side).reshape(rows, cols, side, side)
    return ProductConvolution.of_patches(psf, shape)


def local_tile(shape: tuple[int, int], kernel_px: int) -> int:
    """Side of the tiles within each of which a motion that changes over an image (H, W) counts as one, [px].

    Example:
        >>> local_tile((364, 470), 19), local_tile((3000, 4000), 19)
        (128, 1000)
    """
    return max(LOCAL_TILE, 4 * kernel_px, max(shape) // TILES)
