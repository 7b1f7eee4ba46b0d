"""Parameters by the spectral likelihood, the kind by its evidence or by a network."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from blurlab.blur import BlurFamily, Mixture, Taps
from blurlab.head import KindLabels
from blurlab.likelihood import Fit, Refiner, interval_halfwidth, kind_probability
from blurlab.pipeline.by_kind import ByKind
from blurlab.pipeline.choice import RiskTable
from blurlab.pipeline.identification import Identification
from blurlab.pipeline.question import Question


class Likelihood(ByKind):
    """Each kind is fitted to the image's spectrum; the kind is the one of most evidence. No network, no training.

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
        raise ValueError(f"the likelihood picks its own kernel, none is picked by {question.name}")

    def identify(self, y: Tensor, nets: Mapping[str, nn.Module], risks: Mapping[str, RiskTable]) -> Identification:
        fits = [refiner(y) for refiner in self.refiners]
        probability = kind_probability(fits, self.family.weights).to(y)
        every = torch.arange(len(y), device=y.device)
        return self._found(y, probability, [(fit, every) for fit in fits])

    def _found(self, y: Tensor, probability: Tensor, fits: list[tuple[Fit, Tensor] | None]) -> Identification:
        """The most probable kind with its fit; each fit comes with the rows of the batch that it was made of."""
        kind = probability.argmax(1)
        params = torch.full((len(y), len(self.family.names)), torch.nan, device=y.device)
        spread, sigma = (torch.full((len(y),), torch.nan, device=y.device) for _ in range(2))
        start = 0
        for index, known in enumerate(fits):
            member = self.family.member(index)
            columns = slice(start, start := start + len(member.names))
            if known is None:
                continue
            fit, rows = known
            mine = kind[rows] == index
            to = rows[mine]
            params[to, columns] = fit.params[mine].to(params)
            sigma[to] = fit.sigma[mine].to(sigma)
            if member.names:
                place = member.names.index(member.strength_name)
                half = interval_halfwidth(member.strength_name, fit.covariance[mine, place, place].sqrt())
                spread[to] = (half * member.strength_scale).to(spread)
        strength = self.family.strength_px(params, kind)
        ends = torch.stack([strength - spread, strength + spread], 1)
        psf = self.family.psf(params, kind)
        return Identification(kind, probability, strength, strength, strength, ends, params, psf, psf, sigma)


class Refined(Likelihood):
    """A network says the kind, the likelihood fits that kind's parameters.

    Args:
        family: As :class:`Likelihood`; two kinds or more.
        weak_share: Share of the blurs that the network meets in training which are drawn from the weakest tenth of
            their range alone, at a lower weight.
        window: As :class:`Likelihood`; so are the others.
        hop: Distance between windows, px.
        tapers: Sine tapers along each axis.
        starts: Kernels of the grid from which a fit begins.
        iterations: Steps of each fit.
        class_share: What "one class longer" means, as a share of the range.

    Raises:
        ValueError: If there is one kind only, or the family is one of taps.
    """

    def __init__(
        self,
        family: BlurFamily,
        *,
        weak_share: float = 0.5,
        window: int = 64,
        hop: int = 32,
        tapers: int = 1,
        starts: int = 3,
        iterations: int = 12,
        class_share: float = 1 / 9,
    ) -> None:
        super().__init__(
            family, window=window, hop=hop, tapers=tapers, starts=starts, iterations=iterations, class_share=class_share
        )
        if len(self.family.kinds) < 2:
            raise ValueError(
                f"one kind, {self.family.kinds[0]}, is no question for a network; use pipeline=likelihood or a mixture"
            )
        self.weak_share = weak_share

    @property
    def questions(self) -> tuple[Question, ...]:
        return (Question("type", KindLabels(self.family.kinds), self.family.with_weak_share(self.weak_share)),)

    def identify(self, y: Tensor, nets: Mapping[str, nn.Module], risks: Mapping[str, RiskTable]) -> Identification:
        probability = nets["type"](y).softmax(1)
        kind = probability.argmax(1)
        found: list[tuple[Fit, Tensor] | None] = []
        for index, refiner in enumerate(self.refiners):
            rows = (kind == index).nonzero().squeeze(1)
            found.append((refiner(y[rows]), rows) if len(rows) else None)
        return self._found(y, probability, found)
