"""Douglas-Rachford unrolled: the classical step, with networks for denoisers and weights that were learned."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from blurlab.core.fourier import psf_to_otf,rfft2,irfft2
from blurlab.deconvolver.border import keep_observed
from blurlab.physics import Gradient
from blurlab.deconvolver import tv
from blurlab.deconvolver.douglas_rachford import data_prox, douglas_rachford_step

SIGMA_UNIT = 0.01
"""Noise at which a learned weight is its own; at another it follows a learned power."""
GUESSES = (0.3, 0.03, 0.003)
INPUTS = 3 + len(GUESSES)
"""What a denoiser is shown: the iterate, the noise level, the start, and Wiener filters of several strengths."""


class UnrolledDR(nn.Module):
    """A few steps of Douglas-Rachford [DebarnotWeiss2024], each with a denoiser and a weight of its own.

    ``z = D_t(x);  r = (H*H + lambda_t)^-1 (H* (M y + (1 - M) H z) + lambda_t (2 z - x));  x <- x - z + r``, and the last
    z is the image. It starts from a few iterations of total variation, so it knows from the first training step what
    that knows. Channels are restored one by one. What lies beyond the border is unknown.

    Args:
        denoiser: Makes a denoiser from the number of channels that it is shown; (B, inputs, H, W) -> (B, 1, H, W).
        iterations: T.
        start_iterations: Iterations of total variation before the first step.
        start_strength: Its weight over sigma^1.5.
    """

    def __init__(
        self,
        denoiser: Callable[[int], nn.Module],
        iterations: int = 4,
        start_iterations: int = 20,
        start_strength: float = 1.5,
    ) -> None:
        super().__init__()
        self.denoisers = nn.ModuleList(denoiser(INPUTS) for _ in range(iterations))
        self.log_weight = nn.Parameter(torch.full((iterations - 1,), math.log(0.2)))
        self.power = nn.Parameter(torch.full((iterations - 1,), 1.5))
        self.start_iterations = start_iterations
        self.start_strength = start_strength

    def forward(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Tensor:
        """Restore.

        Args:
            y: Observed images (B, C, H, W).
            psf: Kernels (B, 1, k, k).
            sigma: Noise standard deviation (B, 1, 1, 1), > 0.

        Returns:
            (B, C, H, W).
        """
        channels = y.shape[1]
        psf, sigma = psf.repeat_interleave(channels, 0), sigma.repeat_interleave(channels, 0)
        return self._restore(y.reshape(-1, 1, *y.shape[-2:]), psf, sigma).reshape(y.shape)

    def _restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Tensor:
        x = start = self._start(y, psf, sigma)
        otf = psf_to_otf(psf, (start.shape[-2], start.shape[-1]))
        level = ((sigma / SIGMA_UNIT).log() / 3).expand_as(start)
        grid = keep_observed(irfft2(otf * rfft2(start), (start.shape[-2], start.shape[-1])), y)
        Y = rfft2(grid)
        L = Gradient().power((start.shape[-2], start.shape[-1]), like=start)
        guesses = [irfft2(otf.conj() * Y / (otf.abs().square() + g * (sigma/SIGMA_UNIT)**2 * L+1e-6), (start.shape[-2], start.shape[-1]))-start for g in GUESSES]
        shown = [level, start, *[g.clamp(-1,1)*5 for g in guesses]]
        denoisers = [lambda v, net=net: net(torch.cat([v, *shown], 1)) for net in self.denoisers]
        for denoise, weight in zip(denoisers[:-1], self.weights(sigma), strict=True):
            x, _ = douglas_rachford_step(x, denoise, lambda v, z, w=weight: data_prox(v, z, y, otf, w))
        return denoisers[-1](x)[..., : y.shape[-2], : y.shape[-1]]

    def weights(self, sigma: Tensor) -> list[Tensor]:
        """lambda_t = ``exp(a_t) (sigma / SIGMA_UNIT)^b_t`` of each step but the last, positive, (B, 1, 1, 1)."""
        pairs = zip(self.log_weight, self.power, strict=True)
        return [(a + b * (sigma / SIGMA_UNIT).log()).exp() for a, b in pairs]

    @torch.no_grad()
    def _start(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Tensor:
        solver = tv.TV(strength=self.start_strength)
        problem, first = solver._problem(y, psf, sigma)
        state = tv.start(problem, first)
        for _ in range(self.start_iterations):
            state = tv.step(problem, state)
        return state.u
