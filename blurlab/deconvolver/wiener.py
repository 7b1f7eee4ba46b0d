"""The Wiener filter with a flat, a gradient or a Laplacian prior: one division in Fourier space."""

from __future__ import annotations

from torch import Tensor

from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.deconvolver.base import Deconvolver, Restored, check_choice, check_option
from blurlab.deconvolver.border import extend_periodic
from blurlab.physics import Gradient

PRIORS = {"flat": 0, "gradient": 1, "laplacian": 2}
"""Name of a prior -> power p of the difference spectrum L = |Dx|^2 + |Dy|^2 by which the signal's spectrum falls."""


def wiener(y: Tensor, psf: Tensor, nsr: Tensor, prior: str = "flat") -> Tensor:
    """``X = conj(H) Y / (|H|^2 + nsr L^p)``, circular.

    p is 0 for a flat prior, 1 for a gradient (power falls as 1/f^2, as photographs' does), 2 for a Laplacian, which
    is ``skimage.restoration.wiener`` with ``balance = nsr``.

    Args:
        y: Observed images (B, C, H, W).
        psf: Kernels (B, 1, k, k).
        nsr: Noise-to-signal ratio of power, broadcast to (B, 1, 1, 1), > 0.
        prior: A key of ``PRIORS``.

    Returns:
        (B, C, H, W).

    Example:
        >>> import torch
        >>> delta = torch.zeros(1, 1, 3, 3); delta[0, 0, 1, 1] = 1
        >>> float(wiener(torch.ones(1, 1, 8, 8), delta, torch.tensor(0.25)).mean())
        0.800000...
    """
    shape = (y.shape[-2], y.shape[-1])
    otf = psf_to_otf(psf, shape)
    power = Gradient().power(shape, like=y) ** PRIORS[prior]
    return irfft2(otf.conj() * rfft2(y) / (otf.abs().square() + nsr * power), shape)


class Wiener(Deconvolver):
    """Wiener filter; the mean of each channel is kept aside, since a kernel of sum 1 leaves it alone.

    Args:
        nsr: Noise-to-signal ratio; None takes it from each image, so that the prior's mean power is the variance of y
            less the noise's: ``sigma^2 mean(1 / L^p) / (var(y) - sigma^2)``, zero frequency left out.
        prior: flat, gradient or laplacian.
        boundary: padded (reflected and faded to a periodic grid) or circular.
    """

    def __init__(self, nsr: float | None = None, prior: str = "laplacian", boundary: str = "padded") -> None:
        if nsr is not None:
            check_option("nsr", nsr, 1e-12, 1e6)
        check_choice("prior", prior, tuple(PRIORS))
        check_choice("boundary", boundary, ("padded", "circular"))
        self.nsr = nsr
        self.prior = prior
        self.boundary = boundary

    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        """One filter, no history."""
        mean = y.mean(dim=(-2, -1), keepdim=True)
        margin = 2 * max(psf.shape[-2:])
        grid = extend_periodic(y - mean, margin) if self.boundary == "padded" else y - mean
        nsr = self._nsr(y, sigma) if self.nsr is None else sigma.new_tensor(self.nsr)
        image = wiener(grid, psf, nsr, self.prior)[..., : y.shape[-2], : y.shape[-1]] + mean
        return Restored(image)

    def _nsr(self, y: Tensor, sigma: Tensor) -> Tensor:
        noise = sigma.square()
        variance = y.var(dim=(-2, -1), keepdim=True, correction=0).mean(1, keepdim=True)
        signal = (variance - noise).clamp_min(1e-2 * variance).clamp_min(1e-12)
        rows, cols = (Gradient().power((n, 1), like=y) for n in y.shape[-2:])
        power = (rows + cols.mT).flatten()[1:]  # of the whole plane, so that a transposed image has the same nsr
        return noise * (power ** -PRIORS[self.prior]).mean() / signal
