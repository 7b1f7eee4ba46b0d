"""A network says the kind, a general regression network for each kind its parameters, as in [YanShao2016]."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn

from blurlab.blur import BlurFamily, Mixture
from blurlab.head import GRNN, KindLabels, Readout
from blurlab.likelihood import Refiner
from blurlab.physics import Degraded
from blurlab.pipeline.fitted_part import FittedPart
from blurlab.pipeline.regression import Regression
from blurlab.pipeline.task import Task


class GeneralRegression(Regression):
    """The network's kind; the parameters from a GRNN that remembers the features of training images of that kind.

    Args:
        family: As :class:`Regression`; so are the others.
        feature: From images (B, C, H, W) to what the GRNN compares (B, d).
        refine: Makes a refiner of one kind, or None.
        weak_share: Share of the blurs that the network for the kind meets which are of the weakest tenth.
        class_share: What "one class longer" means, as a share of the range.

    Raises:
        ValueError: If the family is one of taps.
    """

    def __init__(
        self,
        family: BlurFamily,
        *,
        feature: Callable[[Tensor], Tensor],
        refine: Callable[[BlurFamily], Refiner] | None = None,
        weak_share: float = 0.0,
        class_share: float = 1 / 9,
    ) -> None:
        super().__init__(family, refine=refine, weak_share=weak_share, class_share=class_share)
        self.feature = feature

    @property
    def tasks(self) -> tuple[Task, ...]:
        return (Task("type", KindLabels(self.family.kinds), self.often_weak),)

    @property
    def fitted_parts(self) -> tuple[FittedPart, ...]:
        return (*(Patterns(self.family, kind, self.feature) for kind in self.blurred), *super().fitted_parts)

    def read(self, y: Tensor, nets: Mapping[str, nn.Module]) -> Readout:
        logits, seen = nets["type"](y), self.feature(y)
        params = y.new_full((len(y), len(self.family.names)), torch.nan)
        spread = torch.zeros_like(params)
        for kind in self.blurred:
            columns = told_columns(self.family, kind)
            net: GRNN = nets[f"grnn_{kind}"]  # type: ignore[assignment]
            params[:, columns], spread[:, columns] = net(seen), net.residual.to(spread)
        return Readout(logits, self.family.within(params), spread)


class Patterns(FittedPart):
    """Remembers training images of one kind.

    Args:
        family: All kinds; the images are of one of them.
        kind: Which.
        feature: From images to what is remembered.
    """

    split = "train"

    def __init__(self, family: Mixture, kind: str, feature: Callable[[Tensor], Tensor]) -> None:
        self.name = f"grnn_{kind}"
        self.columns = told_columns(family, kind)
        self.measured = [family.parameters[column] for column in self.columns]
        weights = [float(other == kind) for other in family.kinds]
        self.family = Mixture({other: family.member(other) for other in family.kinds}, weights, family.size)
        self.feature = feature

    def learn(self, batches: Iterable[Degraded], nets: Mapping[str, nn.Module]) -> nn.Module:
        pairs = [(self.feature(one.y).cpu(), one.params[:, self.columns].cpu()) for one in batches]
        patterns, params = (torch.cat(parts) for parts in zip(*pairs, strict=True))
        return GRNN(patterns, params, self.measured)

    def restore(self, state: Mapping[str, Tensor]) -> nn.Module:
        return GRNN.from_state(state, self.measured)


def told_columns(family: Mixture, kind: str) -> list[int]:
    """Columns of a kind's parameters, those that no image tells left out."""
    columns = family.columns(family.kinds.index(kind))
    return [place for place in range(columns.start, columns.stop) if not family.parameters[place].is_hidden]
