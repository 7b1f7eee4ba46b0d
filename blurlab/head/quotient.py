r"""The quotient layers: least-squares kernels and images by one division of spectra [Schuler2016], eqs. 4 and 5.

With ``D = sum_i |X_i|^2 + beta``, ``K = sum_i conj(X_i) Y_i / D`` and ``G`` the spectrum of the gradient that arrives,

``dL/dy_i = F^H (X_i G / D)``, ``dL/dx_i = F^H ([conj(G) (Y_i - K X_i) - G conj(K) X_i] / D)``,
``dL/dbeta = - Re sum conj(G) K / D`` over the size of the grid;

autograd finds the same, as ``tests/head/test_quotient.py`` shows.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from blurlab.core.constants import made_once
from blurlab.core.fourier import fast_size, irfft2, psf_to_otf, rfft2

LEAST_SUM = 1e-6
"""A kernel whose positive values sum to less is divided by this."""


def kernel_quotient(x: Tensor, y: Tensor, beta: float | Tensor, side: int) -> Tensor:
    """The kernels that take images x to images y with the least error, ``sum_i |k * x_i - y_i|^2 + beta |k|^2``.

    Images are taken as periodic: weight their borders (:func:`border_window`) before.

    Args:
        x: Sharp images (B, N, H, W).
        y: Their blurred counterparts (B, N, H, W).
        beta: Weight of the kernel's own energy, > 0.
        side: Odd side of the kernels, at most H and W.

    Returns:
        Kernels (B, 1, side, side) of any sign and sum, cut out of the middle.

    Example:
        >>> x = torch.randn(1, 2, 16, 16, generator=torch.Generator().manual_seed(0))
        >>> kernel_quotient(x, 0.5 * x.roll(1, -1), 1e-4, 3)[0, 0, 1].round(decimals=3).abs().tolist()
        [0.0, 0.0, 0.5]
    """
    shape = (fast_size(x.shape[-2]), fast_size(x.shape[-1]))
    grid = (0, shape[1] - x.shape[-1], 0, shape[0] - x.shape[-2])
    sharp, blurred = rfft2(pad(x, grid)), rfft2(pad(y, grid))
    power = (sharp.real.square() + sharp.imag.square()).sum(1, keepdim=True)
    whole = irfft2((sharp.conj() * blurred).sum(1, keepdim=True) / (power + beta), shape)
    return whole.roll((side // 2, side // 2), (-2, -1))[..., :side, :side]


def as_kernel(raw: Tensor) -> Tensor:
    """Kernels (B, 1, k, k) of any values with the negative ones cut and the rest brought to sum 1.

    Example:
        >>> as_kernel(torch.tensor([[[[3.0, -1.0, 1.0]]]])).tolist()
        [[[[0.75, 0.0, 0.25]]]]
    """
    positive = raw.clamp_min(0)
    return positive / positive.sum((-2, -1), keepdim=True).clamp_min(LEAST_SUM)


def image_quotient(psf: Tensor, y: Tensor, beta: float | Tensor) -> Tensor:
    """The images that a kernel takes to y with the least squared error, ``|k * x - y|^2 + beta |x|^2``.

    Args:
        psf: Kernels (B, 1, k, k), k odd.
        y: Blurred images (B, C, H, W), taken as periodic.
        beta: Weight of the image's own energy, > 0.

    Returns:
        Images (B, C, H, W).

    Example:
        >>> psf = torch.zeros(1, 1, 3, 3); psf[..., 1, 1] = 1
        >>> image_quotient(psf, torch.ones(1, 1, 4, 4), 0.25)[0, 0, 0].tolist()
        [0.800000011920929, 0.800000011920929, 0.800000011920929, 0.800000011920929]
    """
    rows, cols = y.shape[-2:]
    shape = (fast_size(rows), fast_size(cols))
    spectrum = rfft2(pad(y, (0, shape[1] - cols, 0, shape[0] - rows)))
    otf = psf_to_otf(psf, shape)
    power = otf.real.square() + otf.imag.square()
    return irfft2(otf.conj() * spectrum / (power + beta), shape)[..., :rows, :cols]


def barthann(size: int) -> Tensor:
    """The modified Bartlett-Hann window, ``.62 - .48 |t| + .38 cos(2 pi t)``, t from -1/2 to 1/2 at ``size`` points.

    Example:
        >>> barthann(5).round(decimals=2).abs().tolist()
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    t = torch.linspace(-0.5, 0.5, size, dtype=torch.float64)
    return 0.62 - 0.48 * t.abs() + 0.38 * torch.cos(2 * torch.pi * t)


def border_window(shape: tuple[int, int], width: int) -> Tensor:
    """A window (H, W), float32, that rises from 0 at the border as a Barthann window does, and is 1 further inside.

    Args:
        shape: Sides (H, W).
        width: Pixels over which it rises; half of a side at most.

    Example:
        >>> border_window((1, 6), 2)[0].round(decimals=2).tolist()
        [0.5, 1.0, 1.0, 1.0, 1.0, 0.5]
    """
    return _line(shape[0], width)[:, None] * _line(shape[1], width)


@made_once
def _line(side: int, width: int) -> Tensor:
    reach = min(width, side // 2)
    rise = barthann(2 * reach + 1)[1 : reach + 1]
    line = torch.ones(side, dtype=torch.float64)
    line[:reach], line[side - reach :] = rise, rise.flip(0)
    return line.float()
