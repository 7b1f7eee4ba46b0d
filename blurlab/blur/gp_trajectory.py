"""Camera shake as the path of two Gaussian processes [Schuler2016]."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.blur.base import BlurFamily, check_params
from blurlab.blur.parameter import Range, length, parameter
from blurlab.blur.trajectory import SEEDS, check_seed, splat
from blurlab.blur.values import as_psf, check_values, work_tensor
from blurlab.core.constants import made_once

POINTS = 256
"""Points of a path."""
LENGTH_SCALE = 0.3
DEVIATION = 0.25
"""Standard deviation of a coordinate, in kernels [Schuler2016]."""
JITTER = 1e-10


def matern(distance: Tensor, length_scale: float = LENGTH_SCALE, deviation: float = DEVIATION) -> Tensor:
    """Matern covariance of smoothness 5/2, ``s^2 (1 + r + r^2 / 3) exp(-r)``, ``r = sqrt(5) d / l``.

    That is eq. 6 of [Schuler2016], whose text calls it 3/2.

    Example:
        >>> matern(torch.tensor([0.0, 0.3])).tolist()
        [0.0625, 0.0327...]
    """
    r = distance.abs() * (5**0.5 / length_scale)
    return deviation**2 * (1 + r + r.square() / 3) * (-r).exp()


def gp_path(seed: Tensor) -> Tensor:
    """Paths of a Gaussian process in each coordinate over a unit of time, their mean point at the origin.

    Args:
        seed: Which path: whole numbers (n,) from 0 to 2^24 - 1, floating-point.

    Returns:
        Points (row, column) in kernels (n, 256, 2), float64, on the CPU.

    Raises:
        ValueError: If a seed is no such number.

    Example:
        >>> gp_path(torch.tensor([3.0])).shape
        torch.Size([1, 256, 2])
    """
    check_seed(seed)
    white = torch.stack([
        torch.randn(POINTS, 2, generator=torch.Generator().manual_seed(int(one)), dtype=torch.float64)
        for one in seed.tolist()
    ])  # fmt: skip
    path = _root() @ white
    return path - path.mean(1, keepdim=True)


@made_once
def _root() -> Tensor:
    """The Cholesky factor of the covariance of a coordinate's points (256, 256)."""
    t = torch.linspace(0, 1, POINTS, dtype=torch.float64)
    covariance = matern(t[:, None] - t)
    return torch.linalg.cholesky(covariance + JITTER * torch.eye(POINTS, dtype=torch.float64))


def gp_trajectory_psf(unit_px: Tensor, seed: Tensor, size: int) -> Tensor:
    """Kernels drawn along paths of :func:`gp_path`, their centre of mass on the centre pixel.

    A path that would reach further than ``unit_px / 2`` from its centre of mass along an axis is made smaller.

    Args:
        unit_px: Pixels of the paths' unit (n,): the side of a kernel that holds them.
        seed: Which path (n,).
        size: Side of the kernels, odd, at least ``unit_px``.

    Returns:
        Kernels (n, 1, size, size), differentiable in ``unit_px``.

    Raises:
        ValueError: If a value is outside its range, or the size even or too small.

    Example:
        >>> psf = gp_trajectory_psf(torch.tensor([9.0]), torch.tensor([3.0]), 9)
        >>> psf.shape, round(float(psf.sum()), 6)
        (torch.Size([1, 1, 9, 9]), 1.0)
    """
    check_values(size, unit_px, {"unit_px": unit_px, "seed": seed})
    unit = work_tensor(unit_px)[:, None, None]
    path = gp_path(seed).to(unit) * unit
    reach = path.detach().abs().amax((1, 2), keepdim=True)
    most = ((unit.detach() - 1) / 2).clamp_min(0)
    path = path * (most / reach.clamp_min(1e-12)).clamp_max(1)
    return as_psf(splat(path, torch.ones_like(path[..., 0]), size), unit_px.dtype)


class GPTrajectory(BlurFamily):
    """Camera shake (:func:`gp_trajectory_psf`); a path is named by a number, which no image tells.

    Args:
        unit_px: Range of the pixels of the paths' unit.
        path_seed: Range of the numbers that paths are drawn from.
        size: Side of the kernels; None is the smallest odd one that holds ``unit_px``.

    Example:
        >>> GPTrajectory(17).size
        17
    """

    kinds = ("gp_trajectory",)

    def __init__(self, unit_px: Range = 17.0, path_seed: Range = (0, SEEDS - 1), size: int | None = None) -> None:
        path = parameter("path_seed", "", path_seed, estimable=False)
        super().__init__([length("unit_px", unit_px), path], size)
        check_seed(torch.tensor(self.bounds[1], dtype=torch.float64))

    def extent_px(self, *largest: float) -> float:
        return largest[0]

    def draw(self, n: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        kind, params = super().draw(n, generator=generator)
        params[:, 1] = params[:, 1].round()
        return kind, params

    def psf(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        check_params(params, self.names)
        return gp_trajectory_psf(params[:, 0], params[:, 1].detach(), self.size)
