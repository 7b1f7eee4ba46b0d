"""Scores of the identifier that names one of a few numbers of taps."""

from __future__ import annotations

import torch
from torch import Tensor

from blurlab.blur import Taps
from blurlab.physics import Degraded
from blurlab.pipeline.estimate import KindEstimate
from blurlab.pipeline.scorer import Scorer


class TapsScorer(Scorer):
    """The classes are the numbers of taps, 1 standing for no blur.

    Args:
        family: The taps.
    """

    name = "taps"
    curve = "accuracy"
    discrete = True

    def __init__(self, family: Taps) -> None:
        super().__init__(family)
        self.taps_px = torch.tensor([float(n) for n in family.classes])
        self.labels = tuple("none" if n == 1 else f"{n:g} taps" for n in self.taps_px.tolist())
        count = len(self.labels)
        self.accuracy = "binary_accuracy" if count == 2 else f"strength{count}_accuracy"

    def classes(self, kind: Tensor, strength_px: Tensor) -> Tensor:
        return torch.searchsorted(self.taps_px.to(strength_px.device), strength_px.clamp_min(1.0).contiguous())

    def is_correct(self, label: KindEstimate, truth: Degraded) -> Tensor:
        return self.classes(label.kind, label.strength_map_px) == self.classes(truth.kind, truth.strength_px)

    def neighbours_px(self, kind: Tensor, strength_px: Tensor) -> tuple[Tensor, Tensor]:
        here = self.classes(kind, strength_px)
        padded = torch.nn.functional.pad(self.taps_px.to(strength_px), (1, 1), value=torch.nan)
        longer, shorter = padded[here + 2], padded[here]
        blurred = strength_px > 1
        return (
            torch.where(blurred, longer, torch.nan),
            torch.where(blurred & (shorter > 1), shorter, torch.nan),
        )

    def rivals(self) -> Tensor:
        kind = (self.taps_px > 1).long()
        return self.family.psf_at(self.taps_px, kind)
