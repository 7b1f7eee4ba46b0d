"""Shakes that are no random walk: arcs, hooks, double images and ellipses."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from blurlab.blur.base import check_params
from blurlab.blur.trajectory import Trajectory, check_seed, splat
from blurlab.blur.values import as_psf, check_values, work_tensor

SHAPES = ("arc", "hook", "double", "ellipse")
WIDTH = 0.35
"""Largest extent of a shape over its ``length_px``: the mean of that of the trajectories of [Boracchi2012]."""
POINTS = 2304
"""Points that a shape is drawn with; the square of a whole number."""
TURN_RAD = (0.25 * math.pi, 1.75 * math.pi)
"""By how much the direction of an arc turns from end to end."""
CORNER_RAD = (0.25 * math.pi, 0.85 * math.pi)
"""By how much a hook turns at its corner."""
SECOND = (0.2, 0.8)
"""Share of the light of a double image that falls on the second place."""
ON_THE_WAY = 0.4
"""Largest share of the light of a double image between its two places."""
RATIO = (1.6, 4.0)
"""The longer axis of an ellipse over the shorter one."""
ELLIPSE_SIGMAS = 4.0
"""Extent of an ellipse, in standard deviations along its longer axis."""


def shape_of(seed: int) -> str:
    """Which of ``SHAPES`` a number names.

    Example:
        >>> sorted({shape_of(seed) for seed in range(20)})
        ['arc', 'double', 'ellipse', 'hook']
    """
    return SHAPES[seed % len(SHAPES)]


def odd_shape(seed: int) -> tuple[Tensor, Tensor]:
    """The points of a shape and how much of the light falls on each.

    - An *arc* of a circle, turned by 45 to 315 degrees from end to end; its ends may be brighter than its middle.
    - A *hook*: two straight ways with a corner of 45 to 153 degrees between them.
    - A *double* image: two places, one of which gets a fifth to four fifths of their light, and up to two fifths of the
      whole on the way between them.
    - An *ellipse*: a Gaussian whose axes have the ratio 1.6 to 4.

    Args:
        seed: Which shape, a whole number >= 0; its turn in the plane is drawn, too.

    Returns:
        Points (row, column) (2304, 2), whose largest distance is 1 (for the ellipse: four standard deviations), their
        centre of mass at the origin, and weights (2304,) that sum to 1, float64.
    """
    generator = torch.Generator().manual_seed(seed)
    share = torch.rand(4, generator=generator, dtype=torch.float64).tolist()
    t = torch.linspace(0, 1, POINTS, dtype=torch.float64)
    weight = torch.full_like(t, 1 / POINTS)
    match shape_of(seed):
        case "arc":
            angle = _between(TURN_RAD, share[0]) * (t - 0.5)
            points = torch.stack([angle.sin(), angle.cos()], dim=-1)
            weight = weight * (1 + (2 * share[1] - 1) * (2 * math.pi * t).cos())
        case "hook":
            corner, turn = 0.25 + 0.5 * share[1], _between(CORNER_RAD, share[0])
            away = (t - corner)[:, None]
            before, after = t.new_tensor([0.0, 1.0]), t.new_tensor([math.sin(turn), math.cos(turn)])
            points = torch.where(away < 0, away * before, away * after)
        case "double":
            points = torch.stack([torch.zeros_like(t), t], dim=-1)
            way, second = ON_THE_WAY * share[1], _between(SECOND, share[0])
            weight = way * weight
            weight[0] += (1 - way) * (1 - second)
            weight[-1] += (1 - way) * second
        case _:
            side = torch.linspace(-3, 3, math.isqrt(POINTS), dtype=torch.float64)
            grid = torch.cartesian_prod(side, side)
            points = grid / t.new_tensor([_between(RATIO, share[0]), 1.0]) / ELLIPSE_SIGMAS
            weight = (-grid.square().sum(1) / 2).exp()
    weight = weight / weight.sum()
    if shape_of(seed) != "ellipse":
        some = points[:: POINTS // 128]
        points = points / torch.cdist(some, points).max()
    points = points - (weight[:, None] * points).sum(0)
    turned = 2 * math.pi * share[3]
    cos, sin = math.cos(turned), math.sin(turned)
    return points @ points.new_tensor([[cos, sin], [-sin, cos]]), weight


def _between(bounds: tuple[float, float], share: float) -> float:
    return bounds[0] + (bounds[1] - bounds[0]) * share


def odd_shake_psf(exposure: Tensor, length_px: Tensor, seed: Tensor, size: int) -> Tensor:
    """Kernels of :func:`odd_shape`, centred on their centre of mass.

    Args:
        exposure: Share of the length that counts (n,), in (0, 1].
        length_px: Length of the trajectory of [Boracchi2012] that is as wide (n,): a shape extends over .35 of it.
        seed: Which shape (n,).
        size: Side of the kernels, odd; what lies outside is cut off.

    Returns:
        Kernels (n, 1, size, size), differentiable in exposure and length.

    Raises:
        ValueError: If a seed is no whole number from 0 to 2^24 - 1, or the size is even.

    Example:
        >>> psf = odd_shake_psf(torch.tensor([1.0]), torch.tensor([40.0]), torch.tensor([2.0]), 17)
        >>> psf.shape, int((psf > 0.1).sum())
        (torch.Size([1, 1, 17, 17]), 2)
    """
    check_values(size, None, {"exposure": exposure, "length_px": length_px, "seed": seed})
    check_seed(seed)
    shapes = [odd_shape(int(one)) for one in seed.tolist()]
    width = WIDTH * work_tensor(exposure) * work_tensor(length_px)
    path = torch.stack([points for points, _ in shapes]).to(width) * width[:, None, None]
    drawn = splat(path, torch.stack([weight for _, weight in shapes]).to(width), size)
    return as_psf(drawn, length_px.dtype)


class OddShake(Trajectory):
    """Shakes of other shapes (:func:`odd_shake_psf`), with the parameters of :class:`Trajectory`.

    A hand's tremor is a random walk; a camera that turns once draws an arc, one that is pressed a hook or a double
    image, and astigmatism or a shake faster than the exposure an ellipse.

    Args:
        exposure: Range of the share of the length that counts, in (0, 1].
        length_px: Range of the length of a trajectory that is as wide.
        path_seed: Range of the numbers that shapes are drawn from.
        size: Side of the kernels; None is the smallest that holds the widest shape.

    Example:
        >>> OddShake(length_px=[20, 72]).size
        41
    """

    kinds = ("odd_shake",)

    def extent_px(self, *largest: float) -> float:
        return 1.5 * WIDTH * largest[0] * largest[1] + 3  # an ellipse is drawn to three standard deviations

    def psf(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        check_params(params, self.names)
        exposure, length, seed = params.T
        return odd_shake_psf(exposure, length, seed.detach(), self.size)
