"""Restoration of photographs in linear light, where a lens or a hand blurred them, not in the values of their files."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import torch
from torch import Tensor

from blurlab.deconvolver.base import SIGMA_FLOOR, Deconvolver, Restored, check_option
from blurlab.deconvolver.parts import measure_sigma
from blurlab.deconvolver.tiled import Tiled
from blurlab.deconvolver.tv import TV
from blurlab.noise import Response, Srgb
from blurlab.physics import LinearOperator

BRIGHTEST = 4.0
"""How bright a scene may be, where white in the file is 1: what was brighter than white was clipped after the blur."""


class InLight(Deconvolver):
    """``encode(solve(decode(y)))``: a deconvolver that works on the light of a photograph.

    A camera blurs light; its file holds values that a curve made of it. A file's noise is not white either: compression
    and sharpening leave more of it at the middle frequencies, where a deconvolver looks, than where it is measured. So
    the noise that is measured is multiplied by ``caution``.

    Args:
        deconvolver: Restores the light; None is total variation whose images may be ``BRIGHTEST`` times as bright as
            white.
        response: The curve of the file; None is that of sRGB.
        caution: Factor on the noise that is measured in an image; one that is told is taken as it is.

    Raises:
        ValueError: If the caution is out of its range.

    Example:
        >>> y = torch.full((1, 1, 24, 24), 0.5)
        >>> InLight()(y, torch.ones(1, 1, 3, 3) / 9, 0.01).image.mean()
        tensor(0.5000)
    """

    def __init__(
        self, deconvolver: Deconvolver | None = None, response: Response | None = None, caution: float = 2.0
    ) -> None:
        check_option("caution", caution, 0.01, 100)
        self.deconvolver = TV(upper=BRIGHTEST) if deconvolver is None else deconvolver
        self.response = Srgb() if response is None else response
        self.caution = caution
        self.boundary = self.deconvolver.boundary
        self.estimates_outside = self.deconvolver.estimates_outside
        self.takes = self.deconvolver.takes
        self.tolerance = self.deconvolver.tolerance
        self.upper = 1.0
        self.keeps_hidden = False  # the one that works on the light does

    def checked(self, y: Tensor, blur: Tensor | LinearOperator, sigma: float | Tensor | None) -> tuple[Any, Tensor]:
        """The blur, and the noise's standard deviation (B, 1, 1, 1) in the light."""
        blur, told = super().checked(y, blur, sigma)
        light = self.response.decode(y.to(told))
        if sigma is not None:
            return blur, told * self._slope(y.to(told))
        one = torch.ones_like(told)
        measured = self.caution * measure_sigma(light, one).to(told).reshape(-1, 1, 1, 1)
        return blur, measured.maximum(SIGMA_FLOOR * one)

    def restore_at_level(self, y: Tensor, blur: Any, sigma: Tensor) -> Restored:
        """:meth:`restore`: the curve belongs to the scale that the image came on."""
        return self.restore(y, blur, sigma)

    def restore(self, y: Tensor, psf: Any, sigma: Tensor) -> Restored:
        """The history is that of the deconvolver that works on the light."""
        restored = self.deconvolver(self.response.decode(y), psf, sigma.flatten())
        return Restored(self.response.encode(restored.image), restored.history)

    def tiled(self, tile: int, progress: Callable[[float], None] | None = None) -> InLight:
        """The same, its deconvolver working by :class:`~blurlab.deconvolver.Tiled`."""
        other = copy(self)
        other.deconvolver = Tiled(self.deconvolver, tile, progress=progress)
        return other

    def _slope(self, y: Tensor) -> Tensor:
        """By how much the curve magnifies noise, root mean square over each image (B, 1, 1, 1)."""
        low, high = (y - 1 / 512).clamp(0, 1), (y + 1 / 512).clamp(0, 1)
        rise = self.response.decode(high) - self.response.decode(low)
        slope = rise / (high - low).clamp_min(1e-6)
        return slope.square().mean((1, 2, 3), keepdim=True).sqrt()


def by_tiles(deconvolver: Deconvolver, tile: int, progress: Callable[[float], None] | None = None) -> Deconvolver:
    """What restores images of any size with bounded memory: a file's curve is undone once, the rest goes by tiles."""
    return (
        deconvolver.tiled(tile, progress)
        if isinstance(deconvolver, InLight)
        else Tiled(deconvolver, tile, progress=progress)
    )
