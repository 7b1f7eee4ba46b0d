"""One network over a short list of taps, none among them: the binary and five-class tests of [Williams2017]."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from blurlab.blur import Taps
from blurlab.head import StrengthLabels
from blurlab.pipeline.choice import RiskTable, credible_classes, most_probable
from blurlab.pipeline.identification import Identification, Identifier, refuse_other_ranges
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

    def neighbours_px(self, kind: Tensor, strength_px: Tensor) -> tuple[Tensor, Tensor]:
        here = self.headline_class(kind, strength_px)
        padded = torch.nn.functional.pad(self.taps_px.to(strength_px), (1, 1), value=torch.nan)
        longer, shorter = padded[here + 2], padded[here]
        blurred = strength_px > 1
        return (
            torch.where(blurred, longer, torch.nan),
            torch.where(blurred & (shorter > 1), shorter, torch.nan),
        )

    def is_correct(self, found: Identification, kind: Tensor, strength_px: Tensor) -> Tensor:
        return self.headline_class(found.kind, found.strength_map_px) == self.headline_class(kind, strength_px)

    def confusion_labels(self) -> tuple[str, ...]:
        return tuple("none" if n == 1 else f"{n:g} taps" for n in self.taps_px.tolist())

    def headline_class(self, kind: Tensor, strength_px: Tensor) -> Tensor:
        return torch.searchsorted(self.taps_px.to(strength_px.device), strength_px.clamp_min(1.0).contiguous())

    def rivals(self) -> Tensor:
        return self.family.psf_at(self.taps_px, (self.taps_px > 1).long())

    def strength_errors(self) -> dict[str, tuple[str, float]]:
        return {}

    def identify(self, y: Tensor, nets: Mapping[str, nn.Module], risks: Mapping[str, RiskTable]) -> Identification:
        posterior = nets["taps"](y).softmax(1)
        top, chosen = most_probable(posterior, self.taps_px), risks["taps"].choose(posterior)
        kind = (top > 1).long()
        blurred = posterior[:, 1:].sum(1)
        interval = credible_classes(posterior, self.taps_px)
        return Identification(
            kind=kind,
            kind_probability=torch.stack([1 - blurred, blurred], dim=1),
            strength_px=torch.where(chosen > 1, chosen, 0.0),
            strength_map_px=torch.where(top > 1, top, 0.0),
            strength_mean_px=torch.where(top > 1, posterior @ self.taps_px.to(posterior), 0.0),
            interval_px=torch.where((top > 1)[:, None], interval, torch.nan),
            params=self.family.at_strength(top, kind),
            psf=self.family.psf_at(chosen, (chosen > 1).long()),
            psf_map=self.family.psf_at(top, kind),
        )
