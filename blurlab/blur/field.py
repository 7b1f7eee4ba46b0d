"""Blur that grows from the middle of the image to its corners: one family's kernels, stronger with the distance."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.blur.base import check_params
from blurlab.blur.parameter import Range, parameter
from blurlab.blur.shape import check_size
from blurlab.blur.strength import OneParameterStrength, StrengthFamily
from blurlab.physics import LocalBlur, ProductConvolution, hat_windows

SQUARE = 65
"""Side of the image over which kernels are averaged, [px]: how much of a square lies at which distance."""


class Field(StrengthFamily):
    """Blurs of one family whose strength is ``s (1 + (growth - 1) d^2)`` at distance d from the middle of the image.

    d is 1 in the corners. A lens whose image is curved blurs a flat object so: the defocus grows with the square of the
    distance. Between ``kernels`` kernels, evenly apart in strength, the operator interpolates.

    Parameters are those of the family, for the middle of the image, and ``growth``; the strength is that in the middle.

    Args:
        family: A family of one kind, one of whose parameters is the strength.
        growth: Range of the strength in the corners over that in the middle.
        kernels: K of :class:`~blurlab.physics.ProductConvolution`.
        size: Side of the kernels; the smallest odd one that holds the largest blur if None.

    Raises:
        TypeError: If the family has no such strength.
        ValueError: If there are fewer than two kernels, or the size is even or too small.

    Example:
        >>> from blurlab.blur import Defocus
        >>> field = Field(Defocus([1, 2]), growth=[2, 3])
        >>> field.names, field.size
        (('radius_px', 'growth'), 13)
        >>> operator = field.operator(torch.tensor([[1.0, 3.0]]), shape=(33, 33), boundary="reflect")
        >>> [round(float(operator.psf_at(*at).amax()), 3) for at in ((16, 16), (8, 8), (0, 0))]
        [0.318, 0.145, 0.035]
    """

    varies = True

    def __init__(
        self, family: OneParameterStrength, growth: Range = (2.0, 4.0), kernels: int = 8, size: int | None = None
    ) -> None:
        if not isinstance(family, OneParameterStrength) or len(family.kinds) != 1:
            raise TypeError(
                f"a field grows the strength of one kind of blur, got {type(family).__name__}; use such as Defocus"
            )
        if isinstance(kernels, bool) or not isinstance(kernels, int) or kernels < 2:
            raise ValueError(f"kernels must be a whole number, 2 or more, got {kernels!r}")
        self.family, self.kernels = family, kernels
        self.kinds = (f"{family.kinds[0]}_field",)
        self.symmetric, self.may_cut, self.has_zeros = family.symmetric, family.may_cut, family.has_zeros
        super().__init__((*family.parameters, parameter("growth", "", growth)), size)
        check_size(self.size)

    def extent_px(self, *largest: float) -> float:
        own, growth = list(largest[:-1]), largest[-1]
        own[self.family.strength_column] *= max(growth, 1.0)
        return self.family.extent_px(*own)

    def strength_px(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        check_params(params, self.names)
        return self.family.strength_px(params[:, :-1])

    def at_strength(self, strength_px: Tensor, kind: Tensor | int = 0) -> Tensor:
        own = self.family.at_strength(strength_px)
        return torch.cat([own, own.new_full((len(own), 1), self.parameters[-1].middle)], 1)

    def with_strength(self, params: Tensor, strength_px: Tensor, kind: Tensor | int = 0) -> Tensor:
        return torch.cat([self.family.with_strength(params[:, :-1], strength_px), params[:, -1:]], 1)

    def psf(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        """The mean over a square image: what a method that knows one kernel may use."""
        windows = self._windows((SQUARE, SQUARE), params)
        return (windows.mean((-2, -1))[:, None, None] * self._kernels(params)).sum(1, keepdim=True)

    def operator(
        self, params: Tensor, kind: Tensor | int | None = None, *, shape: tuple[int, int], boundary: str = "valid"
    ) -> LocalBlur:
        return ProductConvolution(self._kernels(params), self._windows(shape, params)[None], boundary)

    def _kernels(self, params: Tensor) -> Tensor:
        """Those evenly apart in strength, from the middle to the corners, (n, K, k, k)."""
        strength, growth = self.strength_px(params)[:, None], params[:, -1:]
        share = torch.linspace(0, 1, self.kernels, dtype=params.dtype, device=params.device)
        own = params[:, :-1].repeat_interleave(self.kernels, 0)
        every = self.family.with_strength(own, (strength * (1 + (growth - 1) * share)).flatten())
        return self.family.with_size(self.size).psf(every).reshape(len(params), self.kernels, self.size, self.size)

    def _windows(self, shape: tuple[int, int], like: Tensor) -> Tensor:
        """Hats in the square of the distance from the middle, (K, H, W)."""
        rows, cols = (torch.linspace(-1, 1, side, dtype=like.dtype, device=like.device) * side for side in shape)
        squared = rows[:, None].square() + cols.square()
        return hat_windows(squared / squared.amax() * (self.kernels - 1), self.kernels)
