"""The Wiener filter with a flat, a gradient, a Laplacian or an estimated prior: one division in Fourier space."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.core.fourier import irfft2, plane_mean, psf_to_otf, rfft2
from blurlab.deconvolver.base import Deconvolver, Restored, check_choice, check_option
from blurlab.deconvolver.border import extend_periodic, on_grid
from blurlab.deconvolver.spectrum import estimate_spectrum
from blurlab.deconvolver.tikhonov import complete
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
        nsr: Noise-to-signal ratio of power, > 0: (B, 1, 1, 1) or, one per frequency, (B, 1, H, W // 2 + 1).
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
        nsr: Noise-to-signal ratio; None takes it from sigma and each image, see :func:`estimate_nsr`.
        strength: Factor on the estimate where nsr is None.
        prior: flat, gradient, laplacian, or estimated: the signal's spectrum from y by
            :func:`~blurlab.deconvolver.spectrum.estimate_spectrum`, whose nsr is ``strength sigma^2 / S``.
        boundary: padded (reflected and faded to a periodic grid), circular, or unknown (beyond the border come the
            pixels that fit the observed ones best, :func:`~blurlab.deconvolver.tikhonov.complete`; no longer one
            division).
    """

    def __init__(
        self, nsr: float | None = None, strength: float = 3.0, prior: str = "gradient", boundary: str = "padded"
    ) -> None:
        if nsr is not None:
            check_option("nsr", nsr, 1e-12, 1e6)
        check_option("strength", strength, 1e-3, 1e4)
        check_choice("prior", prior, (*PRIORS, "estimated"))
        if prior == "estimated" and nsr is not None:
            raise ValueError(f"nsr must be null where the prior is estimated, which has one per frequency; got {nsr!r}")
        check_choice("boundary", boundary, ("padded", "circular", "unknown"))
        self.nsr = nsr
        self.strength = strength
        self.prior = prior
        self.boundary = boundary
        self.reaches_beyond = boundary == "unknown"

    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        """One filter, no history."""
        mean = y.mean(dim=(-2, -1), keepdim=True)
        if self.boundary == "padded":
            grid = extend_periodic(y - mean, 2 * max(psf.shape[-2:]))
        else:
            grid = on_grid(y - mean, psf, self.boundary)
        if self.prior == "estimated":
            nsr = self.strength * sigma.square() / estimate_spectrum(y, psf, sigma, (grid.shape[-2], grid.shape[-1]))
        elif self.nsr is None:
            nsr = self.strength * estimate_nsr(grid, psf, sigma, self.prior)
        else:
            nsr = torch.full_like(sigma, self.nsr)
        prior = self.prior if self.prior in PRIORS else "flat"
        if self.boundary == "unknown":
            grid = _complete(grid, (y.shape[-2], y.shape[-1]), psf, nsr, prior)
        return Restored(wiener(grid, psf, nsr, prior)[..., : y.shape[-2], : y.shape[-1]] + mean)


def estimate_nsr(y: Tensor, psf: Tensor, sigma: Tensor, prior: str) -> Tensor:
    """``sigma^2 / v``, where a signal of spectrum ``v / L^p`` has the gradients that y has beyond the noise's.

    ``mean |grad y|^2 = v mean(|H|^2 L^(1 - p)) + sigma^2 mean(L)``. The plain variance would put almost all of v
    into the slow shading of the image, and leave far too much noise.

    Args:
        y: Observed images (B, C, H, W), periodic.
        psf: Kernels (B, 1, k, k).
        sigma: Noise standard deviation (B, 1, 1, 1).
        prior: A key of ``PRIORS``.

    Returns:
        (B, 1, 1, 1).
    """
    shape = (y.shape[-2], y.shape[-1])
    energy = Gradient().A(y).square().sum(2).mean(dim=(1, 2, 3)).reshape(-1, 1, 1, 1)
    power = Gradient().power(shape, like=y)
    power[0, 0] = 1
    blurred = psf_to_otf(psf, shape).abs().square() * power ** (1 - PRIORS[prior])
    blurred[..., 0, 0] = 0  # the mean is kept aside
    noise = 4 * sigma.square()
    signal = (energy - noise).clamp_min(0.01 * energy).clamp_min(1e-12)
    return sigma.square() * plane_mean(blurred, shape) / signal


def _complete(first: Tensor, observed: tuple[int, int], psf: Tensor, nsr: Tensor, prior: str) -> Tensor:
    """The grid whose unobserved pixels fit the filter best."""
    shape = (first.shape[-2], first.shape[-1])
    weighed = nsr * Gradient().power(shape, like=first) ** PRIORS[prior]
    return complete(first, observed, psf_to_otf(psf, shape), weighed, tolerance=1e-4, iterations=100)
