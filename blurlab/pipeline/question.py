"""A question that a pipeline needs answered, so that a network can be trained to answer it."""

from __future__ import annotations

from dataclasses import dataclass

from blurlab.blur import BlurFamily
from blurlab.head import Answer


@dataclass(frozen=True)
class Question:
    """What is asked, and of which blurs.

    Attributes:
        name: Name of the question, for instance ``type`` or ``strength_motion``; names its stage and its checkpoint.
        answer: What a network's outputs mean.
        family: The blurs among which the question is asked, as often as they are drawn in training.
    """

    name: str
    answer: Answer
    family: BlurFamily
