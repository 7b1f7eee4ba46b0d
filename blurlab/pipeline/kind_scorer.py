"""Scores of identifiers that name the kind of blur first, and its strength on a continuous scale."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from blurlab.blur import Mixture, OneParameterStrength
from blurlab.physics import Degraded
from blurlab.pipeline.estimate import KindEstimate
from blurlab.pipeline.scorer import Scorer


class KindScorer(Scorer):
    """The classes are the kinds.

    Args:
        family: The kinds.
        members: The families whose strength is one of their parameters, by the index of their kind.
        class_share: What "one class longer" means in the table of error propagation, as a share of the range.
    """

    name = "type"
    accuracy = curve = "type_accuracy"
    discrete = False

    def __init__(self, family: Mixture, members: Mapping[int, OneParameterStrength], class_share: float) -> None:
        super().__init__(family)
        self.labels = family.kinds
        self.members = members
        self.class_share = class_share

    def classes(self, kind: Tensor, strength_px: Tensor) -> Tensor:
        return kind

    def is_correct(self, label: KindEstimate, truth: Degraded) -> Tensor:
        return label.kind == truth.kind

    def neighbours_px(self, kind: Tensor, strength_px: Tensor) -> tuple[Tensor, Tensor]:
        longer = torch.full_like(strength_px, torch.nan)
        shorter = longer.clone()
        for index, member in self.members.items():
            low, high = member.strength_range_px
            step, here = self.class_share * (high - low), kind == index
            longer = torch.where(here & (strength_px + step <= high), strength_px + step, longer)
            shorter = torch.where(here & (strength_px - step >= low), strength_px - step, shorter)
        return longer, shorter

    def strength_errors(self) -> dict[str, tuple[str, float]]:
        return {
            self.labels[index]: (member.strength_name.replace("_px", "_mae_px"), 1 / member.strength_scale)
            for index, member in self.members.items()
        }
