"""What every family of blurs promises."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from blurlab.blur.parameter import Parameter, rows_apart, rows_within
from blurlab.blur.shape import check_size, odd_at_least
from blurlab.core.rng import uniform
from blurlab.physics import Convolution, LocalBlur


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

    A family of one kind gives ``kinds``, its parameters, :meth:`extent_px` and :meth:`psf`. One whose blurs have a
    strength is a :class:`~blurlab.blur.strength.StrengthFamily`.

    Attributes:
        kinds: Names of the kinds of blur.
        parameters: What the blurs differ in.
        symmetric: Is the centre of mass at the centre pixel, whatever the parameters?
        may_cut: May a kernel be smaller than its blur (a tail that is cut and renormalised)?
        has_zeros: Has the transfer function zeros, so that a likelihood has several peaks? A Gaussian's has none.
        varies: Is the blur another in different parts of an image? Then :meth:`psf` is its mean.
        size: Side k of the kernels, odd, the same for all.

    Args:
        parameters: Each parameter with its range.
        size: Side of the kernels; the smallest odd one that holds the largest blur if None.

    Raises:
        TypeError: If the size is not a whole number.
        ValueError: If the size is even or too small.
    """

    kinds: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    symmetric: bool = True
    may_cut: bool = False
    has_zeros: bool = True
    varies: bool = False

    def __init__(self, parameters: Sequence[Parameter], size: int | None = None) -> None:
        self.parameters = tuple(parameters)
        needed = self._needed_size()
        self.size = needed if size is None else size
        self._check_size(needed)

    def _needed_size(self) -> int:
        return odd_at_least(self.extent_px(*(one.largest for one in self.parameters)))

    def _check_size(self, needed: int) -> None:
        check_size(self.size)
        if self.size < needed and not self.may_cut:
            raise ValueError(
                f"the strongest {self.kinds[-1]} blur needs a size of {needed}, got {self.size}; use {needed} or more"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each parameter, unit last where it has one: ``radius_px``, ``angle_deg``."""
        return tuple(one.name for one in self.parameters)

    @property
    def units(self) -> tuple[str, ...]:
        """Unit of each parameter."""
        return tuple(one.unit for one in self.parameters)

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        """``(low, high)`` of each parameter."""
        return tuple((one.low, one.high) for one in self.parameters)

    @property
    def free(self) -> list[int]:
        """Columns of the parameters that can be estimated and are ranges."""
        return [place for place, one in enumerate(self.parameters) if one.is_free]

    @abstractmethod
    def extent_px(self, *largest: float) -> float:
        """Width in pixels of the blur with the largest magnitude of each parameter."""

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
            ValueError: If its shape is not (n, P), or a value is not finite, too large for ``size``, or negative where
                its parameter has no sign.
        """

    def operator(
        self, params: Tensor, kind: Tensor | int | None = None, *, shape: tuple[int, int], boundary: str = "valid"
    ) -> LocalBlur:
        """What the blurs with these parameters do to images.

        Args:
            params: Parameters (n, P).
            kind: Index of each row's kind (n,), as for :meth:`psf`.
            shape: Sides (H, W) of the sharp images; of account where the blur varies over them.
            boundary: One of circular, reflect, replicate, zero, valid.

        Returns:
            An operator on images (n, C, H, W).
        """
        return Convolution(self.psf(params, kind), boundary)

    def draw(self, n: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Kinds (n,) and parameters (n, P), float32, uniform over the ranges, on the generator's device.

        A family may draw otherwise; :meth:`importance` makes up for it.
        """
        columns = [uniform(n, low, high, generator=generator).clamp(low, high) for low, high in self.bounds]
        kind = torch.zeros(n, dtype=torch.long, device=generator.device)
        return kind, torch.stack(columns, dim=1) if columns else torch.empty(n, 0, device=generator.device)

    def sample(self, n: int, *, generator: torch.Generator) -> Blur:
        """Labelled kernels, n of them: :meth:`draw`, then :meth:`psf`."""
        kind, params = self.draw(n, generator=generator)
        return Blur(psf=self.psf(params, kind), kind=kind, params=params)

    def importance(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        """Density of the uniform distribution over that of the draws (n,): the weight of an item in a mean."""
        check_params(params, self.names)
        return params.new_ones(len(params))

    def changes(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        """Which blurs (n,), bool, are wider than one pixel, so that there is something to undo."""
        check_params(params, self.names)
        wide = [self.extent_px(*row) > 1 for row in params.tolist()]
        return torch.tensor(wide, dtype=torch.bool, device=params.device)

    def scaled(self, params: Tensor, factor: float) -> Tensor:
        """Parameters (n, P) of the same blurs in images resized by a factor: lengths are multiplied, others stay."""
        check_params(params, self.names)
        return params * params.new_tensor([factor if one.is_length else 1.0 for one in self.parameters])

    def holds(self, params: Tensor) -> Tensor:
        """Which blurs (n,) have all their parameters (n, P) within the ranges; those that a kind lacks do not count."""
        check_params(params, self.names)
        low, high = params.new_tensor(self.bounds).reshape(-1, 2).T
        return (params.isnan() | ((params >= low) & (params <= high))).all(1)

    def within(self, params: Tensor) -> Tensor:
        """Parameters (n, P) brought into the ranges, those that repeat by whole periods.

        Where two rows of parameters make the same kernel, it is the one that the family draws.
        """
        check_params(params, self.names)
        return rows_within(self.parameters, params)

    def apart(self, params: Tensor, other: Tensor) -> Tensor:
        """How far other parameters (n, P) are from these; of those that repeat the shorter way round."""
        return rows_apart(self.parameters, params, other)

    def measurable(self, params: Tensor) -> Tensor:
        """Which parameters (n, P) the blurs with these parameters have at all, bool: a dot has no angle.

        An error of the others is no error of an estimate, and is not counted.
        """
        check_params(params, self.names)
        return params.isfinite()

    def with_size(self, size: int) -> Self:
        """The same family with kernels of another size."""
        other = copy.copy(self)
        other.size = size
        other._check_size(self._needed_size())
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
