"""``seeds=5``: the same run with the seeds 0 to 4."""

from __future__ import annotations

from blurlab.run.errors import UsageError


def with_seeds(overrides: list[str]) -> list[str]:
    """Put a sweep over ``run.seed`` in the place of the word ``seeds=N``.

    Raises:
        UsageError: If N is no whole number from 1, or ``run.seed`` is named as well.

    Example:
        >>> with_seeds(["+experiment=messidor_binary", "seeds=3"])
        ['+experiment=messidor_binary', 'run.seed=0,1,2']
    """
    given = [word for word in overrides if word.startswith("seeds=")]
    if not given:
        return overrides
    count = given[-1].split("=", 1)[1]
    if not (count.isascii() and count.isdigit() and int(count) > 0):
        raise UsageError(f"seeds must be a whole number from 1, got '{count}'; seeds=5 runs the seeds 0 to 4")
    named = [word for word in overrides if word.lstrip("+").startswith("run.seed=")]
    if named:
        raise UsageError(f"{named[0]} beside {given[-1]}: name one of them; run.seed=3,7 runs the seeds 3 and 7")
    rest = [word for word in overrides if not word.startswith("seeds=")]
    return [*rest, "run.seed=" + ",".join(map(str, range(int(count))))]
