"""Restoration of photographs in linear light, where a lens or a hand blurred them, not in the values of their files."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import torch
from torch import Tensor

from blurlab.deconvolver.base import Deconvolver, Restored, check_option
from blurlab.deconvolver.colour import with_sure_colour
from blurlab.deconvolver.light_tv import LightTV, mean_slope
from blurlab.deconvolver.parts import measure_sigma
from blurlab.deconvolver.tiled import Tiled
from blurlab.deconvolver.whiteness import excess_noise
from blurlab.noise import Power, Response, Srgb
from blurlab.physics import LinearOperator

WHITE = 1.5
"""Factor on white noise; it grows with the square of the excess, up to the caution. Files of cameras have 1.8 to 8."""


class InLight(Deconvolver):
    """``encode(solve(decode(y)))``: a deconvolver that works on the light of a photograph.

    A camera blurs light; its file holds values that a curve made of it. A file's noise is not white either: compression
    and sharpening leave more of it at the middle frequencies, where a deconvolver looks, than where it is measured. So
    the noise that is measured in the file is multiplied by ``caution``; by less where it is seen to be white
    (:func:`~blurlab.deconvolver.whiteness.excess_noise`). What an inexact kernel adds is not
    (:meth:`~blurlab.deconvolver.Deconvolver.allowing`), and no doubt whether the blur is hidden follows from either.
    Of what the channels differ in, less is restored (:func:`~blurlab.deconvolver.colour.with_sure_colour`).

    Args:
        deconvolver: Restores the light; None is :class:`~blurlab.deconvolver.LightTV`.
        response: The curve of the file; None is that of sRGB.
        caution: Greatest factor on the noise that is measured in an image; one that is told is taken as it is.
        colour: Share of the change that is kept in colours that the image hardly has; 1 keeps all.

    Raises:
        ValueError: If the caution or the colour is out of its range.

    Example:
        >>> y = torch.full((1, 1, 24, 24), 0.5)
        >>> InLight()(y, torch.ones(1, 1, 3, 3) / 9, 0.01).image.mean()
        tensor(0.5000)
    """

    def __init__(
        self,
        deconvolver: Deconvolver | None = None,
        response: Response | None = None,
        caution: float = 4.0,
        colour: float = 0.3,
    ) -> None:
        check_option("caution", caution, 0.01, 100)
        check_option("colour", colour, 0, 1)
        self.colour = colour
        self.response = Srgb() if response is None else response
        self.deconvolver = LightTV(self.response) if deconvolver is None else deconvolver
        self.caution = caution
        self.boundary = self.deconvolver.boundary
        self.estimates_outside = self.deconvolver.estimates_outside
        self.takes = self.deconvolver.takes
        self.tolerance = self.deconvolver.tolerance
        self.upper = 1.0
        self.keeps_hidden = False  # the one that works on the light does

    def checked(self, y: Tensor, blur: Tensor | LinearOperator, sigma: float | Tensor | None) -> tuple[Any, Tensor]:
        """The blur, and the noise's standard deviation (B, 1, 1, 1) in the light."""
        blur, noise = super().checked(y, blur, sigma)
        return blur, noise * mean_slope(self.response, y.to(noise))

    def measured_sigma(self, y: Tensor, level: Tensor, blur: Tensor | LinearOperator) -> Tensor:
        """That of the values of the file, with caution unless it only says when to stop."""
        error, caution = self.kernel_error_px, torch.full((len(y),), self.caution).to(level)
        if self.deconvolver.stops_at_noise:
            caution = torch.ones_like(caution)
        elif isinstance(blur, Tensor):
            caution = caution.minimum(WHITE * excess_noise(y, blur).to(caution).square())
        return measure_sigma(y, torch.ones_like(level), kernel_error_px=error, caution=caution)

    def _restored(
        self, y: Tensor, blur: Tensor | LinearOperator, sigma: float | Tensor | None
    ) -> tuple[Restored, Any, Tensor]:
        """Noise that is measured is more than there is, and would hide a blur that is seen."""
        if sigma is not None or not self.deconvolver.keeps_hidden:
            return super()._restored(y, blur, sigma)
        other = copy(self)
        other.deconvolver = self.deconvolver.trusting()
        return other._restored(y, blur, sigma)

    def restore_at_level(self, y: Tensor, blur: Any, sigma: Tensor) -> Restored:
        """:meth:`restore`: the curve belongs to the scale that the image came on."""
        return self.restore(y, blur, sigma)

    def restore(self, y: Tensor, psf: Any, sigma: Tensor) -> Restored:
        """The history is that of the deconvolver that works on the light."""
        restored = self.deconvolver(self.response.decode(y), psf, sigma.flatten())
        return Restored(with_sure_colour(y, self.response.encode(restored.image), self.colour), restored.history)

    def of_values(self) -> InLight:
        """The same with a file's values in place of light."""
        other = copy(self)
        other.response = Power(1.0)
        if isinstance(self.deconvolver, LightTV):
            other.deconvolver = self.deconvolver.of_response(other.response)
        return other

    def of_light(self) -> InLight:
        """As :meth:`of_values`, and colours are kept: such an image has been through no codec, and may show dyes."""
        other = self.of_values()
        other.colour = 1.0
        return other

    def by_kernels(self) -> InLight:
        """The same, what works on the light too."""
        other = copy(self)
        other.deconvolver = self.deconvolver.by_kernels()
        other.takes = other.deconvolver.takes
        return other

    def tiled(self, tile: int, progress: Callable[[float], None] | None = None) -> InLight:
        """The same, its deconvolver working by :class:`~blurlab.deconvolver.Tiled`; overlaps are :func:`unseen`."""
        other = copy(self)
        other.deconvolver = Tiled(self.deconvolver, tile, unseen, progress)
        other.takes = other.deconvolver.takes
        return other


def unseen(kernel_px: int) -> int:
    """By how much tiles of a photograph overlap, [px], for seams of about a grey level, which nobody sees.

    Args:
        kernel_px: Side of the kernel.

    Example:
        >>> unseen(9), unseen(31)
        (45, 78)
    """
    return 32 + 3 * kernel_px // 2


def by_tiles(deconvolver: Deconvolver, tile: int, progress: Callable[[float], None] | None = None) -> Deconvolver:
    """What restores images of any size with bounded memory: a file's curve is undone once, the rest goes by tiles."""
    return (
        deconvolver.tiled(tile, progress)
        if isinstance(deconvolver, InLight)
        else Tiled(deconvolver, tile, progress=progress)
    )
