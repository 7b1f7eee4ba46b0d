"""What follows from the strength of a blur, for the kinds of a mixture that have one."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.blur import Mixture, OneParameterStrength
from blurlab.likelihood import caution


class Strengths:
    """The kinds of a mixture whose strength is one of their parameters; what is said of the others is NaN.

    Args:
        family: The kinds.

    Attributes:
        members: The families that have such a strength, by the index of their kind.
    """

    def __init__(self, family: Mixture) -> None:
        self.family = family
        members = {index: family.member(index) for index in range(len(family.kinds))}
        self.members = {index: one for index, one in members.items() if isinstance(one, OneParameterStrength)}

    def halfwidth_px(self, halfwidth: Tensor, kind: Tensor) -> Tensor:
        """Half an interval of the strength (B,) from half an interval of each parameter (B, P)."""
        half = torch.full((len(kind),), torch.nan, device=halfwidth.device, dtype=halfwidth.dtype)
        for index, member in self.members.items():
            column = self.family.columns(index).start + member.strength_column
            half = torch.where(kind == index, halfwidth[:, column] * member.strength_scale, half)
        return half

    def cautious_px(self, strength_px: Tensor, halfwidth_px: Tensor, kind: Tensor) -> Tensor:
        """Strength (B,) of the kernel to hand on: too large a one costs more than too small a one.

        It lies below the estimate by the share of half the 90 % interval that lost least on photographs; of a kind
        without a strength it is what came.
        """
        chosen = strength_px.clone()
        for index, member in self.members.items():
            below = strength_px - caution(member.strength_name) * halfwidth_px
            chosen = torch.where(kind == index, below.clamp_min(member.strength_range_px[0]), chosen)
        return chosen


def refuse_without_strength(family: Mixture) -> None:
    """Raise where a kind has no one parameter that is its strength.

    Raises:
        ValueError: Naming the kind.
    """
    for kind in family.kinds:
        if kind != "none" and not isinstance(family.member(kind), OneParameterStrength):
            raise ValueError(f"{kind} has no one parameter for its strength; use pipeline=regression, or another blur")
