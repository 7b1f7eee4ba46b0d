"""No blur."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.blur.base import check_params
from blurlab.blur.shape import check_size
from blurlab.blur.strength import StrengthFamily


def identity_psf(
    n: int, size: int, *, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> Tensor:
    """Kernels (n, 1, size, size) that are 1 at the centre and 0 elsewhere.

    Raises:
        ValueError: If the size is even.

    Example:
        >>> identity_psf(1, 3)[0, 0].tolist()
        [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    check_size(size)
    psf = torch.zeros(n, 1, size, size, dtype=dtype, device=device)
    psf[..., size // 2, size // 2] = 1
    return psf


class NoBlur(StrengthFamily):
    """Sharp images: the identity kernel, no parameters, strength 0.

    Args:
        size: Side of the kernels, odd.
    """

    kinds = ("none",)
    has_zeros = False

    def __init__(self, size: int | None = None) -> None:
        super().__init__([], size)

    def extent_px(self, *largest: float) -> float:
        return 1.0

    def psf(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        check_params(params, self.names)
        return identity_psf(len(params), self.size, dtype=params.dtype, device=params.device)

    def strength_px(self, params: Tensor, kind: Tensor | int | None = None) -> Tensor:
        check_params(params, self.names)
        return params.new_zeros(len(params))

    def with_strength(self, params: Tensor, strength_px: Tensor, kind: Tensor | int = 0) -> Tensor:
        return params.clone()

    def at_strength(self, strength_px: Tensor, kind: Tensor | int = 0) -> Tensor:
        return strength_px.new_empty(len(strength_px), 0)
