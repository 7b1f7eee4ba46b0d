"""Motion of a camera while it exposed: how long it stood in which pose, and the kernels that this makes at each place.

Poses are those of [Hirsch2011], translations in the image's plane and rotations about its middle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from blurlab.physics import ProductConvolution

KEPT = 0.0314
"""Share of the poses that a thresholded back-projection keeps, that of [Schuler2016], Fig. 16."""
POWER_ITERATIONS = 12
NEVER_BELOW = 1.1
"""Factor on the largest eigenvalue, which power iteration finds from below."""


class MotionBasis:
    """B of [Schuler2016], eq. 9: the kernels that poses make at places of an image, a linear map of their shares.

    A pose (t, angle) moves what is at c, counted from the middle of the image, to ``R(angle) c + t``. So its kernel at
    c is a point, drawn bilinearly, at ``R(angle) c - c + t``; what lies outside the kernel is lost.

    Args:
        poses: (P, 3): pixels down, pixels right, and angle in radians, which turns down to right.
        places: Points c (row, column) from the middle of the image (R, 2), [px].
        size: Odd side of the kernels.

    Raises:
        ValueError: If the shapes are others or the size is even.

    Example:
        >>> turned = torch.tensor([[0.0, 0.0, 0.01]])
        >>> kernel = MotionBasis(turned, torch.tensor([[0.0, 0.0], [100.0, 0.0]]), 3).kernels(torch.ones(1))
        >>> kernel[0, 1].tolist(), kernel[1, 1].round(decimals=2).tolist()
        ([0.0, 1.0, 0.0], [0.0, 0.0, 0.99...])
    """

    def __init__(self, poses: Tensor, places: Tensor, size: int) -> None:
        if poses.ndim != 2 or poses.shape[1] != 3 or places.ndim != 2 or places.shape[1] != 2:
            raise ValueError(
                f"poses must be (P, 3) and places (R, 2), got {tuple(poses.shape)} and {tuple(places.shape)}"
            )
        if size < 1 or size % 2 == 0:
            raise ValueError(f"size must be odd, got {size}; use {size + 1}")
        self.size = size
        point = displacement(poses, places) + size // 2
        corner = point.floor()
        share = point - corner
        index, weight = [], []
        for down in (0, 1):
            for right in (0, 1):
                at = (corner + torch.tensor([down, right]).to(corner)).long()
                part = (share if down else 1 - share)[..., 0] * (share if right else 1 - share)[..., 1]
                inside = ((at >= 0) & (at < size)).all(-1)
                index.append((at[..., 0] * size + at[..., 1]).where(inside, 0))
                weight.append(part.where(inside, 0.0))
        self.index, self.weight = torch.stack(index, -1), torch.stack(weight, -1)  # (R, P, 4)

    def kernels(self, share: Tensor) -> Tensor:
        """B mu: kernels (R, k, k) of the poses' shares (P,)."""
        places = len(self.index)
        flat = share.new_zeros(places, self.size**2)
        flat.scatter_add_(1, self.index.flatten(1), (self.weight.to(share) * share[:, None]).flatten(1))
        return flat.reshape(places, self.size, self.size)

    def back(self, kernels: Tensor) -> Tensor:
        """``sum_r B_r^T k_r``: what kernels (R, k, k) say for each pose (P,)."""
        found = kernels.flatten(1).gather(1, self.index.flatten(1)).reshape(self.index.shape)
        return (found * self.weight.to(kernels)).sum((0, 2))


def displacement(poses: Tensor, places: Tensor) -> Tensor:
    """``R(angle) c - c + t`` of each pose (P, 3) at each place (R, 2): (R, P, 2), [px]."""
    down, right = places[:, None, 0], places[:, None, 1]
    cos, sin = poses[:, 2].cos() - 1, poses[:, 2].sin()
    return torch.stack([cos * down - sin * right + poses[:, 0], sin * down + cos * right + poses[:, 1]], -1)


def pose_grid(side: int, angle: float, step: float) -> Tensor:
    """Poses evenly apart.

    Args:
        side: Odd number of whole-pixel translations along each axis, their middle 0.
        angle: Greatest rotation either way, radians.
        step: Between rotations, radians, > 0.

    Returns:
        (P, 3), the rotations outermost.

    Example:
        >>> pose_grid(3, 0.01, 0.01).shape
        torch.Size([27, 3])
    """
    line, turns = torch.arange(float(side)) - side // 2, round(angle / step)
    return torch.cartesian_prod(torch.arange(-turns, turns + 1.0) * step, line, line).roll(-1, 1)


def thresholded(share: Tensor, kept: float = KEPT) -> Tensor:
    """T of [Schuler2016], eq. 9: the greatest of the shares (P,), so many of all, the others 0; of sum 1."""
    count = max(round(kept * len(share)), 1)
    least = share.topk(count).values[-1]
    share = share.where(share >= least, 0.0).clamp_min(0)
    return share / share.sum()


def back_projected(kernels: Tensor, basis: MotionBasis, kept: float = KEPT) -> Tensor:
    """The paper's projection of local kernels on motions, ``T(sum_r B_r^T k_r)``.

    Args:
        kernels: (R, k, k).
        basis: Of their places.
        kept: Share of the poses that are not set to 0.

    Returns:
        Shares of the poses (P,), >= 0, sum 1.
    """
    return thresholded(basis.back(kernels), kept)


def least_squares(
    normal: Callable[[Tensor], Tensor], right: Tensor, basis: MotionBasis, start: Tensor, iterations: int = 100
) -> Tensor:
    """``argmin_mu >= 0 sum_r <B_r mu, A_r B_r mu> - 2 <b_r, B_r mu>``, by accelerated projected gradients [Beck2009].

    With A the identity and b kernels, these are the motions whose kernels are nearest to them. With the correlations of
    sharp and blurred gradients, they are those that explain the photograph best: what a patch cannot tell of its
    kernel, others tell.

    Args:
        normal: A, kernels (R, k, k) to as many; symmetric, non-negative.
        right: b, (R, k, k).
        basis: Of their places.
        start: Shares of the poses (P,), of sum 1.
        iterations: Number of them.

    Returns:
        Shares of the poses (P,), >= 0, sum 1; the start, if nothing is above 0.
    """
    probe = torch.ones_like(start)
    for _ in range(POWER_ITERATIONS):
        probe = basis.back(normal(basis.kernels(probe / probe.norm())))
    step, pull = 1 / (NEVER_BELOW * probe.norm()), basis.back(right)
    share, ahead, t = start, start, 1.0
    for _ in range(iterations):
        found = (ahead - step * (basis.back(normal(basis.kernels(ahead))) - pull)).clamp_min(0)
        faster = (1 + (1 + 4 * t * t) ** 0.5) / 2
        ahead = found + (t - 1) / faster * (found - share)
        share, t = found, faster
    total = share.sum()
    return share / total if float(total) > 0 else start


@dataclass(frozen=True)
class CameraMotion:
    """Which share of the exposure a camera spent in which pose.

    Attributes:
        poses: As for :class:`MotionBasis`.
        share: (P,), >= 0, sum 1.
    """

    poses: Tensor
    share: Tensor

    def kernels(self, places: Tensor, size: int) -> Tensor:
        """The kernels (R, k, k), of sum 1, at places from the middle of the image (R, 2), [px]."""
        kernels = MotionBasis(self.poses, places, size).kernels(self.share)
        return kernels / kernels.sum((1, 2), keepdim=True)

    def operator(self, shape: tuple[int, int], grid: tuple[int, int], boundary: str = "valid") -> ProductConvolution:
        """The blur of an image y (H, W) by so many rows and columns of kernels, as wide as they have to be."""
        places = middles(shape, grid)
        reach = float(displacement(self.poses[self.share > 0], places).abs().max())
        size = 2 * (int(reach) + 1) + 1
        psf = self.kernels(places, size).reshape(*grid, size, size)
        return ProductConvolution.of_patches(psf, shape, boundary)

    def in_place(self) -> Self:
        """The same motion about its mean pose: so the restored image lies where the blurred one does."""
        poses = self.poses[self.share > 0]
        share = self.share[self.share > 0]
        return replace(self, poses=poses - (share[:, None] * poses).sum(0), share=share)

    def enlarged(self, scale: float) -> Self:
        """The motion in an image whose sides are ``scale`` times as long."""
        return replace(self, poses=self.poses * torch.tensor([scale, scale, 1.0]).to(self.poses))


def middles(shape: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """The middles of the patches of :func:`~blurlab.physics.patch_windows`, from that of the image (R, 2), [px].

    Example:
        >>> middles((10, 20), (1, 2)).tolist()
        [[0.0, -5.0], [0.0, 5.0]]
    """
    rows, cols = (((torch.arange(count) + 0.5) / count - 0.5) * side for side, count in zip(shape, grid, strict=True))
    return torch.cartesian_prod(rows, cols)
