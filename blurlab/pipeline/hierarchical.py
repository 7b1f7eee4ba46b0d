"""The hierarchy of [Williams2017], figure 1: kind, then strength, then kernel; sharp images leave at once."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from blurlab.blur import Mixture
from blurlab.head import KindLabels, StrengthLabels
from blurlab.pipeline.choice import RiskTable, credible_interval, most_probable
from blurlab.pipeline.identification import Identification, Identifier
from blurlab.pipeline.question import Question


class Hierarchical(Identifier):
    """A network for the kind and, for each blurred kind, a network for its strength.

    Args:
        family: Mixture with a kind named ``none``.
        grid_px: First and last strength and the step between classes, in pixels.
        candidate_step_px: Step between strengths that may be handed to the deconvolver.
        class_px: What "one class longer" means in the table of error propagation, in pixels.

    Raises:
        ValueError: If the family is not a mixture with a kind ``none``.
    """

    def __init__(
        self,
        family: Mixture,
        *,
        grid_px: tuple[float, float, float] = (1.0, 10.0, 0.25),
        candidate_step_px: float = 0.05,
        class_px: float = 1.0,
    ) -> None:
        super().__init__(family)
        if "none" not in family.kinds or len(family.kinds) < 2:
            raise ValueError(
                f"the hierarchical pipeline needs a blur with a kind 'none' and others, got {', '.join(family.kinds)}; "
                "use blur=hier or another mixture"
            )
        first, last, step = (float(value) for value in grid_px)
        self.none = family.kinds.index("none")
        self.grid_px = torch.linspace(first, last, round((last - first) / step) + 1)
        self.candidate_count = round((last - first) / candidate_step_px) + 1
        self.class_px = class_px
        self.family: Mixture = family

    @property
    def questions(self) -> tuple[Question, ...]:
        return (Question("type", KindLabels(self.family.kinds), self.family), *self.risk_questions)

    @property
    def risk_questions(self) -> tuple[Question, ...]:
        labels = StrengthLabels(self.grid_px.tolist())
        return tuple(
            Question(f"strength_{kind}", labels, self.family.member(kind))
            for kind in self.family.kinds
            if kind != "none"
        )

    def candidates_px(self, question: Question) -> Tensor:
        return torch.linspace(float(self.grid_px[0]), float(self.grid_px[-1]), self.candidate_count)

    def neighbours_px(self, kind: Tensor, strength_px: Tensor) -> tuple[Tensor, Tensor]:
        longer, shorter = strength_px + self.class_px, strength_px - self.class_px
        low, high = float(self.grid_px[0]), float(self.grid_px[-1])
        blurred = kind != self.none
        return (
            torch.where(blurred & (longer <= high), longer, torch.nan),
            torch.where(blurred & (shorter >= low), shorter, torch.nan),
        )

    def is_correct(self, found: Identification, kind: Tensor, strength_px: Tensor) -> Tensor:
        return found.kind == kind

    def confusion_labels(self) -> tuple[str, ...]:
        return self.family.kinds

    def headline_class(self, kind: Tensor, strength_px: Tensor) -> Tensor:
        return kind

    def identify(self, y: Tensor, nets: Mapping[str, nn.Module], risks: Mapping[str, RiskTable]) -> Identification:
        probability = nets["type"](y).softmax(1)
        kind = probability.argmax(1)
        chosen, top, mean = (torch.zeros(len(y), device=y.device) for _ in range(3))
        interval = torch.full((len(y), 2), torch.nan, device=y.device)
        for index, name in enumerate(self.family.kinds):
            rows = (kind == index).nonzero().squeeze(1)
            if name == "none" or len(rows) == 0:
                continue
            posterior = nets[f"strength_{name}"](y[rows]).softmax(1)
            chosen[rows] = risks[f"strength_{name}"].choose(posterior)
            top[rows] = most_probable(posterior, self.grid_px)
            mean[rows] = posterior @ self.grid_px.to(posterior)
            interval[rows] = credible_interval(posterior, self.grid_px)
        params, psf = self.kernels(kind, chosen)
        return Identification(kind, probability, chosen, top, mean, interval, params, psf)
