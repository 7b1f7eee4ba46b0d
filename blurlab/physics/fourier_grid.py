"""The periodic grid on which a blur is a product of spectra, whatever the image's boundary."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from blurlab.core.boundary import extend, extend_adjoint
from blurlab.core.fourier import fast_size, irfft2, rfft2


@dataclass(frozen=True)
class FourierGrid:
    """Images x, extended as their boundary says, on a grid that is large enough for kernels of a radius.

    Args:
        shape: Sides of x (H, W).
        radius: Pixels from a kernel's centre to its border (rows, cols).
        boundary: One of :data:`blurlab.core.boundary.BOUNDARIES`.

    Example:
        >>> FourierGrid((17, 24), (2, 3), "reflect").sides, FourierGrid((17, 24), (2, 3), "circular").sides
        ((24, 30), (17, 24))
    """

    shape: tuple[int, int]
    radius: tuple[int, int]
    boundary: str

    @property
    def sides(self) -> tuple[int, int]:
        """Sides of the grid."""
        if self.boundary == "circular":
            return self.shape
        rows, cols = self._extended
        return fast_size(rows), fast_size(cols)

    @property
    def _extended(self) -> tuple[int, int]:
        """Sides of x with its border."""
        if self.boundary in ("valid", "circular"):
            return self.shape
        return self.shape[0] + 2 * self.radius[0], self.shape[1] + 2 * self.radius[1]

    def spectrum(self, x: Tensor) -> Tensor:
        """That of x with its border, (..., H, W)."""
        if self.boundary == "circular":
            return rfft2(x)
        return torch.fft.rfft2(extend(x, self.radius, self.boundary), s=self.sides)

    def blurred(self, spectrum: Tensor) -> Tensor:
        """The images y whose pixels depend on nothing but x and its border."""
        image = irfft2(spectrum, self.sides)
        if self.boundary == "circular":
            return image
        (rows, cols), (height, width) = self.radius, self._extended
        return image[..., rows : height - rows, cols : width - cols]

    def spectrum_of_blurred(self, y: Tensor) -> Tensor:
        """That of y where it lies on the grid, zero elsewhere: the adjoint of :meth:`blurred`."""
        if self.boundary == "circular":
            return rfft2(y)
        rows, cols = self.radius
        return torch.fft.rfft2(F.pad(y, (cols, cols, rows, rows)), s=self.sides)

    def folded(self, spectrum: Tensor) -> Tensor:
        """Images of x's size, each border pixel added to the one it was made of: the adjoint of :meth:`spectrum`."""
        image = irfft2(spectrum, self.sides)
        if self.boundary == "circular":
            return image
        height, width = self._extended
        return extend_adjoint(image[..., :height, :width], self.radius, self.boundary)
