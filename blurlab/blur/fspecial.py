"""Motion and disk kernels as MATLAB's ``fspecial`` makes them.

Where GNU Octave's image package (2.14) differs from MATLAB: its ``motion`` draws a row of ones and rotates it
bilinearly, so it agrees only for odd lengths at 0 and 90 degrees, puts even lengths off-centre (that row is
:func:`~blurlab.blur.taps.taps_psf`) and refuses lengths that are not whole; its ``disk`` is the same, but refuses
radii that are not whole.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from blurlab.blur.base import check_params
from blurlab.blur.defocus import Defocus, disk_psf
from blurlab.blur.motion import Motion
from blurlab.blur.parameter import length, line_angle
from blurlab.blur.shape import odd_at_least, pixel_grid
from blurlab.blur.values import as_psf, check_values, work_tensor


def fspecial_motion_psf(length_px: Tensor, angle_deg: Tensor, size: int) -> Tensor:
    """Motion kernels by MATLAB's rule, weight max(1 - distance, 0) to a segment, made to sum to 1.

    The segment is length - 1 long, so that n pixels of horizontal motion are n equal weights for odd n. MATLAB's
    documentation says the distance is that to the segment; its output (motion of 3 at 45 degrees has been published)
    shows that a pixel half - or more - of the segment away from the centre counts its distance to the segment's end.
    That is the rule here. It makes the kernel jump at some lengths: the gradient is the one between jumps.

    Args:
        length_px: Lengths in pixels (n,), >= 0; below 1 counts as 1.
        angle_deg: Angles in degrees (n,), counter-clockwise from +x.
        size: Side of the kernels, odd.

    Returns:
        Kernels (n, 1, size, size).

    Raises:
        ValueError: If a length is negative or too large, a value is not finite, or the size is even.

    Example:
        >>> fspecial_motion_psf(torch.tensor([3.0]), torch.tensor([45.0]), 3)[0, 0]
        tensor([[0.0000, 0.0754, 0.1883],
                [0.0754, 0.3215, 0.0754],
                [0.1883, 0.0754, 0.0000]])
    """
    check_values(size, length_px, {"length_px": length_px}, signed={"angle_deg": angle_deg})
    half = (work_tensor(length_px).clamp_min(1) - 1)[:, None, None] / 2
    angle = torch.deg2rad(work_tensor(angle_deg))[:, None, None]
    x, y = pixel_grid(size, half), -pixel_grid(size, half)[:, None]  # y goes up
    across = y * angle.cos() - x * angle.sin()
    along = (x * angle.cos() + y * angle.sin()).abs()
    beyond = torch.where(x**2 + y**2 >= half**2, half - along, 0.0)
    squared = across**2 + beyond**2
    on_line = squared == 0
    distance = torch.where(on_line, 0.0, torch.where(on_line, 1.0, squared).sqrt())  # sqrt has no gradient at 0
    return as_psf((1 - distance).clamp_min(0), length_px.dtype)


def fspecial_motion(length_px: float = 9.0, angle_deg: float = 0.0) -> Tensor:
    """One motion kernel in the size MATLAB gives it.

    Args:
        length_px: Length in pixels, >= 0.
        angle_deg: Angle in degrees, counter-clockwise from +x.

    Returns:
        Kernel (1, 1, rows, cols), float64, rows and cols odd.

    Raises:
        ValueError: If the length is negative or a value is not finite.

    Example:
        >>> fspecial_motion(4, 0)[0, 0].tolist()
        [[0.125, 0.25, 0.25, 0.25, 0.125]]
    """
    far, angle = length("length_px", length_px).high, line_angle("angle_deg", angle_deg).high
    run = max(far, 1.0) - 1
    rows, cols = (
        odd_at_least(run * abs(part) + 1) for part in (math.sin(math.radians(angle)), math.cos(math.radians(angle)))
    )
    size = odd_at_least(far)
    one = torch.ones(1, dtype=torch.float64)
    psf = fspecial_motion_psf(far * one, angle * one, size)
    top, left = (size - rows) // 2, (size - cols) // 2
    psf = psf[..., top : size - top, left : size - left]
    return psf / psf.sum()


def fspecial_disk(radius_px: float = 5.0) -> Tensor:
    """One disk kernel in the size MATLAB gives it; MATLAB's disk is the exact one of :func:`disk_psf`.

    Args:
        radius_px: Radius in pixels, >= 0.

    Returns:
        Kernel (1, 1, k, k), float64.

    Raises:
        ValueError: If the radius is negative or not finite.

    Example:
        >>> fspecial_disk(2.5).shape[-1], round(float(fspecial_disk(5)[0, 0, 5, 5]), 7)
        (5, 0.0127324)
    """
    radius = length("radius_px", radius_px).high
    return disk_psf(torch.tensor([radius], dtype=torch.float64), odd_at_least(2 * radius))


class FspecialMotion(Motion):
    """Motion as MATLAB's ``fspecial`` makes it (:func:`fspecial_motion_psf`); the strength is the length.

    Args:
        length_px: Range of the length.
        angle_deg: Range of the angle, counter-clockwise from +x.
        size: Side of the kernels.
    """

    kinds = ("fspecial_motion",)

    def psf(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        check_params(params, self.names)
        return fspecial_motion_psf(params[:, 0], params[:, 1], self.size)


class FspecialDisk(Defocus):
    """Disks as MATLAB's ``fspecial`` makes them, which are the exact ones of :class:`Defocus`, under their own name.

    Args:
        radius_px: Range of the radius.
        size: Side of the kernels.
    """

    kinds = ("fspecial_disk",)
