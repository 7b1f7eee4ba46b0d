"""Camera shake that differs over a photograph: the motion of the camera, from one photograph [Schuler2016], sec. 6.3."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from blurlab.blind.camera_motion import CameraMotion, MotionBasis, least_squares, pose_grid
from blurlab.blind.free_form import FreeForm
from blurlab.blind.kernel_step import correlations
from blurlab.blind.selection import gradients
from blurlab.blind.support import with_side
from blurlab.core.fourier import fast_size
from blurlab.deconvolver import TV, Deconvolver, Tiled
from blurlab.noise import Response, Srgb

Span = tuple[int, int]
MARGIN = 2
"""By how many pixels the motion's translations may go beyond the kernel that is found for the whole photograph."""
SPACING_PX = 64
"""Distance of the operator's kernels: between them a rotation of a degree moves points by about a pixel."""


class VaryingShake:
    """The motion of a camera in a photograph's light, its colours averaged.

    It begins with one kernel for the whole photograph, without rotation. Each round makes the photograph sharp by the
    present motion, tile by tile, and looks for the motion that takes the sharp gradients to the blurred ones, all
    overlapping patches together: its kernels are held to what translations and rotations can do.

    Args:
        free_form: Finds the first kernel.
        angle_deg: Greatest rotation either way.
        rounds: Number of them.
        most_px: Pixels that are looked at; a larger photograph is made smaller.
        patch_sides: Side of the patches in sides of the kernel.
        weight: Of the kernels' squares, in squared units of intensity.
        sharpen: Makes the photograph sharp in a round; it must take a :class:`~blurlab.physics.LocalBlur`.
        response: The curve of the file; None is that of sRGB.
    """

    def __init__(
        self,
        free_form: FreeForm | None = None,
        angle_deg: float = 1.0,
        rounds: int = 3,
        most_px: int = 1_000_000,
        patch_sides: float = 5.0,
        weight: float = 2.0,
        sharpen: Deconvolver | None = None,
        response: Response | None = None,
    ) -> None:
        self.response = Srgb() if response is None else response
        self.free_form = FreeForm(response=self.response) if free_form is None else free_form
        self.angle_deg = angle_deg
        self.rounds = rounds
        self.most_px = most_px
        self.patch_sides = patch_sides
        self.weight = weight
        self.sharpen = Tiled(TV(iterations=30), tile=128, overlap=24) if sharpen is None else sharpen

    def __call__(self, y: Tensor, side: int) -> CameraMotion:
        """The motion in one photograph.

        Args:
            y: (1, C, H, W) on the [0, 1] scale.
            side: Odd side of a kernel that holds the blur in the middle of the photograph, px.

        Returns:
            The motion, in pixels of the photograph, about its mean pose.
        """
        return self.from_kernel(y, self.free_form(y, side)[0, 0])

    def from_kernel(self, y: Tensor, psf: Tensor) -> CameraMotion:
        """The same, where a first kernel (k, k) is known."""
        scale = math.ceil(math.sqrt(y.shape[-2] * y.shape[-1] / self.most_px))
        seen = avg_pool2d(self.response.decode(y).mean(1), scale)[0]
        if scale > 1:
            psf = avg_pool2d(psf[None], scale, stride=scale, ceil_mode=True)[0]
        shape = (seen.shape[0], seen.shape[1])
        corner, angle = math.hypot(*shape) / 2, math.radians(self.angle_deg)
        reach = int((psf.nonzero() - psf.shape[0] // 2).abs().max()) + MARGIN
        poses = pose_grid(2 * reach + 1, angle, 1 / corner)
        size = 2 * (reach + math.ceil(angle * corner)) + 1
        step = MotionStep(seen, poses, size, round(self.patch_sides * size), self.weight)
        share = unturned(psf, poses, 2 * reach + 1)
        for _ in range(self.rounds):
            blur = CameraMotion(poses, share).operator(shape, kernel_grid(shape))
            share = step(self.sharpen(seen[None, None], blur).image[0, 0], share)
        return CameraMotion(poses, share).in_place().enlarged(scale)


class MotionStep:
    """The motion between a sharp image and the blurred one, whose patches are looked at together.

    Args:
        seen: Blurred image (H, W).
        poses: (P, 3).
        size: Odd side of the kernels in a patch.
        patch: Side of a patch, px.
        weight: Of the kernels' squares.
    """

    def __init__(self, seen: Tensor, poses: Tensor, size: int, patch: int, weight: float) -> None:
        self.observed, self.size, self.weight = gradients(seen), size, weight
        self.patches = patches((seen.shape[0], seen.shape[1]), patch)
        middle = torch.tensor([[seen.shape[0] / 2, seen.shape[1] / 2]])
        places = torch.tensor([[sum(rows) / 2, sum(cols) / 2] for rows, cols in self.patches]) - middle
        self.basis = MotionBasis(poses, places, size)

    def __call__(self, sharp: Tensor, share: Tensor) -> Tensor:
        """Shares of the poses (P,) that take the sharp image (H, W) to the blurred one, from a first guess of them."""
        field_, lags, right = gradients(sharp), [], []
        for rows, cols in self.patches:
            part = (..., slice(*rows), slice(*cols))
            cross, power, grid = correlations(field_[part], self.observed[part], self.size)
            lags.append(around(torch.fft.irfft2(power, s=grid), self.size - 1))
            right.append(around(torch.fft.irfft2(cross, s=grid), self.size // 2))
        return least_squares(correlating(torch.stack(lags), self.weight), torch.stack(right), self.basis, share)


def correlating(lags: Tensor, weight: float) -> Callable[[Tensor], Tensor]:
    """Kernels (R, k, k) -> each convolved with its patch's autocorrelation (R, 2 k - 1, 2 k - 1), plus weight times it."""
    side = lags.shape[-1] // 2 + 1
    grid = (fast_size(3 * side - 2),) * 2
    spectrum = torch.fft.rfft2(lags, s=grid)

    def normal(kernels: Tensor) -> Tensor:
        whole = torch.fft.irfft2(torch.fft.rfft2(kernels, s=grid) * spectrum, s=grid)
        return whole[..., side - 1 : 2 * side - 1, side - 1 : 2 * side - 1] + weight * kernels

    return normal


def around(plane: Tensor, reach: int) -> Tensor:
    """The pixels up to ``reach`` from the origin of a periodic plane (2 reach + 1, 2 reach + 1)."""
    return plane.roll((reach, reach), (0, 1))[: 2 * reach + 1, : 2 * reach + 1]


def unturned(psf: Tensor, poses: Tensor, side: int) -> Tensor:
    """Shares (P,) of :func:`~blurlab.blind.camera_motion.pose_grid` whose kernel is the same everywhere."""
    turns = len(poses) // side**2
    share = poses.new_zeros(turns, side, side)
    share[turns // 2] = with_side(psf, side)
    return share.flatten()


def patches(shape: Span, side: int) -> list[tuple[Span, Span]]:
    """Rows and columns of patches of one size, evenly apart, each half over the next or more; the image if smaller.

    Example:
        >>> patches((40, 70), 40)
        [((0, 40), (0, 40)), ((0, 40), (15, 55)), ((0, 40), (30, 70))]
    """
    axes = []
    for whole in shape:
        size = min(side, whole)
        count = math.ceil(2 * (whole - size) / size) + 1
        axes.append([(at, at + size) for at in (i * (whole - size) // max(count - 1, 1) for i in range(count))])
    return [(rows, cols) for rows in axes[0] for cols in axes[1]]


def kernel_grid(shape: Span) -> Span:
    """Rows and columns of kernels ``SPACING_PX`` apart."""
    rows, cols = (max(round(side / SPACING_PX), 1) for side in shape)
    return rows, cols
