"""What every family of blurs promises."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from blurlab.blur.shape import check_size, odd_at_least
from blurlab.blur.values import Range, as_range
from blurlab.blur.weak import favour_weak, importance
from blurlab.core.rng import uniform


@dataclass(frozen=True)
class Blur:
    """Labelled kernels.

    Attributes:
        psf: Kernels (n, 1, k, k), k odd, non-negative, sum 1, centred at ``k // 2``.
        kind: Index into the family's ``kinds`` (n,), int64.
        params: Parameters (n, P), one column for each of the family's ``names``; NaN where a kind lacks one.
    """

    psf: Tensor
    kind: Tensor
    params: Tensor


class BlurFamily(ABC):
    """Blurs that differ in a few parameters, drawn uniformly from ranges.

    A family of one kind gives ``kinds``, ``names``, ``strength_name``, :meth:`extent_px` and :meth:`psf`.

    Attributes:
        kinds: Names of the kinds of blur.
        names: Names of the parameters, unit last: ``radius_px``, ``angle_deg``.
        strength_name: The parameter that is the strength.
        strength_scale: Strength in pixels = this times that parameter.
        symmetric: Is the centre of mass at the centre pixel, whatever the parameters?
        may_cut: May a kernel be smaller than its blur (a tail that is cut and renormalised)?
        units: Unit of each parameter.
        bounds: ``(low, high)`` of each parameter.
        size: Side k of the kernels, odd, the same for all.
        weak_share: Share of the strengths that is drawn from the weakest tenth of the range alone.

    Args:
        ranges: Each parameter's ``[low, high]`` or fixed value, in the order of ``names``.
        size: Side of the kernels; the smallest odd one that holds the largest blur if None.

    Raises:
        TypeError: If a range is neither a number nor a pair, or the size is not a whole number.
        ValueError: If a range is reversed, negative or not finite, or the size is even or too small.
    """

    kinds: tuple[str, ...]
    names: tuple[str, ...]
    strength_name: str
    strength_scale: float = 1.0
    symmetric: bool = True
    may_cut: bool = False
    weak_share: float = 0.0

    def __init__(self, ranges: Mapping[str, Range], size: int | None = None) -> None:
        self.bounds = tuple(as_range(value, name) for name, value in ranges.items())
        needed = odd_at_least(self.extent_px(*(high for _, high in self.bounds)))
        self.size = needed if size is None else size
        self._check_size(needed)

    def _check_size(self, needed: int) -> None:
        check_size(self.size)
        if self.size < needed and not self.may_cut:
            raise ValueError(
                f"the strongest {self.kinds[-1]} blur needs a size of {needed}, got {self.size}; use {needed} or more"
            )

    @property
    def units(self) -> tuple[str, ...]:
        """Unit of each parameter: the end of its name."""
        return tuple(name.rsplit("_", 1)[-1] for name in self.names)

    @abstractmethod
    def extent_px(self, *largest: float) -> float:
        """Width in pixels of the blur with the largest value of each parameter."""

    @abstractmethod
    def psf(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        """Kernels with these parameters, differentiable in them.

        Args:
            params: Parameters (n, P), floating-point, on any device.
            kind: Index of each row's kind (n,), or one for all; a family of one kind needs none.

        Returns:
            Kernels (n, 1, size, size) in the dtype and on the device of ``params``.

        Raises:
            TypeError: If ``params`` is not a floating-point tensor.
            ValueError: If its shape is not (n, P), or a value is negative, not finite, or too large for ``size``.
        """

    def draw(self, n: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Kinds (n,) and parameters (n, P), float32, uniform over the ranges, on the generator's device.

        With a ``weak_share`` the strength is not uniform; :meth:`importance` makes up for it.
        """
        columns = [uniform(n, low, high, generator=generator).clamp(low, high) for low, high in self.bounds]
        if self.weak_share:
            at, low, width = self._strength_range()
            columns[at] = low + width * favour_weak((columns[at] - low) / width, self.weak_share)
        kind = torch.zeros(n, dtype=torch.long, device=generator.device)
        return kind, torch.stack(columns, dim=1) if columns else torch.empty(n, 0, device=generator.device)

    def sample(self, n: int, *, generator: torch.Generator) -> Blur:
        """Labelled kernels, n of them: :meth:`draw`, then :meth:`psf`."""
        kind, params = self.draw(n, generator=generator)
        return Blur(psf=self.psf(params, kind), kind=kind, params=params)

    def importance(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        """Density of the uniform distribution over that of the draws (n,): the weight of an item in a mean."""
        check_params(params, self.names)
        if not self.weak_share:
            return params.new_ones(len(params))
        at, low, width = self._strength_range()
        return importance((params[:, at] - low) / width, self.weak_share)

    def _strength_range(self) -> tuple[int, float, float]:
        """Column of the strength, its lowest value and the width of its range."""
        at = self.names.index(self.strength_name)
        low, high = self.bounds[at]
        return at, low, high - low

    def strength_px(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        """Strength in pixels (n,): length, disk diameter, sigma, width or taps; 0 where there is no blur."""
        check_params(params, self.names)
        return self.strength_scale * params[:, self.names.index(self.strength_name)]

    def at_strength(self, strength_px: Tensor, kind: Tensor | int = 0) -> Tensor:
        """Parameters (n, P) of that kind (n,) at this strength (n,); the others are at the middle of their range."""
        middle = strength_px.new_tensor([(low + high) / 2 for low, high in self.bounds])
        params = middle.repeat(len(strength_px), 1)
        params[:, self.names.index(self.strength_name)] = strength_px / self.strength_scale
        return params

    def with_strength(self, params: Tensor, strength_px: Tensor, kind: Tensor | int = 0) -> Tensor:
        """These parameters (n, P) of that kind (n,) at another strength (n,)."""
        changed = params.clone()
        changed[:, self.names.index(self.strength_name)] = strength_px.to(params) / self.strength_scale
        return changed

    def changes(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        """Which blurs (n,), bool, are wider than one pixel, so that there is something to undo."""
        check_params(params, self.names)
        wide = [self.extent_px(*row) > 1 for row in params.tolist()]
        return torch.tensor(wide, dtype=torch.bool, device=params.device)

    def scaled(self, params: Tensor, factor: float) -> Tensor:
        """Parameters (n, P) of the same blurs in images resized by a factor: lengths are multiplied, angles stay."""
        check_params(params, self.names)
        return params * params.new_tensor([factor if unit == "px" else 1.0 for unit in self.units])

    def holds(self, params: Tensor) -> Tensor:
        """Which blurs (n,) have all their parameters (n, P) within the ranges; those that a kind lacks do not count."""
        check_params(params, self.names)
        low, high = params.new_tensor(self.bounds).reshape(-1, 2).T
        return (params.isnan() | ((params >= low) & (params <= high))).all(1)

    def with_size(self, size: int) -> Self:
        """The same family with kernels of another size."""
        other = copy.copy(self)
        other.size = size
        other._check_size(odd_at_least(self.extent_px(*(high for _, high in self.bounds))))
        return other

    def with_weak_share(self, share: float) -> Self:
        """The same family with weak blurs drawn more often; unchanged where the strength is no range.

        Args:
            share: Share of the strengths drawn from the weakest tenth of the range alone, in [0, 1).

        Raises:
            ValueError: If the share is not in [0, 1).
        """
        if not 0 <= share < 1:
            raise ValueError(f"weak_share must be in [0, 1), got {share:g}; 0 draws uniformly")
        other = copy.copy(self)
        if share and self.names and self._strength_range()[2] > 0:
            other.weak_share = share
        return other


def check_params(params: Tensor, names: tuple[str, ...]) -> None:
    """Raise unless ``params`` is a floating-point (n, P) tensor with a column for each of ``names``.

    Raises:
        TypeError: If it is not a floating-point tensor.
        ValueError: If its shape is another.
    """
    if not isinstance(params, Tensor) or not params.is_floating_point():
        came = str(params.dtype) if isinstance(params, Tensor) else type(params).__name__
        raise TypeError(f"params must be a floating-point tensor (n, {len(names)}), got {came}")
    if params.ndim != 2 or params.shape[1] != len(names):
        raise ValueError(f"params must be (n, {len(names)}) for ({', '.join(names)}), got {tuple(params.shape)}")


def kind_rows(kind: Tensor | int, n: int, count: int, device: torch.device) -> Tensor:
    """Kinds as an int64 tensor (n,).

    Raises:
        ValueError: If its shape is not (n,) or an index is not in 0 .. count - 1.
    """
    rows = torch.as_tensor(kind, device=device)
    rows = rows.expand(n) if rows.ndim == 0 else rows
    if rows.shape != (n,) or rows.dtype != torch.long:
        raise ValueError(f"kind must be int64 of shape ({n},), got {rows.dtype} {tuple(rows.shape)}")
    if n and not 0 <= int(rows.min()) <= int(rows.max()) < count:
        raise ValueError(f"kind must lie in 0..{count - 1}, got {int(rows.min())}..{int(rows.max())}")
    return rows
