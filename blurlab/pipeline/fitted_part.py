"""What an identifier learns once its networks are trained, without gradient steps: patterns to remember, scales."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from blurlab.blur import BlurFamily
from blurlab.physics import Degraded


class FittedPart(ABC):
    """One thing that is fitted to labelled images; the module that comes out answers among the networks.

    Attributes:
        name: Name of the module among the networks.
        split: Photographs to learn from: ``train`` or ``val`` (those that the networks were not trained on).
        family: Blurs of the images.
    """

    name: str
    split: str
    family: BlurFamily

    @abstractmethod
    def learn(self, batches: Iterable[Degraded], nets: Mapping[str, nn.Module]) -> nn.Module:
        """The module, fitted to batches of degraded images; ``nets`` holds the networks and what was learned before."""

    @abstractmethod
    def restore(self, state: Mapping[str, Tensor]) -> nn.Module:
        """The module whose ``state_dict`` this is."""
