"""Douglas-Rachford unrolled: the classical step, with networks for denoisers and weights that were learned."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn

from blurlab.core.fourier import irfft2, rfft2
from blurlab.deconvolver.base import check_count
from blurlab.deconvolver.border import keep_observed
from blurlab.deconvolver.chunks import by_chunks
from blurlab.deconvolver.douglas_rachford import DouglasRachford, douglas_rachford_step
from blurlab.deconvolver.louder import louder
from blurlab.deconvolver.observation import GridObservation, Observation, observe
from blurlab.deconvolver.second_order import second_order
from blurlab.deconvolver.wiener import density, wiener_filter
from blurlab.physics import Gradient, LinearOperator, conjugate_gradient

SIGMA_UNIT = 0.01
"""Noise at which a learned weight is its own; at another it follows a learned power."""
FILTERS = (0.3, 0.03, 0.003)
"""Strengths of the Wiener filters that a denoiser is shown, at noise of ``SIGMA_UNIT``: from smooth to noisy."""
START_STRENGTH = 1.5
"""Weight of the total variation that is started from, over sigma^1.5, where the blur has no transfer function."""
START_SLOPES, START_BENDS = 0.5, 0.5
"""Weight of the first differences of the start over sigma^1.5, and that of the second ones over it."""
INPUTS = 4 + 2 * len(FILTERS)
"""What a denoiser is shown: the iterate, the noise level, the start, what each filter adds to it, what each makes of
the part of y that the iterate does not explain, and how much of each pixel was observed."""
LEAST_GAIN = 1e-6
"""Of a frequency that the kernel takes away; the filters would blow it up."""
STEPS = 40
"""Iterations to the start, and at most to a filter, where the blur has no transfer function."""


class UnrolledDR(nn.Module):
    """A few steps of Douglas-Rachford [DebarnotWeiss2024], each with a denoiser and a weight of its own.

    ``z = D_t(x);  r = (H*H + lambda_t)^-1 (H* (M y + (1 - M) H z) + lambda_t (2 z - x));  x <- x - z + r``; the last z
    is the image. It starts from a prior on first and second differences, so it knows before training what that knows;
    Wiener filters that trust y more show each denoiser what the start took away, and what y asks to be added to x.
    Channels are restored one by one. What lies beyond the border is unknown. Of an operator that is no convolution,
    filters are found by iteration, and so is the start, which is that of total variation.

    Args:
        denoiser: Makes a denoiser from the number of channels that it is shown; (B, inputs, H, W) -> (B, 1, H, W).
        iterations: T.
        start_iterations: Iterations to the start.
    """

    boundary = "unknown"
    takes = (LinearOperator,)
    has_gradient = True

    def __init__(
        self,
        denoiser: Callable[[int], nn.Module],
        iterations: int = 4,
        start_iterations: int = 15,
    ) -> None:
        super().__init__()
        check_count("iterations", iterations)
        self.denoisers = nn.ModuleList(denoiser(INPUTS) for _ in range(iterations))
        self.log_weight = nn.Parameter(torch.full((iterations - 1,), math.log(0.2)))
        self.power = nn.Parameter(torch.full((iterations - 1,), 1.5))
        self.start_iterations = start_iterations

    def forward(self, y: Tensor, psf: Tensor | LinearOperator, sigma: Tensor) -> Tensor:
        """Restore.

        Args:
            y: Observed images (B, C, H, W).
            psf: Kernels (B, 1, k, k), or an operator.
            sigma: Noise standard deviation (B, 1, 1, 1), > 0.

        Returns:
            (B, C, H, W).
        """
        each = torch.arange(len(y)).repeat_interleave(y.shape[1])
        planes = y.reshape(-1, 1, *y.shape[-2:])

        def restored(some: slice) -> Tensor:
            rows = each[some]
            return self._restore(planes[some], psf[rows] if isinstance(psf, Tensor) else psf.rows(rows), sigma[rows])

        return by_chunks(restored, planes).reshape(y.shape)

    def _restore(self, y: Tensor, psf: Tensor | LinearOperator, sigma: Tensor) -> Tensor:
        recorded = isinstance(psf, LinearOperator) or psf.requires_grad or y.requires_grad
        with torch.set_grad_enabled(torch.is_grad_enabled() and recorded):
            seen = self._started(y, psf, sigma)
            x = start = seen.first
            level = ((sigma / SIGMA_UNIT).log() / 3).expand_as(start)
            filters, observed = filters_of(seen, sigma), seen.adjoint(torch.ones_like(y))
            shown = torch.cat([level, start, louder(filters.added(start))], 1)
        denoisers = [
            lambda v, net=net: in_the_middle(
                net, torch.cat([v, shown, louder(filters.unexplained(v)), observed], 1), seen.beyond
            )
            for net in self.denoisers
        ]
        for denoise, weight in zip(denoisers[:-1], self.weights(sigma), strict=True):
            x, _ = douglas_rachford_step(x, denoise, partial(seen.prox, weight=weight))
        return seen.crop(denoisers[-1](x))

    def weights(self, sigma: Tensor) -> list[Tensor]:
        """lambda_t = ``exp(a_t) (sigma / SIGMA_UNIT)^b_t`` of each step but the last, positive, (B, 1, 1, 1)."""
        pairs = zip(self.log_weight, self.power, strict=True)
        return [(a + b * (sigma / SIGMA_UNIT).log()).exp() for a, b in pairs]

    def _started(self, y: Tensor, psf: Tensor | LinearOperator, sigma: Tensor) -> Observation:
        """The observation, its first guess (B, 1, P, Q) what priors on differences give."""
        seen = observe(y, psf, self.boundary)
        if isinstance(seen, GridObservation):
            first = second_order(seen, START_SLOPES * sigma**1.5, START_BENDS, self.start_iterations).clamp(0, 1)
        else:
            total_variation = DouglasRachford(iterations=STEPS, tolerance=0)
            first, _ = total_variation.solve(seen, START_STRENGTH * sigma**1.5)
        return replace(seen, first=first)


def in_the_middle(net: Callable[[Tensor], Tensor], shown: Tensor, beyond: tuple[int, int]) -> Tensor:
    """What a network makes of images (B, C, P, Q), what lies beyond their border on both sides of them while it looks.

    Args:
        net: (B, C, P, Q) -> (B, 1, P, Q).
        shown: Its input.
        beyond: Rows and columns of the periodic grid that follow the image, where it comes first.
    """
    rows, cols = (count // 2 for count in beyond)
    return net(shown.roll((rows, cols), (-2, -1))).roll((-rows, -cols), (-2, -1)) if rows or cols else net(shown)


class Filters(ABC):
    """Wiener filters of an observation with a gradient prior, from smooth to noisy, ``len(FILTERS)`` of them."""

    @abstractmethod
    def added(self, u: Tensor) -> Tensor:
        """What each adds to images u (B, 1, P, Q), (B, len(FILTERS), P, Q)."""

    @abstractmethod
    def unexplained(self, u: Tensor) -> Tensor:
        """Each of ``y - A u``, where y was observed: what the data ask to be added to u, (B, len(FILTERS), P, Q)."""


def filters_of(seen: Observation, sigma: Tensor) -> Filters:
    """The filters of an observation with noise (B, 1, 1, 1)."""
    damping = (sigma / SIGMA_UNIT).square()
    strengths = torch.tensor(FILTERS, dtype=sigma.dtype, device=sigma.device).reshape(1, -1, 1, 1) * damping
    if isinstance(seen, GridObservation):
        power = Gradient().power((seen.first.shape[-2], seen.first.shape[-1]), like=seen.first)
        return _GridFilters(seen, wiener_filter(seen.otf.conj(), density(seen.otf) + LEAST_GAIN, strengths, power))
    return _OperatorFilters(seen, strengths)


@dataclass
class _GridFilters(Filters):
    """By one product of spectra each."""

    seen: GridObservation
    response: Tensor
    """(B, len(FILTERS), P, Q // 2 + 1)."""

    def added(self, u: Tensor) -> Tensor:
        shape = (u.shape[-2], u.shape[-1])
        spectrum = rfft2(keep_observed(irfft2(self.seen.otf * rfft2(u), shape), self.seen.y))
        return irfft2(self.response * spectrum, shape) - u

    def unexplained(self, u: Tensor) -> Tensor:
        shape = (u.shape[-2], u.shape[-1])
        residual = torch.fft.rfft2(self.seen.y - self.seen.blur(u), s=shape)  # zero where nothing was observed
        return irfft2(self.response * residual, shape)


@dataclass
class _OperatorFilters(Filters):
    """By conjugate gradients."""

    seen: Observation
    strengths: Tensor

    def added(self, u: Tensor) -> Tensor:
        return torch.cat([self._solved(u, strength, strength) for strength in self.strengths.split(1, 1)], 1)

    def unexplained(self, u: Tensor) -> Tensor:
        return torch.cat([self._solved(u, strength, None) for strength in self.strengths.split(1, 1)], 1)

    def _solved(self, u: Tensor, strength: Tensor, pull: Tensor | None) -> Tensor:
        """``(A*A + s D*D)^-1 (A* (y - A u) - p D*D u)``."""
        slopes = Gradient("replicate")
        downhill = self.seen.adjoint(self.seen.y - self.seen.blur(u))
        if pull is not None:
            downhill = downhill - pull * slopes.A_adjoint(slopes.A(u))
        return conjugate_gradient(
            lambda x: self.seen.adjoint(self.seen.blur(x)) + strength * slopes.A_adjoint(slopes.A(x)),
            downhill,
            tolerance=0.1,
            max_iterations=STEPS,
        )
