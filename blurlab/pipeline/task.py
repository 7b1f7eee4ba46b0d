"""A task of a pipeline for which a network is trained."""

from __future__ import annotations

from dataclasses import dataclass

from blurlab.blur import BlurFamily
from blurlab.head import Target


@dataclass(frozen=True)
class Task:
    """What is asked, and of which blurs.

    Attributes:
        name: Name of the task, for instance ``type`` or ``strength_motion``; names its stage and its checkpoint.
        target: What a network's outputs mean.
        family: The blurs among which the task is asked, as often as they are drawn in training.
    """

    name: str
    target: Target
    family: BlurFamily
