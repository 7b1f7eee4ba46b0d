"""No identification: the kernel is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

import torch
from torch import Tensor, nn

from blurlab.pipeline.choice import RiskTable
from blurlab.pipeline.identification import Identification, Identifier
from blurlab.pipeline.task import Task


class KnownKernel(Identifier):
    """Stands where nothing is to be identified, because each item's kernel is known; it asks no task.

    Args:
        family: The blurs, of any kind.
    """

    @property
    def tasks(self) -> tuple[Task, ...]:
        return ()

    def neighbours_px(self, kind: Tensor, strength_px: Tensor) -> tuple[Tensor, Tensor]:
        none = torch.full_like(strength_px, torch.nan)
        return none, none

    def strength_errors(self) -> dict[str, tuple[str, float]]:
        return {}

    def is_correct(self, found: Identification, kind: Tensor, strength_px: Tensor) -> Tensor:
        return found.kind == kind

    def confusion_labels(self) -> tuple[str, ...]:
        return self.family.kinds

    def headline_class(self, kind: Tensor, strength_px: Tensor) -> Tensor:
        return kind

    def identify(self, y: Tensor, nets: Mapping[str, nn.Module], risks: Mapping[str, RiskTable]) -> NoReturn:
        """Refuses.

        Raises:
            ValueError: Always.
        """
        raise ValueError("pipeline=known identifies nothing; use stage=restore, or a pipeline that identifies")
