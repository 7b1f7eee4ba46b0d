"""The Wiener filter with a flat, a gradient, a Laplacian or an estimated prior: one division in Fourier space."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor

from blurlab.core.fourier import irfft2, plane_mean, psf_to_otf, rfft2
from blurlab.deconvolver.base import Deconvolver, Restored, check_choice, check_option
from blurlab.deconvolver.border import BOUNDARIES, on_grid
from blurlab.deconvolver.chunks import chunks
from blurlab.deconvolver.quadratic import complete
from blurlab.deconvolver.spectrum import estimate_spectrum
from blurlab.physics import Gradient

PRIORS = {"flat": 0, "gradient": 1, "laplacian": 2}
"""Name of a prior -> power p of the difference spectrum L = |Dx|^2 + |Dy|^2 by which the signal's spectrum falls."""
LEAST_ENERGY = 1e-12
"""Of an image's differences: a constant image has that much."""
LEAST_SIGNAL = 0.01
"""Share of an image's differences that counts as not noise, whatever the noise."""


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
    adjoint = adjoint_otf(psf, shape)
    falling = Gradient().power(shape, like=y) ** PRIORS[prior]
    return irfft2(rfft2(y) * wiener_filter(adjoint, density(adjoint), nsr, falling), shape)


def adjoint_otf(psf: Tensor, shape: tuple[int, int]) -> Tensor:
    """``conj(H)``, the transfer function of the flipped kernel (B, 1, H, W // 2 + 1)."""
    return psf_to_otf(psf.flip(-2, -1), shape)


def wiener_filter(adjoint: Tensor, gain: Tensor, nsr: Tensor, falling: Tensor) -> Tensor:
    """``conj(H) / (|H|^2 + nsr L^p)``.

    Args:
        adjoint: conj(H), complex (B, 1, H, W // 2 + 1).
        gain: |H|^2.
        nsr: Noise-to-signal ratios, broadcast to (B, R, 1, 1), R filters each.
        falling: L^p.

    Example:
        >>> one = torch.tensor([1.0])
        >>> wiener_filter(torch.tensor([0.5j]), torch.tensor([0.25]), 0.25 * one, one)
        tensor([0.+1.j])
    """
    return adjoint * torch.addcmul(gain, nsr, falling).reciprocal_()


def density(spectrum: Tensor) -> Tensor:
    """``|X|^2``, without the square root of ``abs``, which a square would undo.

    Example:
        >>> density(torch.tensor([3.0 + 4.0j]))
        tensor([25.])
    """
    squares = torch.view_as_real(spectrum).square()
    return squares[..., 0] + squares[..., 1]


class Wiener(Deconvolver):
    """Wiener filter; the mean of each channel is kept aside, since a kernel of sum 1 leaves it alone.

    Args:
        nsr: Noise-to-signal ratio; None takes it from sigma and each image, see :func:`noise_to_signal`.
        strength: Factor on the estimate where nsr is None.
        prior: flat, gradient, laplacian, or estimated: the signal's spectrum from y by
            :func:`~blurlab.deconvolver.spectrum.estimate_spectrum`, whose nsr is ``strength sigma^2 / S``.
        boundary: unknown (beyond the border come the pixels that fit the observed ones best, found by iteration),
            padded (reflected and faded to a periodic grid: one shot, a hundredth of the time, but it rings near the
            border of a photograph that goes on there), or another of ``BOUNDARIES``.
    """

    has_gradient = True

    def __init__(
        self, nsr: float | None = None, strength: float = 3.0, prior: str = "gradient", boundary: str = "unknown"
    ) -> None:
        if nsr is not None:
            check_option("nsr", nsr, 1e-12, 1e6)
        check_option("strength", strength, 1e-3, 1e4)
        check_choice("prior", prior, (*PRIORS, "estimated"))
        if prior == "estimated" and nsr is not None:
            raise ValueError(f"nsr must be null where the prior is estimated, which has one per frequency; got {nsr!r}")
        check_choice("boundary", boundary, BOUNDARIES)
        self.nsr = nsr
        self.strength = strength
        self.prior = prior
        self.boundary = boundary
        self.mean: Tensor | None = None

    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        """One filter, no history; a kernel that all images share is transformed once."""
        image, adjoint = torch.empty_like(y), None
        for rows in chunks(y):
            grid = self._grid(y[rows], psf[rows])
            if adjoint is None or psf.stride(0):
                adjoint = adjoint_otf(psf[rows] if psf.stride(0) else psf[:1], (grid.shape[-2], grid.shape[-1]))
            restored = self._restore(grid, adjoint, y[rows], psf[rows], sigma[rows])
            image[rows] = restored[..., : y.shape[-2], : y.shape[-1]]
        return Restored(image)

    def _restore(self, grid: Tensor, adjoint: Tensor, y: Tensor, psf: Tensor, sigma: Tensor) -> Tensor:
        """Restore periodic images, which begin with y; the mean is taken off and put back at frequency 0."""
        shape = (grid.shape[-2], grid.shape[-1])
        power = Gradient().power(shape, like=y)
        spectrum, gain = rfft2(grid), density(adjoint)
        if self.boundary == "circular" and self.mean is None:
            aside = spectrum[..., 0, 0].clone()
        else:
            mean = y.mean(dim=(-2, -1), keepdim=True) if self.mean is None else self.mean
            aside = (mean * grid[0, 0].numel())[..., 0, 0]
        spectrum[..., 0, 0] -= aside
        falling = power ** PRIORS.get(self.prior, 0)
        if self.prior == "estimated":
            nsr = self.strength * sigma.square() / estimate_spectrum(y, psf, sigma, shape)
        elif self.nsr is None:
            nsr = self.strength * noise_to_signal(y, gain, sigma, power, self.prior, shape)
        else:
            nsr = torch.full_like(sigma, self.nsr)
        if self.boundary == "unknown":
            inside = (y.shape[-2], y.shape[-1])
            grid = complete(grid - mean, inside, adjoint.conj(), nsr * falling, tolerance=1e-5, iterations=300)
            spectrum = rfft2(grid)
        spectrum *= wiener_filter(adjoint, gain, nsr, falling)
        spectrum[..., 0, 0] += aside
        return irfft2(spectrum, shape)

    def freeze(self, parts: Tensor, psf: Tensor, sigma: Tensor) -> Self:
        """The same with the mean and the nsr of the whole image: signal power is averaged over its parts."""
        frozen = super().freeze(parts, psf, sigma)
        frozen.mean = parts.mean(dim=(0, -2, -1), keepdim=True)
        if self.nsr is None and self.prior in PRIORS:
            grid = self._grid(parts, psf)
            ratio = estimate_nsr(parts, psf, sigma, self.prior, (grid.shape[-2], grid.shape[-1]))
            frozen.nsr = float(self.strength / (1 / ratio).mean())
        return frozen

    def _grid(self, y: Tensor, psf: Tensor) -> Tensor:
        """A periodic grid that begins with y."""
        return on_grid(y, psf, self.boundary, 2 * max(psf.shape[-2:]))


def estimate_nsr(y: Tensor, psf: Tensor, sigma: Tensor, prior: str, shape: tuple[int, int]) -> Tensor:
    """:func:`noise_to_signal` of images y seen through psf (B, 1, k, k), on a grid of ``shape`` (P, Q)."""
    power = Gradient().power(shape, like=y)
    return noise_to_signal(y, density(adjoint_otf(psf, shape)), sigma, power, prior, shape)


def noise_to_signal(
    y: Tensor, gain: Tensor, sigma: Tensor, power: Tensor, prior: str, shape: tuple[int, int]
) -> Tensor:
    """``sigma^2 / v``, where a signal of spectrum ``v / L^p`` has the gradients that y has beyond the noise's.

    ``mean |grad y|^2 = v mean(|H|^2 L^(1 - p)) + 4 sigma^2``, the mean over the pixels of y alone: those appended to
    make it periodic have less noise. The plain variance would put almost all of v into the slow shading of the image,
    and leave far too much noise. Where y has less than the noise it is said to have, so much less of what it has is
    noise.

    Args:
        y: Observed images (B, C, H, W).
        gain: |H|^2 on a periodic grid (B, 1, P, Q // 2 + 1).
        sigma: Noise standard deviation (B, 1, 1, 1).
        power: L on the grid (P, Q // 2 + 1).
        prior: A key of ``PRIORS``.
        shape: Grid (P, Q).

    Returns:
        (B, 1, 1, 1).
    """
    energy = gradient_energy(y).clamp_min(LEAST_ENERGY)
    ratio = 4 * sigma.square() / energy
    share = torch.minimum(ratio, 1 / ratio)
    blurred = gain * power ** (1 - PRIORS[prior])
    blurred[..., 0, 0] = 0  # the mean is kept aside
    return share / 4 * plane_mean(blurred, shape) / (1 - share).clamp_min(LEAST_SIGNAL)


def gradient_energy(y: Tensor) -> Tensor:
    """Mean of ``|grad y|^2`` over the pixels of each image, its channels together: (B, C, H, W) -> (B, 1, 1, 1).

    Example:
        >>> float(gradient_energy(torch.tensor([[[[0.0, 1.0, 3.0], [0.0, 1.0, 3.0]]]])))
        2.5
    """
    parts = [y.diff(dim=axis).square().flatten(1) for axis in (-1, -2)]
    return torch.stack([part.sum(1) / max(part.shape[1], 1) for part in parts]).sum(0).reshape(-1, 1, 1, 1)
