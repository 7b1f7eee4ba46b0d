"""Douglas-Rachford splitting: one step, and the classical solver that repeats it."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from blurlab.core.fourier import irfft2, rfft2
from blurlab.deconvolver.border import keep_observed


def douglas_rachford_step(
    x: Tensor, prior: Callable[[Tensor], Tensor], data: Callable[[Tensor, Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """``z = prior(x);  r = data(2 z - x);  x <- x - z + r`` [DebarnotWeiss2024].

    Args:
        x: The iterate (B, C, P, Q).
        prior: Prox of the prior, or a denoiser.
        data: Prox of the data term at its first argument, given the present image z.

    Returns:
        The next x, and z, which is the present image.
    """
    z = prior(x)
    return x - z + data(2 * z - x, z), z


def data_prox(v: Tensor, u: Tensor, y: Tensor, otf: Tensor, weight: Tensor | float) -> Tensor:
    """Minimiser of ``|M H r - y|^2 + weight |r - v|^2``, the pixels beyond y's border taken from H u.

    ``r = (H*H + weight)^-1 (H* (M y + (1 - M) H u) + weight v)``, exact where u = r or nothing is beyond the border.

    Args:
        v: Where to stay near (B, C, P, Q).
        u: Present image (B, C, P, Q).
        y: Observed images (B, C, H, W), the first rows and columns of the grid.
        otf: Transfer functions (B, 1, P, Q // 2 + 1).
        weight: Broadcast to (B, 1, 1, 1), > 0.

    Returns:
        (B, C, P, Q).
    """
    shape = (v.shape[-2], v.shape[-1])
    if v.shape[-2:] == y.shape[-2:]:
        blurred = y
    else:
        blurred = keep_observed(irfft2(otf * rfft2(u), shape), y)
    spectrum = otf.conj() * rfft2(blurred) + weight * rfft2(v)
    return irfft2(spectrum / (otf.abs().square() + weight), shape)
