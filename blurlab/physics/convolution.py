"""Blur by true convolution with a kernel per image, under any boundary condition."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional as F

from blurlab.core.boundary import check_boundary, extend, extend_adjoint
from blurlab.core.checks import check_psf
from blurlab.core.fourier import irfft2, psf_to_otf, rfft2
from blurlab.physics.fourier_grid import FourierGrid
from blurlab.physics.operator import LinearOperator, LocalBlur, check_weight, per_image

METHODS = ("auto", "direct", "fft")

CIRCULAR_CROSSOVER = 13
"""Side of the largest kernel for which summing beats the FFT where the FFT needs no border (``circular``).

Measured on a CPU by ``python experiments/bench/convolution.py --crossover``."""

EXTENDED_CROSSOVER = 15
"""The same for the other boundaries, whose FFT runs on a larger grid. Measured by the same command."""

CHUNK_PIXELS = 2**20
"""Pixels transformed at once on a CPU: spectra of a whole batch cost more in page faults than in arithmetic."""


class Convolution(LocalBlur):
    """y = psf * x, each kernel applied to every channel of its image.

    True convolution, kernels centred at k // 2, as ``scipy.ndimage.convolve``. The image keeps its size except with
    boundary ``valid``, where only pixels that need nothing from outside remain: (H - k + 1, W - k + 1). Work is done in
    float32 at least, whatever the autocast; NaN in gives NaN out.

    Args:
        psf: Kernels (B, 1, k, k), one per image, or (1, 1, k, k) for all; k odd.
        boundary: One of circular, reflect, replicate, zero, valid (:mod:`blurlab.core.boundary`).
        method: ``direct`` (sums), ``fft``, or ``auto``: direct for kernels up to the measured crossover.

    Raises:
        ValueError: If the kernel is not (B, 1, k, k) with odd sides, or a name is unknown.

    Example:
        >>> x = torch.arange(16.0).reshape(1, 1, 4, 4)
        >>> Convolution(torch.full((1, 1, 3, 3), 1 / 9), "valid").forward(x).round(decimals=3).tolist()
        [[[[5.0, 6.0], [9.0, 10.0]]]]
    """

    def __init__(self, psf: Tensor, boundary: str = "circular", method: str = "auto") -> None:
        check_psf(psf)
        check_boundary(boundary)
        if method not in METHODS:
            raise ValueError(f"unknown method {method!r}; choose one of {', '.join(METHODS)}")
        self.psf = psf if psf.dtype in (torch.float32, torch.float64) else psf.float()
        self.boundary = boundary
        self.method = method

    @property
    def radius(self) -> tuple[int, int]:
        """Pixels from the kernel's centre to its border (rows, cols)."""
        return self.psf.shape[-2] // 2, self.psf.shape[-1] // 2

    def rows(self, keep: Tensor) -> Self:
        """The convolution of some of the images, with their kernels."""
        return self._with(self.psf if len(self.psf) == 1 else self.psf[keep.to(self.psf.device)])

    def to(self, like: Tensor) -> Self:
        """The same in another dtype or on another device."""
        return self._with(self.psf.to(like))

    def psf_at(self, row: int, col: int) -> Tensor:
        """The kernels, which are the same everywhere."""
        return self.psf

    def window(self, rows: tuple[int, int], cols: tuple[int, int]) -> Convolution:
        """The same kernels with boundary ``valid``."""
        return Convolution(self.psf, "valid", self.method)

    def _with(self, psf: Tensor) -> Self:
        other = copy(self)
        other.psf = psf
        return other

    def forward(self, x: Tensor) -> Tensor:
        """Blur.

        Args:
            x: Images (B, C, H, W).

        Returns:
            Images (B, C, H, W), or (B, C, H - k + 1, W - k + 1) with boundary ``valid``.

        Raises:
            TypeError: If ``x`` is not a floating-point tensor.
            ValueError: If ``x`` is not (B, C, H, W), smaller than the kernel, or another number than the kernels.
        """
        x, psf = self._check(x, grown=(0, 0))
        with torch.autocast(x.device.type, enabled=False):
            return self._sum(x, psf) if self._is_direct() else self._multiply(x, psf)

    def adjoint(self, y: Tensor) -> Tensor:
        """Adjoint of :meth:`forward`: correlate, then fold the border back.

        Args:
            y: Images (B, C, H, W); with boundary ``valid`` (B, C, H - k + 1, W - k + 1).

        Returns:
            Images (B, C, H, W).

        Raises:
            TypeError: If ``y`` is not a floating-point tensor.
            ValueError: If ``y`` does not go with the kernels.
        """
        rows, cols = self.radius
        y, psf = self._check(y, grown=(2 * rows, 2 * cols) if self.boundary == "valid" else (0, 0))
        with torch.autocast(y.device.type, enabled=False):
            return self._sum_adjoint(y, psf) if self._is_direct() else self._multiply_adjoint(y, psf)

    def solve(
        self,
        rhs: Tensor,
        weight: float | Tensor,
        *,
        tolerance: float | None = None,
        max_iterations: int = 500,
    ) -> Tensor:
        """(A*A + weight I)^-1 rhs: one division of spectra if circular, else as :meth:`LinearOperator.solve`."""
        rhs, _ = self._check(rhs, grown=(0, 0))
        if self.boundary != "circular":
            return super().solve(rhs, weight, tolerance=tolerance, max_iterations=max_iterations)
        check_weight(weight, "weight")
        return self._approximate_inverse(rhs, weight)

    def _approximate_inverse(self, x: Tensor, weight: float | Tensor) -> Tensor:
        """The circular solution, exact where the boundary is circular."""
        x, psf = self._check(x, grown=(0, 0))
        shape = (x.shape[-2], x.shape[-1])
        with torch.autocast(x.device.type, enabled=False):
            power = psf_to_otf(psf, shape).abs().square() + per_image(weight, x)
            return _by_image(lambda a, b: irfft2(rfft2(a) / b, shape), x, power)

    def _sum(self, x: Tensor, psf: Tensor) -> Tensor:
        radius, boundary = self.radius, self.boundary
        weight = psf.flip(-2, -1)
        if boundary == "zero":
            return _by_plane(lambda a, w: F.conv2d(a, w, groups=len(w), padding=radius), x, weight)
        return _by_plane(lambda a, w: F.conv2d(extend(a, radius, boundary), w, groups=len(w)), x, weight)

    def _sum_adjoint(self, y: Tensor, psf: Tensor) -> Tensor:
        radius, boundary = self.radius, self.boundary
        full = (2 * radius[0], 2 * radius[1])
        return _by_plane(
            lambda a, w: extend_adjoint(F.conv2d(a, w, groups=len(w), padding=full), radius, boundary), y, psf
        )

    def _multiply(self, x: Tensor, psf: Tensor) -> Tensor:
        grid = FourierGrid((x.shape[-2], x.shape[-1]), self.radius, self.boundary)
        return _by_image(lambda a, k: grid.blurred(grid.spectrum(a) * psf_to_otf(k, grid.sides)), x, psf)

    def _multiply_adjoint(self, y: Tensor, psf: Tensor) -> Tensor:
        rows, cols = self.radius if self.boundary == "valid" else (0, 0)
        grid = FourierGrid((y.shape[-2] + 2 * rows, y.shape[-1] + 2 * cols), self.radius, self.boundary)
        return _by_image(
            lambda a, k: grid.folded(grid.spectrum_of_blurred(a) * psf_to_otf(k, grid.sides).conj()), y, psf
        )

    def _is_direct(self) -> bool:
        if self.method != "auto":
            return self.method == "direct"
        side = CIRCULAR_CROSSOVER if self.boundary == "circular" else EXTENDED_CROSSOVER
        return self.psf.shape[-2] * self.psf.shape[-1] <= side**2

    def _check(self, images: Tensor, grown: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Images and kernels (B, 1, k, k) of one dtype, or an error (shapes only, values cost a pass)."""
        if not isinstance(images, Tensor) or not images.is_floating_point():
            came = str(images.dtype) if isinstance(images, Tensor) else type(images).__name__
            raise TypeError(f"image must be a floating-point tensor, got {came}; divide integers by their range")
        if images.ndim != 4 or 0 in images.shape:
            raise ValueError(f"image must be (B, C, H, W) with no empty side, got {tuple(images.shape)}")
        if len(self.psf) not in (1, len(images)):
            raise ValueError(
                f"one kernel per image or one for all is needed, got psf {tuple(self.psf.shape)} for images"
                f" {tuple(images.shape)}"
            )
        check_psf(self.psf, (images.shape[-2] + grown[0], images.shape[-1] + grown[1]))
        dtype = torch.promote_types(images.dtype, self.psf.dtype)
        return images.to(dtype), self.psf.to(dtype).expand(len(images), -1, -1, -1)

    def _like(self) -> Tensor:
        return self.psf


def kernels_of(blur: LinearOperator) -> Tensor:
    """The kernels (B, 1, k, k) of a convolution.

    Raises:
        TypeError: If the operator is none.
    """
    if not isinstance(blur, Convolution):
        raise TypeError(f"only a convolution has one kernel an image, got {type(blur).__name__}")
    return blur.psf


def _by_plane(function: Callable[[Tensor, Tensor], Tensor], images: Tensor, psf: Tensor) -> Tensor:
    """``function((1, P, H, W), (P, 1, k, k))`` over all planes at once, one group each."""
    batch, channels, height, width = images.shape
    planes = images.reshape(1, batch * channels, height, width)
    out = function(planes, psf.repeat_interleave(channels, 0))
    return out.reshape(batch, channels, *out.shape[-2:])


def _by_image(function: Callable[[Tensor, Tensor], Tensor], images: Tensor, kernels: Tensor) -> Tensor:
    """``function((b, C, H, W), (b, 1, ...))`` over all images, on a CPU a few at a time."""
    at_once = max(1, CHUNK_PIXELS // images[0].numel())
    if images.device.type != "cpu" or at_once >= len(images):
        return function(images, kernels)
    return torch.cat([function(a, k) for a, k in zip(images.split(at_once), kernels.split(at_once), strict=True)])
