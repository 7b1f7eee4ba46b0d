"""What a user did that cannot be run, in one line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UsageError(ValueError):
    """A configuration that cannot be run; the message is one line and says what to do."""


def nearest(word: str, known: Iterable[str]) -> str:
    """``", did you mean 'x'?"`` with the nearest known word, or the list of what is known.

    Example:
        >>> nearest("moton", ["motion", "defocus"])
        ", did you mean 'motion'?"
    """
    known = sorted(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f", did you mean '{close[0]}'?" if close else f"; known: {', '.join(known)}"
