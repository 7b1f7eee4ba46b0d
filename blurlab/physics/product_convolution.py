"""Blur that varies over the image: a sum of convolutions, each of the image under a weight of its own."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Self

import torch
from torch import Tensor

from blurlab.core.boundary import check_boundary, extend
from blurlab.core.checks import check_psf
from blurlab.core.fourier import irfft2, psf_to_otf
from blurlab.physics.fourier_grid import FourierGrid
from blurlab.physics.operator import LocalBlur, per_image


class ProductConvolution(LocalBlur):
    """``y = sum_k h_k * (w_k x)``: kernels h_k, each for what its weight w_k leaves of the image [Escande2017].

    Where the weights are windows that sum to 1 and the h_k are the kernels at their centres, this is the efficient
    filter flow of [Hirsch2010]: each pixel is spread by a kernel between those around it.

    Args:
        psf: Kernels (B, K, k, k), or (1, K, k, k) for all images; k odd.
        weight: (B, K, H, W), or (1, K, H, W), on the pixels of x: with boundary ``valid`` (H + k - 1, W + k - 1) for
            an image y of (H, W).
        boundary: What the products w_k x are beyond the image: circular, reflect, replicate, zero; or ``valid``, only
            pixels of y that need nothing from there.

    Raises:
        ValueError: If kernels and weights have other shapes, or a name is unknown.

    Example:
        >>> sharp_left = hat_windows(torch.linspace(0, 1, 4).expand(1, 4), 2)[None]
        >>> psf = torch.tensor([[0.0, 1, 0], [1 / 3, 1 / 3, 1 / 3]]).reshape(1, 2, 1, 3)
        >>> seen = ProductConvolution(psf, sharp_left, "zero").A(torch.ones(1, 1, 1, 4))
        >>> [round(value, 3) for value in seen.flatten().tolist()]
        [1.111, 1.0, 1.0, 0.556]
    """

    def __init__(self, psf: Tensor, weight: Tensor, boundary: str = "valid") -> None:
        if psf.ndim != 4 or weight.ndim != 4 or psf.shape[1] != weight.shape[1] or 0 in weight.shape:
            raise ValueError(
                f"psf must be (B, K, k, k) and weight (B, K, H, W), got {tuple(psf.shape)} and {tuple(weight.shape)};"
                " give each kernel one weight"
            )
        if len(psf) != len(weight) and 1 not in (len(psf), len(weight)):
            raise ValueError(f"psf and weight must be of as many images, got {len(psf)} and {len(weight)}")
        check_boundary(boundary)
        check_psf(psf.flatten(0, 1)[:, None], (weight.shape[-2], weight.shape[-1]))
        work = torch.promote_types(torch.promote_types(psf.dtype, weight.dtype), torch.float32)
        self.psf, self.weight = psf.to(work), weight.to(work)
        self.boundary = boundary

    @classmethod
    def of_patches(cls, psf: Tensor, shape: tuple[int, int], boundary: str = "valid") -> Self:
        """The efficient filter flow of [Hirsch2010]: a kernel for each of the patches of :func:`patch_windows`.

        Args:
            psf: Kernels of the patches, (rows, cols, k, k), k odd, the same for all images.
            shape: The blurred image y, (H, W).
            boundary: As for the class; with ``valid`` sharp pixels beyond y's border have the windows of those on it.

        Raises:
            ValueError: If the kernels are not (rows, cols, k, k).

        Example:
            >>> psf = torch.ones(2, 3, 5, 5) / 25
            >>> ProductConvolution.of_patches(psf, (40, 60)).A(torch.ones(1, 1, 44, 64)).std() < 1e-6
            tensor(True)
        """
        if psf.ndim != 4:
            raise ValueError(f"psf must be (rows, cols, k, k), a kernel for each patch, got {tuple(psf.shape)}")
        windows = patch_windows(shape, (psf.shape[0], psf.shape[1])).to(psf)[None]
        radius = (psf.shape[-2] // 2, psf.shape[-1] // 2)
        weight = extend(windows, radius, "replicate") if boundary == "valid" else windows
        return cls(psf.flatten(0, 1)[None], weight, boundary)

    @property
    def radius(self) -> tuple[int, int]:
        """Pixels from a kernel's centre to its border (rows, cols)."""
        return self.psf.shape[-2] // 2, self.psf.shape[-1] // 2

    def forward(self, x: Tensor) -> Tensor:
        """Blur.

        Args:
            x: Images (B, C, H, W) of the weights' size.

        Returns:
            Images (B, C, H, W), or (B, C, H - k + 1, W - k + 1) with boundary ``valid``.

        Raises:
            TypeError: If ``x`` is not a floating-point tensor.
            ValueError: If ``x`` is not (B, C, H, W), of another size, or another number than the kernels.
        """
        x = self._checked(x, (0, 0))
        with torch.autocast(x.device.type, enabled=False):
            grid, terms = self._terms(x)
            spectrum = torch.zeros((), dtype=x.dtype, device=x.device)
            for weight, otf in terms:
                spectrum = spectrum + grid.spectrum(weight * x) * otf
            return grid.blurred(spectrum)

    def adjoint(self, y: Tensor) -> Tensor:
        """Adjoint of :meth:`forward`, ``sum_k w_k (h_k correlated with y)``.

        Args:
            y: Images (B, C, H, W); with boundary ``valid`` (B, C, H - k + 1, W - k + 1).

        Returns:
            Images (B, C, H, W).

        Raises:
            TypeError: If ``y`` is not a floating-point tensor.
            ValueError: If ``y`` does not go with kernels and weights.
        """
        y = self._checked(y, self._lost())
        with torch.autocast(y.device.type, enabled=False):
            grid, terms = self._terms(y)
            spectrum, x = grid.spectrum_of_blurred(y), torch.zeros((), dtype=y.dtype, device=y.device)
            for weight, otf in terms:
                x = x + weight * grid.folded(spectrum * otf.conj())
            return x

    def rows(self, keep: Tensor) -> Self:
        """The operator of some of the images, with their kernels and weights."""
        return self._with(*(one if len(one) == 1 else one[keep.to(one.device)] for one in (self.psf, self.weight)))

    def to(self, like: Tensor) -> Self:
        """The same in another dtype or on another device."""
        return self._with(self.psf.to(like), self.weight.to(like))

    def psf_at(self, row: int, col: int) -> Tensor:
        """The image of a point at a pixel of y, ``sum_k w_k h_k`` there: kernels (B, 1, k, k)."""
        down, right = (lost // 2 for lost in self._lost())
        here = self.weight[..., row + down, col + right]
        return (here[..., None, None] * self.psf).sum(1, keepdim=True)

    def window(self, rows: tuple[int, int], cols: tuple[int, int]) -> ProductConvolution:
        """The operator of a part of y, with boundary ``valid``; see :class:`~blurlab.physics.LocalBlur`."""
        down, right = self.radius
        weight = extend(self.weight, self.radius, self.boundary)
        weight = weight[..., rows[0] : rows[1] + 2 * down, cols[0] : cols[1] + 2 * right]
        return ProductConvolution(self.psf, weight, "valid")

    def mean_psf(self) -> Tensor:
        """The mean of the kernels over all pixels (B, 1, k, k)."""
        return (self.weight.mean((-2, -1))[..., None, None] * self.psf).sum(1, keepdim=True)

    def _approximate_inverse(self, x: Tensor, weight: float | Tensor) -> Tensor:
        """``sum_k s_k (|H_k|^2 + weight)^-1 s_k x`` on the periodic grid, with ``s_k^2`` the share of w_k.

        Each pixel gets the inverse of the kernels around it; one mean kernel's would be worse than none.
        """
        grid, terms = self._terms(x)
        height, width, total = *x.shape[-2:], self.weight.abs().sum(1, keepdim=True)
        inverse = torch.zeros_like(x)
        for w, otf in terms:
            share = (w.abs() / total.clamp_min(torch.finfo(total.dtype).tiny)).sqrt()
            spectrum = torch.fft.rfft2(share * x, s=grid.sides) / (otf.abs().square() + per_image(weight, x))
            inverse = inverse + share * irfft2(spectrum, grid.sides)[..., :height, :width]
        return inverse

    def _terms(self, images: Tensor) -> tuple[FourierGrid, Iterator[tuple[Tensor, Tensor]]]:
        """The grid, and weight (B, 1, H, W) and transfer function of each kernel, in the images' type."""
        grid = FourierGrid((self.weight.shape[-2], self.weight.shape[-1]), self.radius, self.boundary)
        psf, weight = self.psf.to(images.dtype), self.weight.to(images.dtype)
        otfs = (psf_to_otf(one, grid.sides) for one in psf.split(1, 1))
        return grid, zip(weight.split(1, 1), otfs, strict=True)

    def _lost(self) -> tuple[int, int]:
        """By how many rows and columns y is smaller than x."""
        rows, cols = self.radius
        return (2 * rows, 2 * cols) if self.boundary == "valid" else (0, 0)

    def _checked(self, images: Tensor, lost: tuple[int, int]) -> Tensor:
        """Images in the precision of the kernels, or an error: as many, and of the weights' size less what is lost."""
        if not isinstance(images, Tensor) or not images.is_floating_point():
            came = str(images.dtype) if isinstance(images, Tensor) else type(images).__name__
            raise TypeError(f"image must be a floating-point tensor, got {came}; divide integers by their range")
        height, width = (side - less for side, less in zip(self.weight.shape[-2:], lost, strict=True))
        many = max(len(self.psf), len(self.weight))
        if images.ndim != 4 or images.shape[-2:] != (height, width) or many not in (1, len(images)):
            raise ValueError(
                f"image must be ({'B' if many == 1 else many}, C, {height}, {width}) to go with the weights, got"
                f" {tuple(images.shape)}"
            )
        return images.to(torch.promote_types(images.dtype, self.psf.dtype))

    def _with(self, psf: Tensor, weight: Tensor) -> Self:
        other = copy(self)
        other.psf, other.weight = psf, weight
        return other

    def _like(self) -> Tensor:
        return self.psf


def hat_windows(place: Tensor, count: int) -> Tensor:
    """Windows that sum to 1 and interpolate linearly between ``count`` kernels.

    Args:
        place: Where each pixel stands between the kernels, (H, W), from 0 (the first one's) to ``count - 1``.
        count: Number of kernels, >= 1.

    Returns:
        (count, H, W), in [0, 1].

    Example:
        >>> hat_windows(torch.tensor([[0.0, 0.25, 2.0]]), 3)[:, 0].tolist()
        [[1.0, 0.75, 0.0], [0.0, 0.25, 0.0], [0.0, 0.0, 1.0]]
    """
    centres = torch.arange(count, dtype=place.dtype, device=place.device).reshape(-1, 1, 1)
    return (1 - (place.clamp(0, count - 1) - centres).abs()).clamp_min(0)


def grid_windows(shape: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """Windows that sum to 1 and interpolate bilinearly between kernels on a grid whose corners are the image's.

    Args:
        shape: Image (H, W).
        grid: Rows and columns of kernels, each >= 1.

    Returns:
        (rows * cols, H, W), row after row, in [0, 1].

    Example:
        >>> grid_windows((3, 5), (1, 2))[1]
        tensor([[0.0000, 0.2500, 0.5000, 0.7500, 1.0000],
                [0.0000, 0.2500, 0.5000, 0.7500, 1.0000],
                [0.0000, 0.2500, 0.5000, 0.7500, 1.0000]])
    """
    down, across = (
        hat_windows(torch.linspace(0, count - 1, side)[None], count)[:, 0]
        for side, count in zip(shape, grid, strict=True)
    )
    return (down[:, None, :, None] * across[None, :, None, :]).flatten(0, 1)


def patch_windows(shape: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """Barthann windows of overlapping patches, which sum to 1.

    The middles of the patches are those of as many equal parts of the image; a patch reaches to the middles of its
    neighbours, one at the border to the border, where its window stays 1.

    Args:
        shape: Image (H, W).
        grid: Rows and columns of patches, each >= 1.

    Returns:
        (rows * cols, H, W), row after row, in [0, 1].

    Example:
        >>> patch_windows((1, 8), (1, 2))[0, 0]
        tensor([1.0000, 1.0000, 0.9411, 0.6754, 0.3246, 0.0589, 0.0000, 0.0000])
    """
    down, across = (
        _barthann(hat_windows(((torch.arange(side) + 0.5) * count / side - 0.5)[None], count)[:, 0])
        for side, count in zip(shape, grid, strict=True)
    )
    return (down[:, None, :, None] * across[None, :, None, :]).flatten(0, 1)


def _barthann(hat: Tensor) -> Tensor:
    """The modified Bartlett-Hann window of half its width, from 1 in its middle to 0 where the hat is 0."""
    return (0.62 - 0.24 * (1 - hat) + 0.38 * torch.cos(torch.pi * (1 - hat))).clamp(0, 1)
