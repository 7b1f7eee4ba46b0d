"""Known ways to make an image periodic: tapered edges, and tiles that solve Laplace's equation."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.core.fourier import fast_size, irfft2, psf_to_otf, rfft2


def edgetaper(y: Tensor, psf: Tensor) -> Tensor:
    """``a y + (1 - a) h * y``, circular, as MATLAB's function of that name.

    ``a[i, j] = (1 - r[i]) (1 - q[j])``: r and q are the autocorrelations, 1 at most, of the kernel's sums over its rows
    and columns, periodic in H - 1 and W - 1, so that a is 0 on the outermost pixels and 1 a kernel's side away.

    Args:
        y: Images (B, C, H, W).
        psf: Kernels (B, 1, k, l), no larger than the images.

    Returns:
        (B, C, H, W).

    Example:
        >>> tapered = edgetaper(torch.tensor([0.0, 0, 0, 0, 0, 3]).expand(1, 1, 6, 6), torch.ones(1, 1, 1, 3) / 3)
        >>> tapered[0, 0, 0].round()
        tensor([1., 0., 0., 0., 1., 1.])
    """
    shape = (y.shape[-2], y.shape[-1])
    blurred = irfft2(psf_to_otf(psf, shape) * rfft2(y), shape)
    down, across = _fade(psf.sum(-1), shape[0]), _fade(psf.sum(-2), shape[1])
    return torch.lerp(blurred, y, down[..., :, None] * across[..., None, :])


def _fade(profile: Tensor, n: int) -> Tensor:
    """1 less the autocorrelation of a profile (..., k), periodic in n - 1, at 0 .. n - 1, over its maximum."""
    period = max(n - 1, 1)
    missing = -profile.shape[-1] % period
    folded = torch.nn.functional.pad(profile, (0, missing)).unflatten(-1, (-1, period)).sum(-2)
    correlation = torch.fft.irfft(torch.fft.rfft(folded).abs().square(), n=period)
    correlation = torch.cat([correlation, correlation[..., :1]], dim=-1)[..., :n]
    return 1 - correlation / correlation[..., :1]


def extend_harmonic(image: Tensor, margin: int) -> Tensor:
    """Append at least ``margin`` rows and columns that join each edge to the opposite one, smoothly [LiuJia2008].

    Three tiles - below, to the right, and in the corner - each solve Laplace's equation between what surrounds them;
    the sides of the first two, which the corner tile shares, are straight lines.

    Args:
        image: (..., H, W).
        margin: Least number of pixels to append to each of the two axes, [px]; at least 1.

    Returns:
        (..., H', W') with sides whose FFT is fast; the original is ``result[..., :H, :W]``.

    Example:
        >>> extend_harmonic(torch.tensor([[0.0, 1, 2, 3, 4, 5]]).expand(6, 6), 3)[0, 5:]
        tensor([5.0000, 3.7500, 2.5000, 1.2500])
    """
    height, width = image.shape[-2:]
    below = _join(image, fast_size(height + margin) - height)
    right = _join(image.mT, fast_size(width + margin) - width).mT
    rows, cols = below.shape[-2], right.shape[-1]
    corner = image.new_zeros((*image.shape[:-2], rows + 2, cols + 2))
    # the image, repeated, around the corner tile: its last rows and columns come before, its first ones after
    corner[..., 1:-1, 0], corner[..., 1:-1, -1] = below[..., -1], below[..., 0]
    corner[..., 0, 1:-1], corner[..., -1, 1:-1] = right[..., -1, :], right[..., 0, :]
    corner = solve_laplace(corner)[..., 1:-1, 1:-1]
    return torch.cat([torch.cat([image, right], dim=-1), torch.cat([below, corner], dim=-1)], dim=-2)


def _join(image: Tensor, count: int) -> Tensor:
    """``count`` rows between the last row of an image and its first one, (..., count, W)."""
    first, last = image[..., :1, :], image[..., -1:, :]
    share = torch.linspace(0, 1, count + 2, dtype=image.dtype, device=image.device)[:, None]
    return solve_laplace(torch.lerp(last, first, share))[..., 1:-1, :]


def solve_laplace(tile: Tensor) -> Tensor:
    """A tile whose inner pixels are the mean of their four neighbours; its outermost rows and columns are given.

    By the sine transform, in which the sum of a pixel's differences from its neighbours is a product.

    Args:
        tile: (..., H, W); inner values do not matter, nor do the four corners.

    Returns:
        (..., H, W).

    Example:
        >>> solve_laplace(torch.tensor([[0.0, 1, 1, 0], [2, 0, 0, 2], [0, 1, 1, 0]]))[1]
        tensor([2.0000, 1.3333, 1.3333, 2.0000])
    """
    rows, cols = tile.shape[-2] - 2, tile.shape[-1] - 2
    if rows < 1 or cols < 1:
        return tile
    given = torch.zeros_like(tile[..., 1:-1, 1:-1])
    given[..., 0, :] += tile[..., 0, 1:-1]
    given[..., -1, :] += tile[..., -1, 1:-1]
    given[..., :, 0] += tile[..., 1:-1, 0]
    given[..., :, -1] += tile[..., 1:-1, -1]
    power = _sine_power(rows, tile)[:, None] + _sine_power(cols, tile)
    solved = _sine_transform(_sine_transform(given).mT).mT / power
    solved = _sine_transform(_sine_transform(solved).mT).mT / (4 * (rows + 1) * (cols + 1))
    out = tile.clone()
    out[..., 1:-1, 1:-1] = solved
    return out


def _sine_power(n: int, like: Tensor) -> Tensor:
    """Eigenvalues of ``2 v[i] - v[i - 1] - v[i + 1]`` on n samples between zeros."""
    k = torch.arange(1, n + 1, dtype=like.dtype, device=like.device)
    return 2 - 2 * torch.cos(torch.pi * k / (n + 1))


def _sine_transform(x: Tensor) -> Tensor:
    """``2 sum_i x[i] sin(pi (i + 1) (k + 1) / (n + 1))`` over the last axis; twice in a row: times 2 (n + 1)."""
    zero = torch.zeros_like(x[..., :1])
    odd = torch.cat([zero, x, zero, -x.flip(-1)], dim=-1)
    return -torch.fft.rfft(odd).imag[..., 1:-1]
