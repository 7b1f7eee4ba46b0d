"""What identifiers share that name the kind first: a mixture of kinds, each with a strength."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.blur import Mixture
from blurlab.likelihood import caution
from blurlab.pipeline.identifier import Identifier
from blurlab.pipeline.kind_scorer import KindScorer


class ByKind(Identifier):
    """Kind, then strength.

    Args:
        family: The kinds.
        class_share: What "one class longer" means in the table of error propagation, as a share of the range.

    Raises:
        ValueError: If a kind has no strength.
    """

    def __init__(self, family: Mixture, class_share: float) -> None:
        super().__init__(family)
        self.family: Mixture = family
        self.class_share = class_share
        self.blurred = tuple(kind for kind in family.kinds if kind != "none")
        for kind in self.blurred:
            if not hasattr(family.member(kind), "strength_name"):
                raise ValueError(f"{kind} has no one parameter for its strength; use a blur that has, such as gaussian")

    @property
    def scorer(self) -> KindScorer:
        return KindScorer(self.family, {kind: self.range_px(kind) for kind in self.blurred}, self.class_share)

    def of_kind(self, params: Tensor, kind: Tensor) -> Tensor:
        """Parameters (B, P) with NaN for all but the kind found (B,)."""
        kept = torch.full_like(params, torch.nan)
        for index in range(len(self.family.kinds)):
            columns = self.family.columns(index)
            kept[:, columns] = torch.where((kind == index)[:, None], params[:, columns], torch.nan)
        return kept

    def halfwidth_px(self, halfwidth: Tensor, kind: Tensor) -> Tensor:
        """Half an interval of the strength (B,) from half an interval of each parameter (B, P); NaN for no blur."""
        half = torch.full((len(kind),), torch.nan, device=halfwidth.device, dtype=halfwidth.dtype)
        for name in self.blurred:
            index, member = self.family.kinds.index(name), self.family.member(name)
            column = self.family.columns(index).start + member.names.index(member.strength_name)
            half = torch.where(kind == index, halfwidth[:, column] * member.strength_scale, half)
        return half

    def cautious_px(self, strength_px: Tensor, halfwidth_px: Tensor, kind: Tensor) -> Tensor:
        """Strength (B,) of the kernel to hand on: too large a one costs more than too small a one.

        It lies below the estimate by the share of half the 90 % interval that lost least on photographs.
        """
        chosen = strength_px.clone()
        for name in self.blurred:
            member = self.family.member(name)
            below = strength_px - caution(member.strength_name) * halfwidth_px
            here = kind == self.family.kinds.index(name)
            chosen = torch.where(here, below.clamp_min(self.range_px(name)[0]), chosen)
        return chosen

    def range_px(self, kind: str) -> tuple[float, float]:
        """Weakest and strongest blur of a kind, in pixels of strength."""
        member = self.family.member(kind)
        low, high = member.bounds[member.names.index(member.strength_name)]
        return low * member.strength_scale, high * member.strength_scale
