"""The hierarchy of [Williams2017], figure 1: kind, then strength, then kernel; sharp images leave at once."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from blurlab.blur import BlurFamily, Mixture, NoBlur, Taps
from blurlab.head import KindLabels, StrengthLabels
from blurlab.pipeline.by_kind import ByKind
from blurlab.pipeline.choice import RiskTable, most_probable
from blurlab.pipeline.estimate import BlurEstimate, KindEstimate, by_parameters
from blurlab.pipeline.identifier import refuse_other_ranges
from blurlab.pipeline.strengths import refuse_without_strength
from blurlab.pipeline.task import Task

MOST_STEPS = 10_000
"""Of a range of strengths."""


class Hierarchical(ByKind):
    """A network for the kind and, for each blurred kind, a network for its strength.

    Args:
        family: Mixture with a kind named ``none``; a family of one kind is mixed with no blur.
        step_px: Step between the classes of strength; a range shorter than eight steps is cut into eight.
        candidate_step_px: Step between strengths that may be handed to the deconvolver.
        class_share: What "one class longer" means in the table of error propagation, as a share of the range.
        weak_share: Share of the blurs that the network for the kind meets in training which are drawn from the weakest
            tenth of their range alone, at a lower weight: these are the ones that are hard to tell from none.

    Raises:
        ValueError: If the mixture has no kind ``none``, a kind has no strength, another parameter is a range, or an
            option is out of its range.
    """

    def __init__(
        self,
        family: BlurFamily,
        *,
        step_px: float = 0.25,
        candidate_step_px: float = 0.05,
        class_share: float = 1 / 9,
        weak_share: float = 0.5,
    ) -> None:
        if isinstance(family, Taps):
            raise ValueError("taps are a list of strengths without a kind to name; use pipeline=direct")
        mixed = family if isinstance(family, Mixture) else _with_none(family)
        super().__init__(mixed, class_share)
        refuse_without_strength(mixed)
        refuse_other_ranges(mixed)
        if "none" not in mixed.kinds or len(mixed.kinds) < 2:
            raise ValueError(
                f"the hierarchical pipeline needs a blur with a kind 'none' and others, got {', '.join(mixed.kinds)}; "
                "use blur=hier or another mixture"
            )
        self.often_weak = mixed.with_weak_share(weak_share)
        self.grids = {kind: self._grid(kind, step_px, "step_px") for kind in self.blurred}
        self.candidates = {kind: self._grid(kind, candidate_step_px, "candidate_step_px") for kind in self.blurred}

    def _grid(self, kind: str, step_px: float, name: str) -> Tensor:
        low, high = self.strengths.members[self.family.kinds.index(kind)].strength_range_px
        if not low < high:
            raise ValueError(f"the strength of {kind} is {low:g} px and no range; use pipeline=direct or give a range")
        if not step_px > 0 or (high - low) / step_px > MOST_STEPS:
            raise ValueError(
                f"{name} must be above 0 and cut {high - low:g} px into {MOST_STEPS} steps at most, got {step_px:g}"
            )
        return torch.linspace(low, high, max(8, round((high - low) / step_px)) + 1)

    @property
    def tasks(self) -> tuple[Task, ...]:
        return (Task("type", KindLabels(self.family.kinds), self.often_weak), *self.risk_tasks)

    @property
    def risk_tasks(self) -> tuple[Task, ...]:
        return tuple(
            Task(f"strength_{kind}", StrengthLabels(self.grids[kind].tolist()), self.family.member(kind))
            for kind in self.blurred
        )

    def candidates_px(self, task: Task) -> Tensor:
        return self.candidates[task.name.removeprefix("strength_")]

    def identify(self, y: Tensor, nets: Mapping[str, nn.Module], risks: Mapping[str, RiskTable]) -> BlurEstimate:
        probability = nets["type"](y).softmax(1)
        kind = probability.argmax(1)
        chosen, top, mean = (torch.zeros(len(y), device=y.device) for _ in range(3))
        interval = torch.full((len(y), 2), torch.nan, device=y.device)
        for name in self.blurred:
            rows = (kind == self.family.kinds.index(name)).nonzero().squeeze(1)
            if len(rows) == 0:
                continue
            table, grid = risks[f"strength_{name}"], self.grids[name].to(y)
            posterior = nets[f"strength_{name}"](y[rows]).softmax(1)
            chosen[rows] = table.choose(posterior)
            top[rows] = most_probable(posterior, grid)
            mean[rows] = posterior @ grid
            ends = torch.stack([mean[rows] - table.halfwidth_px, mean[rows] + table.halfwidth_px], dim=1)
            interval[rows] = ends.clamp(float(grid[0]), float(grid[-1]))
        params = self.family.at_strength(mean, kind)
        likeliest = by_parameters(self.family, self.family.at_strength(top, kind), kind)
        label = KindEstimate(kind, probability, chosen, top, mean, interval, params, likeliest)
        return by_parameters(self.family, self.family.at_strength(chosen, kind), kind, label=label)


def _with_none(family: BlurFamily) -> Mixture:
    return Mixture({"none": NoBlur(), family.kinds[-1]: family})
