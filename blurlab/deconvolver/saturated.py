"""Any deconvolver on clipped images: what their bright pixels were is estimated in turn with the sharp image."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor

from blurlab.core.boundary import extend
from blurlab.deconvolver.base import Deconvolver, Restored, check_count, check_option
from blurlab.physics import Convolution

OVER = 1.9
"""Over-relaxation of the turns: between 1 (none) and 2."""
ROOM = 1.2
"""Least of the greatest intensity, in units of white."""


class Saturated(Deconvolver):
    """``inner`` where a clipped pixel counts for no more than that there was at least so much light.

    A pixel at ``white`` is replaced by what the restored image, blurred again, has there, where that is brighter; then
    the image is restored once more. Each turn lowers the misfit of the pixels that were not clipped together with that
    of ``max(white - h * u, 0)``: majorise and minimise [Hunter2004]. Without it each lamp is surrounded by rings.

    ``inner`` needs a greatest intensity above white, as ``deconvolver.inner.upper=4``; one without a bound does, too.
    :class:`~blurlab.deconvolver.LightTV` does the same within its own iteration, which is faster.

    Args:
        inner: The deconvolver.
        white: Where pixels are clipped, on the scale of the images.
        turns: Restorations; 1 is ``inner`` itself.

    Raises:
        TypeError: If ``inner`` is no deconvolver.
        ValueError: If an option is out of its range, or ``inner`` has no room above white.

    Example:
        >>> from blurlab.deconvolver import Wiener
        >>> y = torch.full((1, 1, 24, 24), 0.5)
        >>> bool((Saturated(Wiener())(y, torch.ones(1, 1, 3, 3) / 9, 0.01).image - 0.5).abs().max() < 1e-3)
        True
    """

    def __init__(self, inner: Deconvolver, white: float = 253.5 / 255, turns: int = 8) -> None:
        if not isinstance(inner, Deconvolver):
            raise TypeError(f"inner must be a Deconvolver, got {type(inner).__name__}; nest its _target_")
        check_option("white", white, 1e-3, 1e3)
        check_count("turns", turns, 1, 100)
        if float(inner.upper) < ROOM * white:
            raise ValueError(
                f"clipped light was brighter than white, and inner's images end at {float(inner.upper):g}; set"
                " deconvolver.inner.upper=4, or use one without a bound, as Wiener"
            )
        self.inner = inner
        self.boundary, self.upper, self.estimates_outside = inner.boundary, inner.upper, inner.estimates_outside
        self.white: float | Tensor = white
        self.turns = int(turns)

    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        """The last turn's image and history."""
        clipped = y >= self.white
        restored = self.inner.restore(y, psf, sigma)
        seen = y
        blur, margin = Convolution(psf, "valid"), (psf.shape[-2] // 2, psf.shape[-1] // 2)
        for _ in range(self.turns - 1 if bool(clipped.any()) else 0):
            again = blur.A(extend(restored.image, margin, "replicate"))
            seen = torch.where(clipped, y.maximum(seen + OVER * (again - seen)), y)
            restored = self.inner.restore(seen, psf, sigma)
        return restored

    def at_level(self, level: Tensor) -> Self:
        """The same for images divided by their level, ``inner`` too; white is an intensity."""
        scaled = super().at_level(level)
        scaled.inner, scaled.white = self.inner.at_level(level), self.white / level
        return scaled

    def freeze(self, parts: Tensor, psf: Tensor, sigma: Tensor) -> Self:
        """The same with ``inner`` frozen."""
        frozen = super().freeze(parts, psf, sigma)
        frozen.inner = self.inner.freeze(parts, psf, sigma)
        return frozen
