"""Kind and parameters by the spectral likelihood: no network, nothing to train."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from blurlab.blur import BlurFamily, Mixture, Taps
from blurlab.likelihood import Refiner, interval_spread, kind_probability
from blurlab.pipeline.by_kind import ByKind
from blurlab.pipeline.choice import RiskTable
from blurlab.pipeline.identification import Identification
from blurlab.pipeline.question import Question


class Likelihood(ByKind):
    """Each kind is fitted to the image's spectrum; the kind is the one of most evidence.

    Args:
        family: Blurs of one kind or a mixture; any of their parameters may be a range.
        window: Side of the windows of the spectrum, px.
        hop: Distance between windows, px.
        tapers: Sine tapers along each axis.
        starts: Kernels of the grid from which a fit begins.
        iterations: Steps of each fit.
        class_share: What "one class longer" means in the table of error propagation, as a share of the range.

    Raises:
        ValueError: If the family is one of taps.
    """

    def __init__(
        self,
        family: BlurFamily,
        *,
        window: int = 64,
        hop: int = 32,
        tapers: int = 1,
        starts: int = 3,
        iterations: int = 12,
        class_share: float = 1 / 9,
    ) -> None:
        if isinstance(family, Taps):
            raise ValueError("taps are no range that could be fitted; use blur=motion, or pipeline=direct for taps")
        super().__init__(family if isinstance(family, Mixture) else Mixture({family.kinds[-1]: family}), class_share)
        self.refiners = [
            Refiner(
                self.family.member(kind), window=window, hop=hop, tapers=tapers, starts=starts, iterations=iterations
            )
            for kind in self.family.kinds
        ]

    @property
    def questions(self) -> tuple[Question, ...]:
        return ()

    @property
    def risk_questions(self) -> tuple[Question, ...]:
        return ()

    def candidates_px(self, question: Question) -> Tensor:
        raise ValueError(f"the likelihood asks no question, so none named {question.name}")

    def identify(self, y: Tensor, nets: Mapping[str, nn.Module], risks: Mapping[str, RiskTable]) -> Identification:
        fits = [refiner(y) for refiner in self.refiners]
        probability = kind_probability(fits, self.family.weights)
        kind = probability.argmax(1)
        params = torch.full((len(y), len(self.family.names)), torch.nan, device=y.device)
        spread, sigma = (torch.full((len(y),), torch.nan, device=y.device) for _ in range(2))
        start = 0
        for index, fit in enumerate(fits):
            member, rows = self.family.member(index), (kind == index).nonzero().squeeze(1)
            columns = slice(start, start := start + len(member.names))
            params[rows, columns] = fit.params[rows].to(params)
            sigma[rows] = fit.sigma[rows].to(sigma)
            if member.names:
                place = member.names.index(member.strength_name)
                sd = fit.covariance[rows, place, place].sqrt() * member.strength_scale
                spread[rows] = (sd * interval_spread(member.strength_name)).to(spread)
        strength = self.family.strength_px(params, kind)
        ends = torch.stack([strength - spread, strength + spread], 1)
        psf = self.family.psf(params, kind)
        return Identification(kind, probability.to(y), strength, strength, strength, ends, params, psf, psf, sigma)
