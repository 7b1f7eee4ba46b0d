"""What identifiers share that name the kind first, then measure its parameters: a mixture of kinds."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.blur import Mixture
from blurlab.pipeline.identifier import Identifier
from blurlab.pipeline.kind_scorer import KindScorer
from blurlab.pipeline.strengths import Strengths


class ByKind(Identifier):
    """Kind, then parameters; a kind may have a strength or none.

    Args:
        family: The kinds.
        class_share: What "one class longer" means in the table of error propagation, as a share of the range.

    Raises:
        ValueError: If the share is not above 0 and at most 1.

    Attributes:
        blurred: Names of the kinds but ``none``.
        strengths: What follows from the strength, where a kind has one.
    """

    def __init__(self, family: Mixture, class_share: float) -> None:
        super().__init__(family)
        if not 0 < class_share <= 1:
            raise ValueError(f"class_share must be above 0 and at most 1, got {class_share:g}; 1/9 is 1 px of 1 to 10")
        self.family: Mixture = family
        self.blurred = tuple(kind for kind in family.kinds if kind != "none")
        self.strengths = Strengths(family)
        self.class_share = class_share

    @property
    def scorer(self) -> KindScorer:
        return KindScorer(self.family, self.strengths.members, self.class_share)

    def of_kind(self, params: Tensor, kind: Tensor) -> Tensor:
        """Parameters (B, P) with NaN for all but the kind found (B,)."""
        kept = torch.full_like(params, torch.nan)
        for index in range(len(self.family.kinds)):
            columns = self.family.columns(index)
            kept[:, columns] = torch.where((kind == index)[:, None], params[:, columns], torch.nan)
        return kept
