"""The contract of whatever says which blur is in an image."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Self

from torch import Tensor, nn

from blurlab.blur import BlurFamily, Mixture, OneParameterStrength
from blurlab.pipeline.choice import RiskTable
from blurlab.pipeline.estimate import BlurEstimate, no_kind_found, nothing_found
from blurlab.pipeline.fitted_part import FittedPart
from blurlab.pipeline.scorer import Scorer
from blurlab.pipeline.task import Task


class Identifier(ABC):
    """Estimates the blur of images; its networks answer its tasks.

    Args:
        family: The blurs that it expects.
    """

    def __init__(self, family: BlurFamily) -> None:
        self.family = family

    @property
    @abstractmethod
    def tasks(self) -> tuple[Task, ...]:
        """The tasks for which it needs a network each, in the order of training."""

    @property
    def finds_noise(self) -> bool:
        """Does it say the noise of an image?"""
        return False

    @property
    def fitted_parts(self) -> tuple[FittedPart, ...]:
        """What is learned after the networks, in this order."""
        return ()

    @property
    def risk_tasks(self) -> tuple[Task, ...]:
        """Those whose answer picks a kernel and so need a :class:`RiskTable`."""
        return ()

    def candidates_px(self, task: Task) -> Tensor:
        """Strengths that may be handed on for this task (c,).

        Raises:
            ValueError: If it is none of ``risk_tasks``.
        """
        raise ValueError(f"no kernel is picked by the answer to {task.name}")

    @property
    def scorer(self) -> Scorer | None:
        """What an evaluation asks of its labels; None where its estimates have no label."""
        return None

    def told_size(self, size_px: int) -> Self:
        """This identifier, told that the kernels have this odd side [px]; itself where that is no news to it."""
        return self

    @abstractmethod
    def identify(self, y: Tensor, nets: Mapping[str, nn.Module], risks: Mapping[str, RiskTable]) -> BlurEstimate:
        """Identify the blur of observed images (B, C, H, W).

        ``nets`` holds a trained network for each task and what each part left, ``risks`` a table for each risk
        task.
        """

    def uninformed(self, y: Tensor) -> BlurEstimate:
        """The estimate from images (B, C, H, W) of which nothing can be told."""
        label = None if self.scorer is None else no_kind_found(self.family, y)
        return replace(nothing_found(self.family, y), label=label)


def refuse_other_ranges(family: BlurFamily) -> None:
    """Raise where a parameter besides the strength is a range: networks are asked for strengths alone.

    Raises:
        ValueError: Naming the parameter.
    """
    members = [family.member(kind) for kind in family.kinds] if isinstance(family, Mixture) else [family]
    for member in members:
        strength = member.strength_name if isinstance(member, OneParameterStrength) else None
        for one in member.parameters:
            if one.name != strength and one.low < one.high:
                raise ValueError(
                    f"{member.kinds[-1]} has {one.name} from {one.low:g} to {one.high:g}, but only strengths are "
                    f"learned; fix it (blur's {one.name}={one.low:g}) or use pipeline=likelihood"
                )
