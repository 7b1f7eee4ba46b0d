"""What was observed and how: all that a solver asks of a blur, whatever its form."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from blurlab.core.boundary import extend
from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.deconvolver.border import keep_observed, on_grid
from blurlab.deconvolver.iteration import BatchState
from blurlab.physics import LinearOperator

PROX_TOLERANCE = 3e-2
"""Relative residual at which conjugate gradients end a proximal step. Each starts from the present image, so the
iteration around them makes up for what one leaves."""
PROX_ITERATIONS = 20
"""Most applications of the blur and its adjoint in a proximal step."""
RECORDED = 1e-5, 500
"""Both where gradients are recorded: they are those of the exact step."""


@dataclass
class Observation(BatchState, ABC):
    """Images seen through a blur: ``y = A u`` and noise, u on a grid of its own that may go on beyond y's border.

    Made by :func:`observe`. All tensors have one row per image.
    """

    y: Tensor
    """Observed pixels (B, C, H, W)."""
    first: Tensor
    """A first guess of u (B, C, P, Q), made of y."""
    shape: tuple[int, int]
    """Sides of the images that were handed in."""

    @abstractmethod
    def blur(self, u: Tensor) -> Tensor:
        """A u, of y's shape."""

    @abstractmethod
    def adjoint(self, r: Tensor) -> Tensor:
        """A* r on u's grid, r of y's shape."""

    @abstractmethod
    def prox(self, v: Tensor, u: Tensor, weight: Tensor) -> Tensor:
        """One step towards the minimiser r of ``|A r - y|^2 + weight |r - v|^2``; exact where u is the minimiser.

        Args:
            v: Where to stay near (B, C, P, Q).
            u: The present image (B, C, P, Q).
            weight: (B, 1, 1, 1), > 0.

        Returns:
            (B, C, P, Q).
        """

    @abstractmethod
    def crop(self, u: Tensor) -> Tensor:
        """The part of u (B, C, P, Q) that lies under the images handed in, a view (B, C, *shape)."""

    @property
    def beyond(self) -> tuple[int, int]:
        """Rows and columns of u that follow the image on a periodic grid: its surroundings on all sides."""
        return 0, 0

    def misfit(self, u: Tensor) -> Tensor:
        """Root mean square of ``A u - y``, (B,): what u does not explain of y; the noise's, where all is right."""
        return (self.blur(u) - self.y).square().mean((1, 2, 3)).sqrt()


def observe(y: Tensor, blur: Tensor | LinearOperator, boundary: str) -> Observation:
    """The observation of images through kernels or an operator.

    Args:
        y: Observed images (B, C, H, W).
        blur: Kernels (B, 1, k, k), or an operator that gives images of y's shape.
        boundary: What to assume beyond y's border where the blur is kernels, one of
            :data:`~blurlab.deconvolver.border.BOUNDARIES`; an operator brings its own.

    Example:
        >>> seen = observe(torch.rand(1, 1, 17, 24), torch.ones(1, 1, 3, 3) / 9, "unknown")
        >>> seen.first.shape, seen.blur(seen.first).shape
        (torch.Size([1, 1, 20, 27]), torch.Size([1, 1, 17, 24]))
    """
    if isinstance(blur, LinearOperator):
        return OperatorObservation(y, _spread(y, blur), (y.shape[-2], y.shape[-1]), blur)
    return GridObservation.of(y, blur, boundary)


@dataclass
class GridObservation(Observation):
    """Through kernels on a periodic grid that begins with y.

    Where the border is unknown y is its first rows and columns; otherwise all of it counts as observed.
    """

    otf: Tensor
    """Transfer functions (B, 1, P, Q // 2 + 1)."""

    @classmethod
    def of(cls, y: Tensor, psf: Tensor, boundary: str) -> Self:
        """The observation of images (B, C, H, W) through kernels (B, 1, k, k); see :func:`observe`."""
        first = on_grid(y, psf, boundary)
        otf = psf_to_otf(psf, (first.shape[-2], first.shape[-1]))
        return cls(y if boundary == "unknown" else first, first, (y.shape[-2], y.shape[-1]), otf)

    def blur(self, u: Tensor) -> Tensor:
        """The first rows and columns of the circular convolution."""
        blurred = irfft2(self.otf * rfft2(u), self._grid)
        return blurred[..., : self.y.shape[-2], : self.y.shape[-1]]

    def adjoint(self, r: Tensor) -> Tensor:
        """The circular correlation of r, zero beyond its own rows and columns."""
        return irfft2(self.otf.conj() * torch.fft.rfft2(r, s=self._grid), self._grid)

    def prox(self, v: Tensor, u: Tensor, weight: Tensor) -> Tensor:
        """``(H*H + weight)^-1 (H* (M y + (1 - M) H u) + weight v)``, M the observed pixels: one division of spectra."""
        whole = v.shape[-2:] == self.y.shape[-2:]
        blurred = self.y if whole else keep_observed(irfft2(self.otf * rfft2(u), self._grid), self.y)
        spectrum = self.otf.conj() * rfft2(blurred) + weight * rfft2(v)
        return irfft2(spectrum / (self.otf.abs().square() + weight), self._grid)

    @property
    def beyond(self) -> tuple[int, int]:
        """What the grid has more than the image."""
        return self._grid[0] - self.shape[0], self._grid[1] - self.shape[1]

    def crop(self, u: Tensor) -> Tensor:
        """The first rows and columns."""
        return u[..., : self.shape[0], : self.shape[1]]

    @property
    def _grid(self) -> tuple[int, int]:
        return self.first.shape[-2], self.first.shape[-1]


@dataclass
class OperatorObservation(Observation):
    """Through any linear operator; u's grid is the operator's, y in its middle."""

    operator: LinearOperator

    def blur(self, u: Tensor) -> Tensor:
        """A u."""
        return self.operator.A(u)

    def adjoint(self, r: Tensor) -> Tensor:
        """A* r."""
        return self.operator.A_adjoint(r)

    def prox(self, v: Tensor, u: Tensor, weight: Tensor) -> Tensor:
        """``u + (A*A + weight)^-1 (A* (y - A u) + weight (v - u))``, by conjugate gradients from u."""
        downhill = self.adjoint(self.y - self.blur(u)) + weight * (v - u)
        tolerance, most = RECORDED if torch.is_grad_enabled() else (PROX_TOLERANCE, PROX_ITERATIONS)
        return u + self.operator.solve(downhill, weight.flatten(), tolerance=tolerance, max_iterations=most)

    def crop(self, u: Tensor) -> Tensor:
        """The middle rows and columns."""
        top, left = ((big - small) // 2 for big, small in zip(u.shape[-2:], self.shape, strict=True))
        return u[..., top : top + self.shape[0], left : left + self.shape[1]]


def _spread(y: Tensor, operator: LinearOperator) -> Tensor:
    """The images in the middle of the operator's own grid, its outermost pixels repeated beyond."""
    grid = operator.A_adjoint(torch.zeros_like(y)).shape
    return extend(y, ((grid[-2] - y.shape[-2]) // 2, (grid[-1] - y.shape[-1]) // 2), "replicate")
