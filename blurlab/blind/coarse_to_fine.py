"""A kernel of any shape from one blurred image, from coarse to fine [ChoLee2009], [XuJia2013]."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from blurlab.blind.image_step import l0_image
from blurlab.blind.kernel_step import quotient
from blurlab.blind.selection import direction_threshold, gradients, select
from blurlab.blind.support import centred, enlarged, pruned
from blurlab.deconvolver.extension import extend_harmonic

SCALE = math.sqrt(0.5)
"""Sides of an image relative to the next finer one."""
SMALLEST = 5
"""Side of the kernel at the coarsest scale, about."""
FIRST_WEIGHT = 150.0
"""Weight of the l0 prior at first, at least, in variances of the noise, where that is 4e-3 in an image with less."""
LEAST_WEIGHT = 15.0
"""The least weight in variances of the noise: an edge that counts is higher than noise."""


@dataclass(frozen=True)
class CoarseToFine:
    """Options of the iteration.

    Attributes:
        iterations: At each scale.
        weight: Of the l0 prior at first.
        least_weight: It falls no lower.
        fall: Factor by which that weight and the threshold of strong gradients fall with each iteration.
        edges: Strong gradients of each direction at first, in sides of the kernel; 0 uses all gradients.
        kernel_weight: Weight of the kernel's squares, in squared units of intensity.
        faint: Values of a kernel below this share of its greatest are dropped.
        stray: And parts that hold less than this share of its sum.
    """

    iterations: int = 10
    weight: float = 4e-3
    least_weight: float = 1e-4
    fall: float = 1.05
    edges: int = 20
    kernel_weight: float = 2.0
    faint: float = 0.05
    stray: float = 0.1

    def with_noise(self, sigma: float) -> Self:
        """The same for an image with noise of this standard deviation: below .005 nothing changes.

        Example:
            >>> CoarseToFine().with_noise(0.001) == CoarseToFine()
            True
            >>> CoarseToFine(weight=2e-3).with_noise(0.01).weight
            0.0075
        """
        raised = max(FIRST_WEIGHT * sigma**2 / 4e-3, 1.0)
        return replace(self, weight=raised * self.weight, least_weight=max(self.least_weight, LEAST_WEIGHT * sigma**2))


def coarse_to_fine(y: Tensor, size: int, options: CoarseToFine, start: Tensor | None = None) -> Tensor:
    """The kernel of an image, in turn with the image that it makes sharp, at one scale after the other.

    Args:
        y: Observed image (H, W), grey, on the [0, 1] scale; not constant.
        size: Odd side of the kernel, px; the box of its values must fit.
        options: Of the iteration.
        start: A first kernel (size, size), which is refined at the finest scale alone; None begins at the coarsest.

    Returns:
        (size, size), >= 0, sum 1, its box in the middle.
    """
    sizes, weight, threshold = kernel_sizes(size), options.weight, math.nan
    if start is None:
        psf = first_kernel(sizes[-1]).to(y)
    else:
        weight = max(weight / options.fall ** (options.iterations * (len(sizes) - 1)), options.least_weight)
        sizes, psf = [size], start
    for step in reversed(range(len(sizes))):
        seen = y if step == 0 else resized(y, SCALE**step)
        if step < len(sizes) - 1:
            psf = enlarged(centred(psf), sizes[step], 1 / SCALE)
        periodic, observed = extend_harmonic(seen[None, None], sizes[step]), gradients(seen)
        if options.edges and math.isnan(threshold):
            threshold = direction_threshold(observed, options.edges * sizes[step])
        for _ in range(options.iterations):
            image = l0_image(periodic, psf[None, None], weight)[0, 0, : seen.shape[0], : seen.shape[1]]
            sharp = gradients(image)
            if options.edges:
                sharp, threshold = select(sharp, threshold)
            found = quotient(sharp, observed, sizes[step], options.kernel_weight)
            if float(found.max()) > 0:
                psf = pruned(found, options.faint, options.stray)
            weight = max(weight / options.fall, options.least_weight)
            threshold /= options.fall
    return centred(psf)


def kernel_sizes(size: int) -> list[int]:
    """Odd sides of the kernel at each scale, the finest first.

    Example:
        >>> kernel_sizes(27), kernel_sizes(5)
        ([27, 21, 15, 11, 7], [5])
    """
    steps = max(math.floor(math.log(SMALLEST / size) / math.log(SCALE) + 1e-9), 0)
    return [2 * (math.ceil(size * SCALE**step - 1e-9) // 2) + 1 for step in range(steps + 1)]


def first_kernel(size: int) -> Tensor:
    """Two equal pixels side by side in the middle (size, size): from a single one no blur would be found."""
    psf = torch.zeros(size, size)
    psf[size // 2, size // 2 : size // 2 + 2] = 0.5
    return psf


def resized(image: Tensor, factor: float) -> Tensor:
    """An image (H, W) at a smaller size, averaged over what a pixel covers."""
    shape = [round(side * factor) for side in image.shape]
    return interpolate(image[None, None], shape, mode="bilinear", antialias=True)[0, 0]
