"""The motion of a camera, and so the blur of each place, from one photograph [Schuler2016], section 6.3."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from blurlab.blind.camera_motion import CameraMotion, MotionBasis, least_squares, pose_grid
from blurlab.blind.free_form import FreeForm
from blurlab.blind.image_step import l0_image
from blurlab.blind.kernel_step import correlations, non_negative
from blurlab.blind.selection import gradients
from blurlab.blind.support import with_side
from blurlab.core.fourier import fast_size
from blurlab.deconvolver.extension import extend_harmonic
from blurlab.deconvolver.tiled import layout, psf_in
from blurlab.noise import Response, Srgb
from blurlab.physics import LocalBlur

Span = tuple[int, int]
MARGIN = 2
"""By how many pixels the motion's translations may go beyond the kernel that is found for the whole photograph."""
SPACING_PX = 32
"""Distance of the operator's kernels: between them a rotation of a degree moves points by half a pixel."""
FALL = 1.3
"""Factor by which the weight of the l0 prior falls with each round."""
LEAST_WEIGHT = 2e-4
"""It falls no lower."""


class VaryingShake:
    """The motion of a camera in a photograph's light, its colours averaged.

    It begins with one kernel for the whole photograph, without rotation. Each round makes the photograph sharp by the
    present motion, tile by tile, and looks for the motion that takes the sharp gradients to the blurred ones, all
    overlapping patches together: the kernels are held to what translations and rotations can do.

    The paper projects kernels that each patch found by itself (:func:`local_kernels`, then
    :func:`~blurlab.blind.camera_motion.back_projected`).

    Args:
        free_form: Finds the first kernel.
        angle_deg: Greatest rotation either way.
        rounds: Number of them.
        most_px: Pixels that are looked at; a larger photograph is made smaller.
        patch_sides: Side of the patches in sides of the kernel.
        sharp_weight: Of the l0 prior in the first round, as in :class:`~blurlab.blind.coarse_to_fine.CoarseToFine`.
        kernel_weight: Of the kernels' squares, in squared units of intensity.
        response: The curve of the file; None is that of sRGB.
    """

    def __init__(
        self,
        free_form: FreeForm | None = None,
        angle_deg: float = 1.5,
        rounds: int = 8,
        most_px: int = 1_000_000,
        patch_sides: float = 5.0,
        sharp_weight: float = 4e-3,
        kernel_weight: float = 2.0,
        response: Response | None = None,
    ) -> None:
        self.response = Srgb() if response is None else response
        self.free_form = FreeForm(response=self.response, in_values=False) if free_form is None else free_form
        self.angle_deg = angle_deg
        self.rounds = rounds
        self.most_px = most_px
        self.patch_sides = patch_sides
        self.sharp_weight = sharp_weight
        self.kernel_weight = kernel_weight

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
        shape = (seen.shape[0], seen.shape[1])
        psf = smaller_kernel(psf, scale)
        corner, angle = math.hypot(*shape) / 2, math.radians(self.angle_deg)
        reach = int((psf.nonzero() - psf.shape[0] // 2).abs().max()) + MARGIN
        poses = pose_grid(2 * reach + 1, angle, 1 / corner)
        size = 2 * (reach + math.ceil(angle * corner)) + 1
        step = MotionStep(seen, poses, size, round(self.patch_sides * size), self.kernel_weight)
        share, weight = unturned(psf, poses, 2 * reach + 1), self.sharp_weight
        for _ in range(self.rounds):
            blur = CameraMotion(poses, share).operator(shape, kernel_grid(shape))
            share = step(sharpened(seen, blur, weight), share)
            weight = max(weight / FALL, LEAST_WEIGHT)
        return CameraMotion(poses, share).in_place().enlarged(scale)


def sharpened(seen: Tensor, blur: LocalBlur, weight: float) -> Tensor:
    """The image (H, W) that :func:`~blurlab.blind.image_step.l0_image` makes sharp, each tile by its own kernel."""
    size = blur.psf_at(0, 0).shape[-1]
    image = torch.zeros_like(seen)
    for rows, cols, window in layout((seen.shape[0], seen.shape[1]), 4 * size, size // 2):
        part = seen[slice(*rows), slice(*cols)]
        found = l0_image(extend_harmonic(part[None, None], size), psf_in(blur, (rows, cols)), weight)[0, 0]
        image[slice(*rows), slice(*cols)] += found[: part.shape[0], : part.shape[1]] * window().to(image)
    return image


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
        self.patches = patches((seen.shape[0], seen.shape[1]), patch_grid((seen.shape[0], seen.shape[1]), patch))
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
    """Kernels (R, k, k) -> each convolved with its autocorrelation (R, 2 k - 1, 2 k - 1), plus weight times itself."""
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


def local_kernels(sharp: Tensor, seen: Tensor, grid: Span, size: int, weight: float) -> Tensor:
    """The kernel of each patch by itself, eq. 8 of [Schuler2016], with ``h >= 0`` and sum 1.

    Args:
        sharp: Sharp image (H, W).
        seen: Blurred image (H, W).
        grid: Rows and columns of patches.
        size: Odd side of the kernels.
        weight: Of the kernels' squares, > 0.

    Returns:
        (rows, cols, size, size), as :meth:`~blurlab.physics.ProductConvolution.of_patches` takes them.
    """
    x, y, found = gradients(sharp), gradients(seen), []
    for rows, cols in patches((seen.shape[0], seen.shape[1]), grid):
        part = (..., slice(*rows), slice(*cols))
        found.append(non_negative(x[part], y[part], size, weight))
    kernels = torch.stack(found).reshape(*grid, size, size)
    return kernels / kernels.sum((-2, -1), keepdim=True)


def patch_grid(shape: Span, side: int) -> Span:
    """Rows and columns of patches of about this side, each half over the next.

    Example:
        >>> patch_grid((320, 480), 130)
        (5, 7)
    """
    rows, cols = (max(round(2 * whole / side), 1) for whole in shape)
    return rows, cols


def patches(shape: Span, grid: Span) -> list[tuple[Span, Span]]:
    """Rows and columns of the patches of :func:`~blurlab.physics.patch_windows`.

    Example:
        >>> patches((40, 80), (1, 4))[:2]
        [((0, 40), (0, 30)), ((0, 40), (10, 50))]
    """
    axes = []
    for whole, count in zip(shape, grid, strict=True):
        ends = [((i - 0.5) * whole / count, (i + 1.5) * whole / count) for i in range(count)]
        axes.append([(max(round(first), 0), min(round(last), whole)) for first, last in ends])
    return [(rows, cols) for rows in axes[0] for cols in axes[1]]


def kernel_grid(shape: Span) -> Span:
    """Rows and columns of kernels ``SPACING_PX`` apart."""
    rows, cols = (max(round(side / SPACING_PX), 1) for side in shape)
    return rows, cols


def smaller_kernel(psf: Tensor, scale: int) -> Tensor:
    """A kernel (k, k) for images whose sides are a whole part as long: sums over squares about its middle, sum 1.

    Example:
        >>> smaller_kernel(torch.ones(5, 5), 3).mul(25).round().tolist()
        [[1.0, 3.0, 1.0], [3.0, 9.0, 3.0], [1.0, 3.0, 1.0]]
    """
    half = math.ceil(max(psf.shape[0] - scale, 0) / (2 * scale))
    margin = (scale * (2 * half + 1) - psf.shape[0]) / 2
    padded = pad(psf, (math.floor(margin), math.ceil(margin)) * 2)
    small = avg_pool2d(padded[None], scale)[0]
    return small / small.sum()
