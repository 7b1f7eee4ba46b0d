"""Kind and parameters by the spectral likelihood: no network, no training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from blurlab.blur import BlurFamily, Mixture, Taps
from blurlab.likelihood import (
    Fit,
    Refiner,
    has_one_direction,
    interval_halfwidth,
    kind_probability,
    sharper_than,
)
from blurlab.pipeline.by_kind import ByKind
from blurlab.pipeline.choice import RiskTable
from blurlab.pipeline.estimate import BlurEstimate, KindEstimate, by_parameters
from blurlab.pipeline.strengths import refuse_without_strength
from blurlab.pipeline.task import Task

LEAST_PX = 64
"""Side of the smallest image of which it is asked whether it shows its blur at all: in a smaller patch of a photograph
there is often one edge alone, most of all where a blur took the others away."""
UNEXPLAINED = 1.0
"""Misfit from which no kind explains an image: it has a few frequencies only, as checks and halftones do. The spectra
of photographs, however small a patch, missed by less (``experiments/bench/content.py``)."""
SHARPER = 1.05
"""By so much may neighbouring pixels differ more than the blur that was found allows, for it may be found too wide. Of
blurred photographs none came near it (``experiments/bench/content.py``)."""


class Likelihood(ByKind):
    """Each kind is fitted to the image's spectrum; the kind is the one of most evidence.

    Of an image of 64 px or more that varies along one direction only, whose spectrum no kind explains, or which shows
    edges that the blur of its spectrum would not have left (a drawn shape), nothing is told: every kind is as likely,
    and nothing is undone.

    Args:
        family: Blurs of one kind or a mixture; any of their parameters may be a range.
        fit: Makes a :class:`Refiner` of one kind.
        class_share: What "one class longer" means in the table of error propagation, as a share of the range.

    Raises:
        ValueError: If the family is one of taps, or a kind has no strength.
    """

    def __init__(
        self, family: BlurFamily, *, fit: Callable[[BlurFamily], Refiner] = Refiner, class_share: float = 1 / 9
    ) -> None:
        if isinstance(family, Taps):
            raise ValueError("taps are no range that could be fitted; use blur=motion, or pipeline=direct for taps")
        super().__init__(family if isinstance(family, Mixture) else Mixture({family.kinds[-1]: family}), class_share)
        refuse_without_strength(self.family)
        self.refiners = [fit(self.family.member(kind)) for kind in self.family.kinds]

    @property
    def finds_noise(self) -> bool:
        return True

    @property
    def tasks(self) -> tuple[Task, ...]:
        return ()

    def identify(self, y: Tensor, nets: Mapping[str, nn.Module], risks: Mapping[str, RiskTable]) -> BlurEstimate:
        fits = [refiner(y) for refiner in self.refiners]
        found = self.most_likely(fits, y)
        if min(y.shape[-2:]) < LEAST_PX:
            return found
        rows = (has_one_direction(y) | unexplained(fits).to(y.device) | contradicted(y, found)).nonzero().squeeze(1)
        if not len(rows):
            return found
        nothing = self.uninformed(y[rows])
        return found.with_rows(rows, nothing if found.sigma is None else replace(nothing, sigma=found.sigma[rows]))

    def most_likely(self, fits: Sequence[Fit], y: Tensor) -> BlurEstimate:
        """The kind of most evidence, whatever the images show.

        Args:
            fits: Of each kind, in the order of the family's.
            y: Observed images.
        """
        probability = kind_probability(fits, self.family.weights).to(y)
        kind = probability.argmax(1)
        every = torch.cat([fit.params for fit in fits], 1).to(y)
        params = self.of_kind(every, kind)
        half = [
            interval_halfwidth(name, fit.covariance[:, place, place].sqrt())
            for index, fit in enumerate(fits)
            for place, name in enumerate(self.family.member(index).names)
        ]
        halfwidth = torch.stack(half, 1).to(y) if half else every
        spread = self.strengths.halfwidth_px(halfwidth, kind)
        top = self.family.strength_px(params, kind).nan_to_num(0.0)
        chosen = self.strengths.cautious_px(top, spread, kind)
        sigma = torch.stack([fit.sigma for fit in fits], 1).to(y).gather(1, kind[:, None])[:, 0]
        ends = torch.stack([top - spread, top + spread], 1).clamp_min(0)
        likeliest = by_parameters(self.family, params, kind)
        label = KindEstimate(kind, probability, chosen, top, top, ends, params, likeliest, halfwidth)
        return by_parameters(self.family, self.family.with_strength(params, chosen, kind), kind, sigma, label)


def contradicted(y: Tensor, found: BlurEstimate) -> Tensor:
    """Which images have edges that are sharper than the blur that was found in them leaves any (B,) bool."""
    assert found.sigma is not None
    return sharper_than(y, found.psf.to(y), found.sigma.to(y)) > SHARPER


def unexplained(fits: Sequence[Fit]) -> Tensor:
    """Which images the fit of no kind explains (B,) bool."""
    return torch.stack([fit.misfit for fit in fits]).amin(0) > UNEXPLAINED
