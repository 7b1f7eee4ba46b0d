"""One network over a short list of taps, none among them: the binary and five-class tests of [Williams2017]."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from blurlab.blur import Taps
from blurlab.head import StrengthLabels
from blurlab.pipeline.choice import RiskTable, credible_classes, most_probable
from blurlab.pipeline.estimate import BlurEstimate, KindEstimate, by_parameters
from blurlab.pipeline.identifier import Identifier, refuse_other_ranges
from blurlab.pipeline.taps_scorer import TapsScorer
from blurlab.pipeline.task import Task


class Direct(Identifier):
    """A network that names the number of taps; 1 tap is no blur.

    Args:
        family: The taps, with ``none`` as a class.

    Raises:
        ValueError: If the family is another.
    """

    def __init__(self, family: Taps) -> None:
        if not isinstance(family, Taps):
            raise ValueError(f"the direct pipeline names a number of taps, got {type(family).__name__}; use blur=taps")
        super().__init__(family)
        refuse_other_ranges(family)
        self.taps_px = torch.tensor([float(n) for n in family.classes])
        self.family: Taps = family

    @property
    def tasks(self) -> tuple[Task, ...]:
        return (Task("taps", StrengthLabels(self.taps_px.tolist()), self.family),)

    @property
    def risk_tasks(self) -> tuple[Task, ...]:
        return self.tasks

    def candidates_px(self, task: Task) -> Tensor:
        return self.taps_px

    @property
    def scorer(self) -> TapsScorer:
        return TapsScorer(self.family)

    def identify(self, y: Tensor, nets: Mapping[str, nn.Module], risks: Mapping[str, RiskTable]) -> BlurEstimate:
        posterior = nets["taps"](y).softmax(1)
        top, chosen = most_probable(posterior, self.taps_px), risks["taps"].choose(posterior)
        kind = (top > 1).long()
        blurred = posterior[:, 1:].sum(1)
        interval = credible_classes(posterior, self.taps_px)
        params = self.family.at_strength(top, kind)
        label = KindEstimate(
            kind=kind,
            probability=torch.stack([1 - blurred, blurred], dim=1),
            strength_px=torch.where(chosen > 1, chosen, 0.0),
            strength_map_px=torch.where(top > 1, top, 0.0),
            strength_mean_px=torch.where(top > 1, posterior @ self.taps_px.to(posterior), 0.0),
            interval_px=torch.where((top > 1)[:, None], interval, torch.nan),
            params=params,
            most_probable=by_parameters(self.family, params, kind),
        )
        used = (chosen > 1).long()
        return by_parameters(self.family, self.family.at_strength(chosen, used), used, label=label)
