"""Total variation of a photograph's light: dark pixels are known better than bright ones, clipped ones hardly."""

from __future__ import annotations

from copy import copy
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn.functional import pad

from blurlab.deconvolver.evidence import Evidence
from blurlab.deconvolver.tv import TV
from blurlab.deconvolver.weight import Fixed
from blurlab.noise import Response, Srgb

CLIPPED = 253.5 / 255
"""Values of a file from here on are those of clipped light."""
DARKEST = 8 / 255
"""Darker pixels count as this dark: their noise is that of rounding and of the sensor, not of the curve."""
AROUND = 9
"""The brightness that a pixel's noise follows is the mean over a square of this side, px."""
LEAST_MU = 0.2
"""As that of :class:`~blurlab.deconvolver.TV`, higher: where weights are small a small penalty moves slowly."""
BAND = 256
"""Rows of an image whose slopes are in memory together."""
BRIGHTEST = 4.0
"""How bright a scene may be, where white in the file is 1: what was brighter than white was clipped after the blur."""


IN_PIECES = 20
"""Iterations at most in each piece of a photograph that is too large for one; where none ends early, those beyond bring
next to nothing (``by_iterations`` in the record of ``experiments/bench/photograph.py``)."""


class LightTV(TV):
    """Total variation and box constraint on light, with the noise and the contrast that a file's curve leaves there.

    Noise in a file, of its codec above all, is about as strong in dark parts as in bright ones; the curve's slope
    ``g = d light / d value`` makes that noise of the light ``g sigma``. Differences of the light are in proportion to g
    as well, as contrasts are relative. So with the mean slope G

    ``min 1/2 sum (G / g)^2 (h * u - y)^2 + alpha sum (G / g) |grad u|, 0 <= u <= upper``.

    Where the file is white, y says only that there was at least so much light: ``h * u`` may be brighter.

    Args:
        response: The curve of the file; None is that of sRGB.
        upper: Greatest light.
        options: Those of :class:`~blurlab.deconvolver.TV`, save the boundary, which is unknown.

    Example:
        >>> import torch
        >>> y = torch.full((1, 1, 24, 24), 0.2)
        >>> LightTV()(y, torch.ones(1, 1, 3, 3) / 9, 0.01).image.mean()
        tensor(0.2000)
    """

    has_gradient = False
    least_mu = LEAST_MU

    def __init__(self, response: Response | None = None, upper: float = BRIGHTEST, **options: Any) -> None:
        super().__init__(upper=upper, boundary="unknown", **options)
        self.response = Srgb() if response is None else response
        self.level: float | Tensor = 1.0
        self.mean_slope: Tensor | None = None

    def alpha(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Tensor:
        """Weights (B, 1, 1, 1): what is chosen for the values of the file, times the mean slope."""
        mean = self._mean(y)
        values = y if isinstance(self.weight, Fixed) else self.response.encode(y * self.level)
        return super().alpha(values, psf, sigma / mean) * mean

    def evidence(self, y: Tensor) -> Evidence:
        """The weights of the class's formula, and which pixels of y (B, C, H, W) are clipped."""
        values = self.response.encode(y * self.level)
        share = self._mean(y) / slope(self.response, around(values)) * self.level
        return Evidence(share.square(), values >= CLIPPED, share)

    def at_level(self, level: Tensor) -> Self:
        """The same for light that was divided by ``level``."""
        scaled = super().at_level(level)
        scaled.level = self.level * level
        return scaled

    def of_response(self, response: Response) -> Self:
        """The same for another curve."""
        other = copy(self)
        other.response = response
        return other

    def freeze(self, parts: Tensor, psf: Tensor, sigma: Tensor) -> Self:
        """The same with the weight and the mean slope of the whole image, and no more iterations than ``IN_PIECES``."""
        frozen = super().freeze(parts, psf, sigma)
        frozen.iterations = min(self.iterations, IN_PIECES)
        frozen.mean_slope = mean = self._mean(parts).square().mean().sqrt()
        frozen.weight = frozen.weight.at_level(mean)  # which alpha multiplies by
        return frozen

    def _mean(self, y: Tensor) -> Tensor:
        """G for these images (B, 1, 1, 1), in the units of y."""
        if self.mean_slope is not None:
            return self.mean_slope
        return mean_slope(self.response, self.response.encode(y * self.level)) / self.level


def around(values: Tensor) -> Tensor:
    """Means over squares of ``AROUND`` pixels, the border repeated.

    Example:
        >>> around(torch.tensor([[[[0.0, 3.0]]]]))
        tensor([[[[0., 3.]]]])
        >>> bool((around(torch.full((1, 1, 12, 17), 0.5)) == 0.5).all())
        True
    """
    margin = min(AROUND // 2, *(side - 1 for side in values.shape[-2:]))
    sums = pad(values, (margin,) * 4, mode="replicate")
    for axis in (-2, -1):
        sums = _running_sum(sums, 2 * margin + 1, axis)
    return sums.div_((2 * margin + 1) ** 2)


def _running_sum(x: Tensor, count: int, axis: int) -> Tensor:
    """Sums of so many neighbours along an axis, by doubling."""
    total, block, width, at = None, x, 1, 0
    length = x.shape[axis] - count + 1
    while count >= width:
        if count & width:
            part = block.narrow(axis, at, length)
            total = part.clone() if total is None else total.add_(part)
            at += width
        rest = block.shape[axis] - width
        if count >= 2 * width:
            block = block.narrow(axis, 0, rest) + block.narrow(axis, width, rest)
        width *= 2
    assert total is not None
    return total


def slope(response: Response, values: Tensor) -> Tensor:
    """``d light / d value`` of a curve at these values of a file, which count as ``DARKEST`` at least.

    Example:
        >>> import torch
        >>> from blurlab.noise import Power
        >>> slope(Power(2.0), torch.tensor([0.25, 1.0])).round(decimals=3)
        tensor([0.5000, 2.0000])
    """
    return response.slope(values.clamp(DARKEST, 1))


def mean_slope(response: Response, values: Tensor) -> Tensor:
    """Root mean square of the slope at the values of each image, (B, 1, 1, 1): by how much noise grows in the light."""
    bands = [slope(response, band).square_().sum((1, 2, 3), keepdim=True) for band in values.split(BAND, dim=-2)]
    return (torch.stack(bands).sum(0) / values[0].numel()).sqrt()
