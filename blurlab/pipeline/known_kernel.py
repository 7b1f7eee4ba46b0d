"""No identification: the kernel is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from torch import Tensor, nn

from blurlab.pipeline.choice import RiskTable
from blurlab.pipeline.identifier import Identifier
from blurlab.pipeline.task import Task


class KnownKernel(Identifier):
    """Stands where nothing is to be identified, because each item's kernel is known; it has no task.

    Args:
        family: The blurs, of any kind.
    """

    @property
    def tasks(self) -> tuple[Task, ...]:
        return ()

    def identify(self, y: Tensor, nets: Mapping[str, nn.Module], risks: Mapping[str, RiskTable]) -> NoReturn:
        """Refuses.

        Raises:
            ValueError: Always.
        """
        raise ValueError("pipeline=known identifies nothing; use stage=restore, or a pipeline that identifies")
