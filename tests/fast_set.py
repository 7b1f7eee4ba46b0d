"""Which cases of a test `make test-fast` runs: the rest are marked slow, and only `make test` runs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest


def first_fast(cases: Sequence[Any], count: int = 1) -> list[Any]:
    """The cases of a parametrised test, all after the first ``count`` marked slow."""
    return [*cases[:count], *(slowed(case) for case in cases[count:])]


def slow_where(cases: Sequence[Any], is_slow: Callable[[Any], bool]) -> list[Any]:
    """The cases of a parametrised test, those of which ``is_slow`` is true marked slow."""
    return [slowed(case) if is_slow(case) else case for case in cases]


def slowed(case: Any) -> Any:
    """A case of a parametrised test, one value or a tuple with a value for each name, marked slow."""
    return pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow)
