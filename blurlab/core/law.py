"""A promise that a part must keep, tried on one part: what a law is, and how a breach is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Law:
    """A law that was tried.

    Attributes:
        text: What is promised.
        breach: How it was broken, and by how much; empty where it was kept.
    """

    text: str
    breach: str = ""


def tried(text: str, holds: bool, came: str) -> Law:
    """A law, and what came where it does not hold.

    Example:
        >>> tried("a kernel's sum is 1", False, "off by 0.5")
        Law(text="a kernel's sum is 1", breach='off by 0.5')
    """
    return Law(text, "" if holds else came)


def require(laws: Iterable[Law]) -> None:
    """Raise at the first law that is broken; those after it are not tried.

    Raises:
        AssertionError: With the law and how it was broken.
    """
    for one in laws:
        if one.breach:
            raise AssertionError(f"{one.text}: {one.breach}")
