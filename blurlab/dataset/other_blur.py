"""Blurs of another extent than the run's, under the same names: shakes too wide for its kernels."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from blurlab.blur import BlurFamily
from blurlab.dataset.corruption import Corruption
from blurlab.dataset.degrade import Degrade
from blurlab.noise.draw import Generators
from blurlab.physics import Degraded


class OtherBlur(Corruption):
    """Other blurs in place of the run's; what the truth says of them is brought into the run's ranges.

    A shake whose path is longer than the run's longest is named a shake of the longest path: the kind is right, and the
    length says that it is at the end of the range. With boundary ``valid`` wider kernels leave smaller images.

    Args:
        name: What tables call it.
        family: The blurs: of the same kinds and parameters as the run's.
    """

    def __init__(self, name: str, family: BlurFamily) -> None:
        super().__init__(name)
        self.family = family

    def __call__(
        self, degrade: Degrade, sharp: Tensor, *, generator: Generators, item: Tensor | None = None
    ) -> Degraded:
        """Degrade a batch; see :class:`Corruption`.

        Raises:
            ValueError: If the run's blurs have other kinds or parameters.
        """
        ours, other = degrade.family, self.family
        if (ours.kinds, ours.names) != (other.kinds, other.names):
            raise ValueError(
                f"{self.name} takes blurs of the run's kinds and parameters, {', '.join(ours.names)}; got "
                f"{', '.join(other.names)}: give family= the same members as blur="
            )
        done = degrade.with_family(other)(sharp, generator=generator, item=item)
        return replace(done, params=ours.within(done.params))
