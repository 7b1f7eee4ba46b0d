"""Fourier conventions, in one place: kernel -> transfer function, real transforms, fast grid sizes.

A kernel ``psf`` is centred at ``k // 2``; its transfer function on an ``H x W`` grid is the real FFT of the kernel,
zero-padded and rolled so that its centre lies at (0, 0). Multiplying by it is circular true convolution.
"""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.core.checks import check_psf
from blurlab.core.constants import made_once

FEW_ROWS = 41
"""Up to this many rows of a kernel a CPU transforms their columns faster by a matrix product than by an FFT of mostly
zeros."""


def rfft2(x: Tensor) -> Tensor:
    """Real 2-D FFT over the last two axes, in at least float32 whatever the autocast state.

    Args:
        x: Real tensor (..., H, W).

    Returns:
        Complex tensor (..., H, W // 2 + 1).
    """
    return torch.fft.rfft2(_real(x))


def irfft2(spectrum: Tensor, shape: tuple[int, int]) -> Tensor:
    """Inverse of :func:`rfft2` on a grid of ``shape`` (H, W); odd widths need it to be named.

    Args:
        spectrum: Complex tensor (..., H, W // 2 + 1).
        shape: Grid (H, W).

    Returns:
        Real tensor (..., H, W).
    """
    return torch.fft.irfft2(spectrum, s=shape)


def psf_to_otf(psf: Tensor, shape: tuple[int, int]) -> Tensor:
    """Transfer function of a centred kernel on a grid.

    Args:
        psf: Kernels (B, 1, k, k), k odd, centre at ``k // 2``.
        shape: Grid (H, W), each at least k.

    Returns:
        Complex tensor (B, 1, H, W // 2 + 1); differentiable in ``psf``.

    Raises:
        ValueError: If the kernel has an even side or is larger than the grid.

    Example:
        >>> delta = torch.zeros(1, 1, 3, 3); delta[0, 0, 1, 1] = 1
        >>> bool((psf_to_otf(delta, (4, 5)) == 1).all())
        True
    """
    check_psf(psf, shape)
    height, width = shape
    rows, cols = psf.shape[-2:]
    lines = torch.nn.functional.pad(psf, (0, width - cols)).roll(-(cols // 2), -1)
    if psf.device.type == "cpu" and rows <= FEW_ROWS:
        lines = _real(lines)
        return _waves(rows, height, lines.dtype) @ torch.fft.rfft(lines)
    between = lines.new_zeros(*lines.shape[:-2], height - rows, width)
    return rfft2(torch.cat([lines[..., rows // 2 :, :], between, lines[..., : rows // 2, :]], dim=-2))


@made_once
def _waves(rows: int, height: int, dtype: torch.dtype) -> Tensor:
    """The columns of the Fourier matrix that meet the rows of a centred kernel: complex (height, rows)."""
    return torch.fft.fft(torch.eye(rows, height, dtype=dtype).roll(-(rows // 2), -1)).mT.contiguous()


def _real(x: Tensor) -> Tensor:
    """The tensor in at least float32."""
    return x if x.dtype in (torch.float32, torch.float64) else x.float()


def plane_mean(half: Tensor, shape: tuple[int, int]) -> Tensor:
    """Mean over the whole plane of an even real spectrum of which :func:`rfft2` gives one half.

    Args:
        half: Real tensor (..., H, W // 2 + 1).
        shape: Grid (H, W).

    Returns:
        (..., 1, 1).

    Example:
        >>> x = torch.arange(15.0).reshape(3, 5)
        >>> plane_mean(rfft2(x).abs().square(), (3, 5)).round().tolist(), float(x.square().sum())
        ([[1015.0]], 1015.0)
    """
    columns = half.sum(dim=-2, keepdim=True)
    twice = columns[..., 1 : (shape[1] + 1) // 2].sum(dim=-1, keepdim=True)
    return (columns.sum(dim=-1, keepdim=True) + twice) / (shape[0] * shape[1])


def fast_size(n: int) -> int:
    """Smallest integer >= n with no prime factor above 5: a grid side on which the FFT is quick.

    Example:
        >>> fast_size(257), fast_size(256)
        (270, 256)
    """
    while True:
        rest = n
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return n
        n += 1
