"""A bilateral filter over another deconvolver's result, as wide in intensity as the noise."""

from __future__ import annotations

from typing import Self

from torch import Tensor

from blurlab.deconvolver.base import Deconvolver, Restored, check_count, check_option


class Bilateral(Deconvolver):
    """What ``inner`` restores, smoothed where its values are alike [Tomasi1998].

    ``u_i = sum_j w_ij v_j / sum_j w_ij``, ``w_ij = exp(-|i - j|^2 / (2 space^2) - |v_i - v_j|_1^2 / (2 color^2))`` over
    a window; |.|_1 adds over channels. [Gilbert2019] had a window of 7, color 40 / 255 and space 10 px.

    Args:
        inner: The deconvolver whose noise is to be smoothed.
        window: Side of the window, odd, [px].
        color: Standard deviation in intensity on the [0, 1] scale; None is ``strength sigma`` for each image.
        strength: color / sigma where color is None.
        space: Standard deviation in space, [px].
    """

    def __init__(
        self,
        inner: Deconvolver,
        window: int = 7,
        color: float | None = None,
        strength: float = 3.0,
        space: float = 10.0,
    ) -> None:
        if not isinstance(inner, Deconvolver):
            raise TypeError(f"inner must be a Deconvolver, got {type(inner).__name__}; nest its _target_")
        check_count("window", window, 1, 99)
        if window % 2 == 0:
            raise ValueError(f"window must be odd, got {window}; use {int(window) + 1}")
        if color is not None:
            check_option("color", color, 1e-6, 10)
        check_option("strength", strength, 1e-3, 1e4)
        check_option("space", space, 1e-3, 1e3)
        self.inner = inner
        self.takes = inner.takes
        self.estimates_outside, self.boundary, self.upper = inner.estimates_outside, inner.boundary, inner.upper
        self.window = int(window)
        self.color: float | Tensor | None = color
        self.strength = strength
        self.space = space

    def restore(self, y: Tensor, psf: Tensor, sigma: Tensor) -> Restored:
        """Restore by ``inner``, then one filter; inner's history."""
        from kornia.filters import bilateral_blur

        restored = self.inner.restore(y, psf, sigma)
        color = self.strength * sigma.flatten() if self.color is None else self.color
        space = (self.space, self.space)
        smoothed = bilateral_blur(restored.image, self.window, color, space, border_type="replicate")
        return Restored(smoothed, restored.history)

    def at_level(self, level: Tensor) -> Self:
        """The same for images divided by their level, ``inner`` too; color is an intensity."""
        scaled = super().at_level(level)
        scaled.inner = self.inner.at_level(level)
        scaled.color = None if self.color is None else self.color / level
        return scaled

    def freeze(self, parts: Tensor, psf: Tensor, sigma: Tensor) -> Self:
        """The same with the inner deconvolver frozen."""
        frozen = super().freeze(parts, psf, sigma)
        frozen.inner = self.inner.freeze(parts, psf, sigma)
        return frozen
