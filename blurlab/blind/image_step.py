"""The image of a blind deconvolution's iteration: few, strong edges, found by an l0 prior on the gradients."""

from __future__ import annotations

from torch import Tensor

from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.physics import Gradient

D = Gradient()
GROWTH = 4.0
"""Factor on beta from one step of the splitting to the next. With 2, as published, the kernels are no better."""
LAST_BETA = 100.0
"""The splitting ends here: gradients of a thousandth of the range are then kept at a weight of 1e-4."""


def l0_image(y: Tensor, psf: Tensor, weight: float) -> Tensor:
    """``min |h * x - y|^2 + weight |grad x|_0`` by half-quadratic splitting [XuJia2013].

    beta, the penalty of ``g = grad x``, grows from ``2 weight``; x begins as y.

    Args:
        y: Observed images, made periodic (B, C, P, Q), as by :func:`~blurlab.deconvolver.extension.extend_harmonic`.
        psf: Kernels (B, 1, k, k).
        weight: What each pixel with a gradient costs, in squared units of intensity.

    Returns:
        (B, C, P, Q).

    Example:
        >>> import torch
        >>> faint = torch.tensor([0.0, 0.01, 0.0, 1.0, 1.0, 1.02]).expand(1, 1, 6, 6)
        >>> l0_image(faint, torch.ones(1, 1, 1, 1), 1e-2)[0, 0, 0].round(decimals=2)
        tensor([0.0000, 0.0000, 0.0000, 1.0100, 1.0100, 1.0100])
    """
    shape = (y.shape[-2], y.shape[-1])
    otf = psf_to_otf(psf, shape)
    pull, power = otf.conj() * rfft2(y), otf.real.square() + otf.imag.square()
    x, beta = y, 2 * weight
    while beta < LAST_BETA:
        x = image_step(strong(D.A(x), weight / beta), pull, power, beta)
        beta *= GROWTH
    return x


def strong(field: Tensor, threshold: float) -> Tensor:
    """``argmin_g beta |g - field|^2 + weight |g|_0``: vectors of a squared length of at least weight / beta stay.

    Args:
        field: Gradients (B, C, 2, P, Q).
        threshold: weight / beta.

    Returns:
        (B, C, 2, P, Q).
    """
    return field * (field.square().sum(2, keepdim=True) >= threshold)


def image_step(g: Tensor, pull: Tensor, power: Tensor, beta: float) -> Tensor:
    """``argmin_x |h * x - y|^2 + beta |grad x - g|^2`` on a periodic grid: one division of spectra.

    Args:
        g: Gradients to stay near (B, C, 2, P, Q).
        pull: ``conj(H) Y`` (B, C, P, Q // 2 + 1).
        power: ``|H|^2`` (B, 1, P, Q // 2 + 1).
        beta: Their weight.

    Returns:
        (B, C, P, Q).
    """
    shape = (g.shape[-2], g.shape[-1])
    return irfft2((pull + beta * rfft2(D.A_adjoint(g))) / (power + beta * D.power(shape, like=power)), shape)
