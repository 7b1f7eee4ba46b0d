"""An identifier tried on more kinds of blur than it knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from blurlab.blur import BlurFamily, Mixture
from blurlab.pipeline.by_kind import ByKind
from blurlab.pipeline.choice import RiskTable
from blurlab.pipeline.estimate import BlurEstimate, KindEstimate
from blurlab.pipeline.identifier import Identifier
from blurlab.pipeline.task import Task


class Translated(ByKind):
    """What an identifier finds by its own kinds and ranges, said in the names of the blurs that are tried.

    The kinds that it does not know have probability 0: of such a blur every answer is wrong, but "cannot tell". Its
    kernels keep the size of its own family.

    Args:
        family: The blurs that are tried, a mixture.
        identifier: Names kinds that are all among the family's, with the same parameters; it has no networks.
        class_share: What "one class longer" means in the table of error propagation, as a share of the range.

    Raises:
        TypeError: If one is no mixture, or the identifier none.
        ValueError: If the identifier has a kind or parameter that the family lacks, or needs networks.
    """

    def __init__(self, family: BlurFamily, *, identifier: Identifier, class_share: float = 1 / 9) -> None:
        if not isinstance(identifier, Identifier):
            raise TypeError(f"identifier must be an Identifier, got {type(identifier).__name__}")
        own = identifier.family
        if not isinstance(family, Mixture) or not isinstance(own, Mixture):
            raise TypeError("both families must be mixtures, whose kinds have names; use blur=camera_kinds")
        lacking = [*({*own.kinds} - {*family.kinds}), *({*own.names} - {*family.names})]
        if lacking:
            raise ValueError(f"the blurs that are tried lack {lacking[0]}; they have {', '.join(family.kinds)}")
        if identifier.tasks:
            raise ValueError("an identifier with networks learns the blurs that are tried; it needs no translation")
        super().__init__(family, class_share)
        self.identifier = identifier
        self.kind_index = [family.kinds.index(kind) for kind in own.kinds]
        self.column_index = [family.names.index(name) for name in own.names]

    @property
    def tasks(self) -> tuple[Task, ...]:
        return ()

    @property
    def finds_noise(self) -> bool:
        return self.identifier.finds_noise

    def identify(self, y: Tensor, nets: Mapping[str, nn.Module], risks: Mapping[str, RiskTable]) -> BlurEstimate:
        return self._translated(self.identifier.identify(y, nets, risks))

    def uninformed(self, y: Tensor) -> BlurEstimate:
        return self._translated(self.identifier.uninformed(y))

    def _translated(self, found: BlurEstimate) -> BlurEstimate:
        label = found.label
        if label is None:
            raise ValueError("the identifier names no kinds; there is nothing to translate")
        kind = torch.tensor(self.kind_index, device=label.kind.device)
        return replace(
            found,
            label=replace(
                label,
                kind=kind[label.kind],
                probability=self._probability(label, kind),
                params=self._columns(label.params),
                halfwidth=None if label.halfwidth is None else self._columns(label.halfwidth),
                before=None if label.before is None else (kind[label.before[0]], self._columns(label.before[1])),
            ),
        )

    def _probability(self, label: KindEstimate, kind: Tensor) -> Tensor:
        """Probabilities (B, K) of the kinds tried; even where it cannot tell."""
        count = len(self.family.kinds)
        wide = label.probability.new_zeros(len(label.kind), count)
        wide[:, kind] = label.probability
        return torch.where(label.can_tell[:, None], wide, 1 / count)

    def _columns(self, values: Tensor) -> Tensor:
        wide = values.new_full((len(values), len(self.family.names)), torch.nan)
        wide[:, self.column_index] = values
        return wide
