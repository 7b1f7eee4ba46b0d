"""Expected patch log-likelihood: each patch of the restored image is likely under a Gaussian mixture [Zoran2011]."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from blurlab.core.fourier import irfft2, rfft2
from blurlab.deconvolver.base import Deconvolver, Restored, check_choice, check_count, check_option
from blurlab.deconvolver.border import BOUNDARIES, keep_observed
from blurlab.deconvolver.observation import GridObservation
from blurlab.deconvolver.patch_prior import PatchPrior, load_patch_prior
from blurlab.deconvolver.scale import within

STRENGTH = 1.5
"""Cautious, for kernels that were measured (``experiments/nonblind/kernel_error.py``): photographs blurred by exactly
the kernel that is told would have 2 at least (``experiments/bench/epll_strength.py``)."""
SWEEPS = 30
"""Times that what the border hides is filled in during one step on the image; where nothing is hidden one is exact."""


def image_step(x: Tensor, z: Tensor, seen: GridObservation, rho: Tensor) -> Tensor:
    """``argmin |M H x - y|^2 + rho |x - z|^2``, M keeps the pixels that were observed: [Zoran2011] eq. (4).

    In turn ``s = y`` where it was observed and H x elsewhere, and ``(H*H + rho) x = H* s + rho z``, with the momentum
    of [Beck2009]. Its factors, unlike those of conjugate gradients, hang on nothing that rounding could tip.

    Args:
        x: Present images on the grid (B, C, P, Q).
        z: What the patches say (B, C, P, Q).
        seen: What was observed, through which kernels.
        rho: Weight of z, (B, 1, 1, 1).

    Returns:
        (B, C, P, Q).
    """
    grid, otf = (x.shape[-2], x.shape[-1]), seen.otf
    inverse, pull = 1 / (otf.abs().square() + rho), rho * rfft2(z)
    last = ahead = rfft2(x)
    t = 1.0
    for _ in range(SWEEPS):
        s = keep_observed(irfft2(otf * ahead, grid), seen.y)
        now = (otf.conj() * rfft2(s) + pull) * inverse
        t, before = (1 + math.sqrt(1 + 4 * t**2)) / 2, t
        ahead = now + (before - 1) / t * (now - last)
        last = now
    return irfft2(last, grid)


class EPLL(Deconvolver):
    """``min strength |M H x - y|^2 / (2 sigma^2) - 1/P sum_i log p(x_i)``, patches x_i of P px [Zoran2011].

    Half-quadratic splitting, in turn: every patch moves to the one behind it, the image taken for one with noise of
    standard deviation ``beta^-1/2``; then the image moves to fit y and the patches. beta rises from
    ``1 / (first sigma)^2`` to ``1 / (last sigma)^2``. Each iteration sees patches a few pixels apart, the next one
    those between them [Parameswaran2019].

    Args:
        strength: Factor on the weight of the data.
        first: ``beta^-1/2`` of the first iteration in units of sigma.
        last: The same of the last.
        iterations: Steps of beta, evenly on a logarithmic scale.
        stride: Distance of neighbouring patches [px], at most a patch's side.
        boundary: What lies beyond the border, one of :data:`~blurlab.deconvolver.border.BOUNDARIES`.
        upper: Greatest intensity.
        prior: What patches look like; None is the mixture that comes with the package, of photographs in [0, 1].
    """

    def __init__(
        self,
        strength: float = STRENGTH,
        first: float = 40.0,
        last: float = 1.0,
        iterations: int = 14,
        stride: int = 5,
        boundary: str = "unknown",
        upper: float = 1.0,
        prior: PatchPrior | None = None,
    ) -> None:
        check_option("strength", strength, 1e-3, 1e4)
        check_option("first", first, 1e-2, 1e4)
        check_option("last", last, 1e-2, 1e4)
        check_count("iterations", iterations)
        self.prior = load_patch_prior() if prior is None else prior
        check_option("stride", stride, 1, self.prior.side)
        check_choice("boundary", boundary, BOUNDARIES)
        check_option("upper", upper, 1e-6, 1e6)
        self.strength = strength
        self.first, self.last = first, last
        self.iterations = int(iterations)
        self.stride = int(stride)
        self.boundary = boundary
        self.estimates_outside = boundary == "unknown"
        self.upper = upper

    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        """From y; history: relative_change, misfit."""
        prior, seen = self.prior.to(y), GridObservation.of(y, psf, self.boundary)
        x = seen.first
        history: dict[str, list[float]] = {"relative_change": [], "misfit": []}
        for n, level in enumerate(self.levels()):
            noise = level * sigma  # beta^-1/2
            z = patch_step(x, prior, noise, self.stride, n % self.stride)
            before, x = x, image_step(x, z, seen, (sigma / noise).square() / self.strength)
            history["relative_change"].append(relative_change(x, before))
            history["misfit"].append(float(seen.misfit(x).mean()))
        return Restored(within(seen.crop(x), self.upper), history)

    def levels(self) -> list[float]:
        """``beta^-1/2 / sigma`` of each iteration."""
        return torch.logspace(math.log10(self.first), math.log10(self.last), self.iterations).tolist()


def patch_step(x: Tensor, prior: PatchPrior, noise: Tensor, stride: int, offset: int) -> Tensor:
    """The mean of the patches behind x, image by image: each has its own noise (B, 1, 1, 1)."""
    levels = noise.flatten().tolist()
    return torch.stack([prior.denoise(image, level, stride, offset) for image, level in zip(x, levels, strict=True)])


def relative_change(x: Tensor, before: Tensor) -> float:
    """Mean over the batch of ``|x - before| / |x|``."""
    size = x.flatten(1).norm(dim=1).clamp_min(torch.finfo(x.dtype).tiny)
    return float(((x - before).flatten(1).norm(dim=1) / size).mean())
