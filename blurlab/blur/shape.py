"""Sizes and centres of kernels."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def odd_at_least(extent_px: float) -> int:
    """Smallest odd number of pixels, centred on a pixel, that holds an extent; a rounding error of 1e-9 is let go.

    Example:
        >>> odd_at_least(10), odd_at_least(11), odd_at_least(0)
        (11, 11, 1)
    """
    return 2 * max(0, math.ceil((extent_px - 1) / 2 - 1e-9)) + 1


def check_size(size: int, name: str = "size") -> None:
    """Raise unless ``size`` is an odd whole number >= 1.

    Raises:
        TypeError: If it is not an int.
        ValueError: If it is even or below 1.
    """
    if isinstance(size, bool) or not isinstance(size, int):
        raise TypeError(f"{name} must be an odd whole number of pixels, got {size!r}")
    if size < 1 or size % 2 == 0:
        raise ValueError(
            f"{name} must be odd and >= 1, got {size}; a kernel is centred on a pixel, so use {abs(size) + 1}"
        )


def pixel_grid(size: int, like: Tensor) -> Tensor:
    """Offsets of the pixels from the centre, -(size // 2) .. size // 2, shape (size,), dtype and device of ``like``."""
    return torch.arange(size, dtype=like.dtype, device=like.device) - size // 2


def pad_to_odd(psf: Tensor, size: int | None = None) -> Tensor:
    """Pad kernels with zeros to odd sides, keeping the pixel ``k // 2`` their centre.

    Args:
        psf: Kernels (..., k, l) of any sides.
        size: Odd side of the result; by default each even side grows by one and odd ones stay.

    Returns:
        Kernels (..., k', l') with odd sides; the sum is unchanged.

    Raises:
        ValueError: If ``size`` is even or smaller than the kernel.

    Example:
        >>> pad_to_odd(torch.full((1, 1, 1, 2), 0.5))
        tensor([[[[0.5000, 0.5000, 0.0000]]]])
    """
    rows, cols = psf.shape[-2:]
    if size is None:
        return torch.nn.functional.pad(psf, (0, 1 - cols % 2, 0, 1 - rows % 2))
    check_size(size)
    if size < max(rows, cols):
        raise ValueError(
            f"cannot pad a {rows}x{cols} psf to {size}x{size}; use centre_crop or a size of {max(rows, cols)} or more"
        )
    top, left = size // 2 - rows // 2, size // 2 - cols // 2
    return torch.nn.functional.pad(psf, (left, size - cols - left, top, size - rows - top))


def of_side(psf: Tensor, size: int) -> Tensor:
    """Kernels (B, 1, k, k) with a wider border, or cut, to (B, 1, size, size), k and size odd, each of sum 1.

    Example:
        >>> of_side(torch.ones(1, 1, 3, 3), 1), of_side(torch.ones(1, 1, 1, 1), 3).sum()
        (tensor([[[[1.]]]]), tensor(1.))
    """
    psf = centre_crop(pad_to_odd(psf, max(size, psf.shape[-1])), size)
    return psf / psf.sum((-2, -1), keepdim=True)


def trimmed(psf: Tensor) -> Tensor:
    """Kernels (B, 1, k, k), k odd, without the border of zeros that all sides of all of them have.

    Example:
        >>> trimmed(torch.nn.functional.pad(torch.ones(1, 1, 1, 3) / 3, (2, 2, 3, 3))).shape
        torch.Size([1, 1, 3, 3])
    """
    middle = psf.shape[-1] // 2
    reach = int(((psf > 0).any(0)[0].nonzero() - middle).abs().max())
    return psf[..., middle - reach : middle + reach + 1, middle - reach : middle + reach + 1]


def centre_crop(psf: Tensor, size: int) -> Tensor:
    """The ``size`` x ``size`` pixels around the centre ``k // 2``; what is cut away is not made up for in the sum.

    Args:
        psf: Kernels (..., k, l).
        size: Odd side of the result, at most k and l.

    Returns:
        Kernels (..., size, size).

    Raises:
        ValueError: If ``size`` is even or larger than the kernel.

    Example:
        >>> centre_crop(torch.arange(25.0).reshape(1, 1, 5, 5), 1)
        tensor([[[[12.]]]])
    """
    check_size(size)
    rows, cols = psf.shape[-2:]
    top, left = rows // 2 - size // 2, cols // 2 - size // 2
    if top < 0 or left < 0 or top + size > rows or left + size > cols:
        raise ValueError(f"cannot crop a {rows}x{cols} psf to {size}x{size} around its centre; use pad_to_odd")
    return psf[..., top : top + size, left : left + size]


def centroid(psf: Tensor) -> Tensor:
    """Centre of mass of kernels, in pixels from the centre ``k // 2``.

    Args:
        psf: Kernels (..., k, l) with a sum other than 0.

    Returns:
        Row and column offset (..., 2); rows go down, columns go right.

    Example:
        >>> centroid(torch.tensor([[0.5, 0.5, 0.0]]))
        tensor([ 0.0000, -0.5000])
    """
    rows, cols = (torch.arange(side, dtype=psf.dtype, device=psf.device) - side // 2 for side in psf.shape[-2:])
    mass = psf.sum((-2, -1))
    return torch.stack([(psf.sum(-1) * rows).sum(-1) / mass, (psf.sum(-2) * cols).sum(-1) / mass], dim=-1)


def deviation_px(psf: Tensor) -> Tensor:
    """Standard deviation of kernels about their centre of mass along one axis, the mean square of both [px].

    Args:
        psf: Kernels (..., k, l) with a sum other than 0.

    Returns:
        (...).

    Example:
        >>> deviation_px(torch.tensor([[1.0, 0, 1], [0, 0, 0], [1, 0, 1]]))
        tensor(1.)
    """
    centre, total = centroid(psf), psf.sum((-2, -1))
    square = torch.zeros_like(total)
    for axis, other in ((-2, -1), (-1, -2)):
        place = torch.arange(psf.shape[axis], dtype=psf.dtype, device=psf.device) - psf.shape[axis] // 2
        square += (psf.sum(other) * (place - centre[..., axis, None]).square()).sum(-1) / total
    return (square / 2).sqrt()


def recentred(psf: Tensor) -> Tensor:
    """Kernels moved so that their centre of mass lies on the centre pixel, by linear interpolation between pixels.

    What a blind estimate cannot know is where a kernel lies: a shifted kernel and an image shifted back explain an
    observation as well.

    Args:
        psf: Kernels (n, 1, k, k) with a sum other than 0.

    Returns:
        Kernels (n, 1, k, k) of the same sums, differentiable. What would lie beyond the border is left out, and then
        the centre of mass is not quite in the middle.

    Example:
        >>> psf = torch.zeros(1, 1, 5, 5); psf[..., 1, 3] = 0.5; psf[..., 1, 4] = 0.5
        >>> recentred(psf)[0, 0, 2].tolist()
        [0.0, 0.25, 0.5, 0.25, 0.0]
    """
    offset = centroid(psf)[:, 0]
    rows, cols = (_moved(offset[:, axis], psf.shape[axis - 2]) for axis in (0, 1))
    moved = rows[:, None] @ psf @ cols[:, None].mT
    return moved * (psf.sum((-2, -1), keepdim=True) / moved.sum((-2, -1), keepdim=True))


def _moved(offset: Tensor, side: int) -> Tensor:
    """Matrices (n, side, side) that move a line of pixels by ``-offset`` (n,)."""
    place = torch.arange(side, dtype=offset.dtype, device=offset.device)
    return (1 - (place[:, None] - place + offset[:, None, None]).abs()).clamp_min(0)
