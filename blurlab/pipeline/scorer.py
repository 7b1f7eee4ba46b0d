"""What an evaluation asks of labelled estimates: which class they name, whether that is right, what lies beside it."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from blurlab.blur import StrengthFamily
from blurlab.physics import Degraded
from blurlab.pipeline.estimate import BlurEstimate, KindEstimate, by_parameters


class Scorer(ABC):
    """The classes of a table, and which of them an estimate names.

    Attributes:
        name: What the classes are: the name of the table of confusions.
        accuracy: Metric of the share of right answers.
        curve: Name of the same as a curve over the strength.
        discrete: Are the strengths a few classes, so that a curve has a point for each?
        labels: Names of the classes.

    Args:
        family: The blurs.
    """

    name: str
    accuracy: str
    curve: str
    discrete: bool
    labels: tuple[str, ...]

    def __init__(self, family: StrengthFamily) -> None:
        self.family = family

    @abstractmethod
    def classes(self, kind: Tensor, strength_px: Tensor) -> Tensor:
        """Index of the class of each kind and strength (n,)."""

    @abstractmethod
    def is_correct(self, label: KindEstimate, truth: Degraded) -> Tensor:
        """Which items (n,) were named rightly, bool."""

    @abstractmethod
    def neighbours_px(self, kind: Tensor, strength_px: Tensor) -> tuple[Tensor, Tensor]:
        """Strengths one class above and one class below these (n,), (n,); NaN where there is no such class."""

    def strength_errors(self) -> dict[str, tuple[str, float]]:
        """Kind -> metric of the error of its strength, and what a pixel of strength is in that parameter."""
        return {}

    def rivals(self) -> Tensor:
        """Kernels (r, 1, k, k) that an item must be told from, where it is one of a few; else r is 0."""
        return torch.zeros(0, 1, 1, 1)

    def neighbours(self, truth: Degraded) -> dict[str, tuple[Tensor, BlurEstimate]]:
        """``one_longer`` and ``one_shorter``: rows (m,) of items that have such a class, and its blurs (m of them)."""
        found = {}
        pairs = zip(("one_longer", "one_shorter"), self.neighbours_px(truth.kind, truth.strength_px), strict=True)
        for name, strength_px in pairs:
            rows = (~strength_px.isnan()).nonzero().squeeze(1)
            if len(rows) == 0:
                continue
            kind = truth.kind[rows]
            params = self.family.with_strength(truth.params[rows], strength_px[rows], kind)
            found[name] = rows, by_parameters(self.family, params, kind)
        return found
