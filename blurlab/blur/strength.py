"""Families whose blurs have a strength in pixels; a family that is none of these has none."""

from __future__ import annotations

import copy
from abc import abstractmethod
from typing import Self

import torch
from torch import Tensor

from blurlab.blur.base import BlurFamily, check_params
from blurlab.blur.weak import check_share, favour_weak, importance


class StrengthFamily(BlurFamily):
    """Blurs with a strength in pixels, one of their parameters or a function of several."""

    @abstractmethod
    def strength_px(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        """Strength in pixels (n,) of blurs with these parameters (n, P); 0 where there is no blur."""

    @abstractmethod
    def at_strength(self, strength_px: Tensor, kind: Tensor | int = 0) -> Tensor:
        """Parameters (n, P) of that kind (n,) at this strength (n,); the others are at the middle of their range."""

    @abstractmethod
    def with_strength(self, params: Tensor, strength_px: Tensor, kind: Tensor | int = 0) -> Tensor:
        """These parameters (n, P) of that kind (n,) at another strength (n,)."""

    def psf_at(self, strength_px: Tensor, kind: Tensor | int = 0) -> Tensor:
        """Kernels (n, 1, k, k) of that kind (n,) at this strength (n,)."""
        return self.psf(self.at_strength(strength_px, kind), kind)


class OneParameterStrength(StrengthFamily):
    """Blurs of which one parameter is the strength: their strengths can be drawn, learned and bounded like it.

    Attributes:
        strength_name: The parameter that is the strength.
        strength_scale: Strength in pixels = this times that parameter.
        weak_share: Share of the strengths that is drawn from the weakest tenth of the range alone.
    """

    strength_name: str
    strength_scale: float = 1.0
    weak_share: float = 0.0

    @property
    def strength_column(self) -> int:
        """Column of the strength among the parameters."""
        return self.names.index(self.strength_name)

    @property
    def strength_range_px(self) -> tuple[float, float]:
        """Weakest and strongest blur in pixels."""
        low, high = self.bounds[self.strength_column]
        return low * self.strength_scale, high * self.strength_scale

    def strength_px(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        check_params(params, self.names)
        return self.strength_scale * params[:, self.strength_column]

    def at_strength(self, strength_px: Tensor, kind: Tensor | int = 0) -> Tensor:
        middle = strength_px.new_tensor([one.middle for one in self.parameters])
        return self.with_strength(middle.repeat(len(strength_px), 1), strength_px)

    def with_strength(self, params: Tensor, strength_px: Tensor, kind: Tensor | int = 0) -> Tensor:
        changed = params.clone()
        changed[:, self.strength_column] = strength_px.to(params) / self.strength_scale
        return changed

    def draw(self, n: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        kind, params = super().draw(n, generator=generator)
        if self.weak_share:
            at, (low, width) = self.strength_column, self._low_and_width()
            params[:, at] = low + width * favour_weak((params[:, at] - low) / width, self.weak_share)
        return kind, params

    def importance(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        if not self.weak_share:
            return super().importance(params, kind)
        check_params(params, self.names)
        low, width = self._low_and_width()
        return importance((params[:, self.strength_column] - low) / width, self.weak_share)

    def with_weak_share(self, share: float) -> Self:
        """The same family with weak blurs drawn more often; unchanged where the strength is no range.

        Args:
            share: Share of the strengths drawn from the weakest tenth of the range alone, in [0, 1).

        Raises:
            ValueError: If the share is not in [0, 1).
        """
        check_share(share)
        other = copy.copy(self)
        if share and self._low_and_width()[1] > 0:
            other.weak_share = share
        return other

    def _low_and_width(self) -> tuple[float, float]:
        low, high = self.bounds[self.strength_column]
        return low, high - low


def strength_of(family: BlurFamily, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
    """Strength in pixels (n,) of blurs of any family; NaN where a kind has none.

    Example:
        >>> from blurlab.blur import Motion
        >>> strength_of(Motion(), torch.tensor([[4.0, 30.0]]))
        tensor([4.])
    """
    if isinstance(family, StrengthFamily):
        return family.strength_px(params, kind)
    return params.new_full((len(params),), torch.nan)
