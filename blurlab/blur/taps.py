"""Horizontal motion over a whole number of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor

from blurlab.blur.base import check_params, kind_rows
from blurlab.blur.parameter import parameter
from blurlab.blur.strength import OneParameterStrength
from blurlab.blur.values import as_psf, check_values


def taps_psf(taps: Tensor, size: int) -> Tensor:
    """Equal weights 1/n in a row of n, at offsets -(n // 2) .. n - 1 - n // 2 from the centre; 1 is the identity.

    An even n is off-centre by half a pixel, as in [Williams2017] with n pixels of motion.

    Args:
        taps: Whole numbers n >= 1 (n,), floating-point.
        size: Side of the kernels, odd, at least 2 (n // 2) + 1.

    Returns:
        Kernels (n, 1, size, size); their gradient in ``taps`` is 0.

    Raises:
        ValueError: If a number is not whole, below 1 or too large, or the size is even.

    Example:
        >>> taps_psf(torch.tensor([4.0]), 5)[0, 0, 2]
        tensor([0.2500, 0.2500, 0.2500, 0.2500, 0.0000])
    """
    first = torch.floor(taps.detach() / 2)
    check_values(size, 2 * first + 1, {"taps": taps})
    if not bool(((taps >= 1) & (taps == taps.round())).all()):
        raise ValueError(f"taps must be whole numbers >= 1, got {taps.flatten().tolist()[:4]}; round them first")
    offset = torch.arange(size, device=taps.device) - size // 2
    inside = (offset >= -first[:, None]) & (offset < (taps.detach() - first)[:, None])
    row = torch.where(inside, 1 / taps[:, None], torch.zeros_like(taps[:, None]))
    centre = (offset == 0).to(taps.dtype)
    return as_psf(row[:, None, :] * centre[:, None], taps.dtype)


class Taps(OneParameterStrength):
    """Sharp or n-tap horizontal motion, each of the classes equally often: the blur of [Williams2017].

    Attributes:
        classes: The numbers of taps in increasing order, 1 standing for no blur.

    Args:
        taps: One number of taps or several, whole, >= 1.
        include_none: Is no blur a class, and a kind of its own?
        size: Side of the kernels.

    Raises:
        TypeError: If a number of taps is not whole.
        ValueError: If there is none, one is below 1, or 1 is given beside ``include_none``.

    Example:
        >>> family = Taps([4, 6, 8, 10])
        >>> family.kinds, family.classes, family.size
        (('none', 'taps'), (1, 4, 6, 8, 10), 11)
    """

    strength_name = "taps"
    symmetric = False

    def __init__(
        self, taps: int | Sequence[int] = (4, 6, 8, 10), include_none: bool = True, size: int | None = None
    ) -> None:
        counts = [taps] if isinstance(taps, int) else taps
        if not isinstance(counts, Sequence) or isinstance(counts, str):
            raise TypeError(f"taps must be a whole number or a list of them, got {taps!r}")
        if any(isinstance(count, bool) or not isinstance(count, int) for count in counts):
            raise TypeError(f"taps must be whole numbers, got {list(counts)!r}")
        lowest = 2 if include_none else 1
        if len(counts) == 0 or min(counts) < lowest:
            raise ValueError(
                f"taps must be one or more numbers >= {lowest}, got {list(counts)}; 1 tap is no blur (include_none)"
            )
        self.kinds = ("none", "taps") if include_none else ("taps",)
        self.classes = tuple(sorted({*counts, 1} if include_none else {*counts}))
        super().__init__([parameter("taps", "px", [min(counts), max(counts)])], size)

    def extent_px(self, *largest: float) -> float:
        return 2 * (largest[0] // 2) + 1

    def draw(self, n: int, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        index = torch.randint(len(self.classes), (n,), generator=generator, device=generator.device)
        taps = torch.tensor(self.classes, dtype=torch.float32, device=generator.device)[index]
        if len(self.kinds) == 1:
            return torch.zeros_like(index), taps[:, None]
        kind = (taps > 1).long()
        return kind, torch.where(kind == 1, taps, torch.nan)[:, None]

    def holds(self, params: Tensor) -> Tensor:
        """Which rows (n,) are one of the classes; no blur is one."""
        taps = self._taps(params, None)
        return torch.isin(taps, taps.new_tensor([0.0, *self.classes]))

    def with_weak_share(self, share: float) -> Self:
        """The same family: a list of taps has no weak end."""
        return self

    def psf(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        taps = self._taps(params, kind)
        return taps_psf(torch.where(taps == 0, 1.0, taps), self.size)

    def strength_px(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        return self._taps(params, kind)

    def at_strength(self, strength_px: Tensor, kind: Tensor | int = 0) -> Tensor:
        """The nearest whole number of taps (n, 1), NaN for the kind ``none``."""
        rows = kind_rows(kind, len(strength_px), len(self.kinds), strength_px.device)
        taps = strength_px.round().clamp_min(1.0)
        return torch.where(rows == self.kinds.index("taps"), taps, torch.nan)[:, None]

    def _taps(self, params: Tensor, kind: Tensor | int | None) -> Tensor:
        """Numbers of taps (n,), 0 for the kind ``none``, which is where they are NaN if ``kind`` is not given."""
        check_params(params, self.names)
        if len(self.kinds) == 1:
            return params[:, 0]
        sharp = params[:, 0].isnan() if kind is None else kind_rows(kind, len(params), 2, params.device) == 0
        return torch.where(sharp, torch.zeros_like(params[:, 0]), params[:, 0])
