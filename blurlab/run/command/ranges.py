"""What the settings that belong to no class may be: those of the run, its budget, its photographs, its optimizer."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from blurlab.run.errors import UsageError

Rule = Callable[[Any], str]
"""What is expected, in words, where a value is none of it; "" where it is."""


def whole(low: int, high: int = 10**9) -> Rule:
    """A whole number from ``low`` to ``high``."""
    words = f"a whole number from {low}" + (f" to {high}" if high < 10**9 else "")
    return lambda value: "" if _is_number(value) and isinstance(value, int) and low <= value <= high else words


def number(low: float, below: float = math.inf) -> Rule:
    """A number from ``low`` to, but without, ``below``."""
    words = f"a number from {low:g}" + (f", less than {below:g}" if math.isfinite(below) else "")
    return lambda value: "" if _is_number(value) and low <= value < below else words


def positive(value: Any) -> str:
    """A number above 0."""
    return "" if _is_number(value) and value > 0 else "a number above 0"


def positive_or_null(value: Any) -> str:
    """A number above 0, or null."""
    return "" if value is None or not positive(value) else f"{positive(value)}, or null"


def flag(value: Any) -> str:
    """True or false."""
    return "" if isinstance(value, bool) else "true or false"


def text(value: Any) -> str:
    """Text that is not empty."""
    return "" if isinstance(value, str) and value.strip() else "text"


def text_or_null(value: Any) -> str:
    """Text, or null."""
    return "" if value is None or not text(value) else "text, or null"


def name(value: Any) -> str:
    """What can be part of a file name on any system: no slash, no control character, no dot in front.

    Example:
        >>> name("drive_chase.taps[4, 6]"), name("../x")
        ('', 'a name without slashes and control characters, not empty, with no dot in front')
    """
    words = "a name without slashes and control characters, not empty, with no dot in front"
    if not isinstance(value, str) or len(value.encode(errors="replace")) > 150:
        return f"{words}, of at most 150 bytes"
    return "" if re.fullmatch(r"[^./\\\x00-\x1f\x7f ][^/\\\x00-\x1f\x7f]*", value) else words


def name_or_null(value: Any) -> str:
    """A :func:`name`, or null."""
    return "" if value is None or not name(value) else f"{name(value)}, or null"


def one_of(*known: str) -> Rule:
    """One of some words."""
    return lambda value: "" if value in known else f"one of {', '.join(known)}"


def boundary(value: Any) -> str:
    """A border that data can be made with, or that of a camera."""
    from blurlab.core.boundary import BOUNDARIES  # not at the top: it imports torch

    return one_of(*BOUNDARIES, "captured")(value)


def numbers(low: float, high: float, *, least: int, must_have: float | None = None) -> Rule:
    """A list of ``least`` numbers or more within ``low`` and ``high``, one of which may have to be ``must_have``."""
    words = f"a list of {least} or more numbers from {low:g} to {high:g}"
    words += "" if must_have is None else f", {must_have:g} among them"

    def rule(value: Any) -> str:
        fits = isinstance(value, list) and all(_is_number(one) and low <= one <= high for one in value)
        return "" if fits and len({*value}) >= least and (must_have is None or must_have in value) else words

    return rule


def shares_or_null(value: Any) -> str:
    """Two shares [low, high] above 0 and at most 1, low no greater than high, or null.

    Example:
        >>> shares_or_null([0.65, 1]), shares_or_null([1, 0.5])
        ('', '[low, high] with 0 < low <= high <= 1, or null')
    """
    fits = isinstance(value, list) and len(value) == 2 and all(_is_number(one) for one in value)
    return (
        ""
        if value is None or (fits and 0 < value[0] <= value[1] <= 1)
        else "[low, high] with 0 < low <= high <= 1, or null"
    )


RANGES: dict[str, Rule] = {
    "dataset.name": name,
    "run.experiment": name,
    "run.paper": name_or_null,
    "run.variant": name,
    "run.seed": whole(0, 2**32 - 1),
    "run.resume": text_or_null,
    "run.keep": flag,
    "run.progress": flag,
    "paths.data_dir": text,
    "paths.runs_dir": text,
    "paths.cache_dir": text,
    "paths.experiments_dir": text,
    "budget.name": name,
    "budget.photos": whole(3),  # one to train on, one to validate, one to test
    "budget.epochs": whole(1),
    "budget.pretrain_epochs": whole(0),
    "budget.steps_per_epoch": whole(1),
    "budget.batch_size": whole(1),
    "budget.patterns": whole(2),  # a GRNN leaves one out
    "budget.patience": whole(0),
    "budget.draws_train": whole(0),
    "budget.echo": whole(1),
    "budget.draws_val": whole(1),
    "budget.draws_test": whole(1),
    "budget.draws_restore": whole(0),
    "budget.draws_robust": whole(1),
    "budget.risk_photos": whole(1),
    "budget.risk_strengths_px": numbers(1, 10, least=1),  # scaled to the range of strengths afterwards
    "budget.risk_errors_px": numbers(-9, 9, least=1, must_have=0),  # losses are against the right kernel
    "budget.tile": whole(1),
    "budget.workers": whole(0, 256),
    "dataset.size": whole(1, 2**15),
    "dataset.channel": one_of("green", "grey", "rgb"),
    "dataset.cut": one_of("whole", "centre", "anywhere"),
    "dataset.test_part": one_of("quarter", "all"),
    "dataset.strict": flag,
    "dataset.stops": flag,
    "dataset.scale": shares_or_null,
    "boundary.data": boundary,
    "optimizer.factory.lr": positive,  # with 0 nothing is learned, and every figure is that of chance
    "optimizer.schedule": text,  # which there are, the training knows
    "optimizer.ema_decay": number(0, 1),
    "optimizer.gradient_clip": positive_or_null,
}
"""Key, as a command writes it -> what its value may be; a key that a configuration lacks is passed over."""


def check_ranges(cfg: Mapping[str, Any]) -> None:
    """Raise where a setting is none of what ``RANGES`` allows.

    Args:
        cfg: The configuration as plain values.

    Raises:
        UsageError: Naming the first, what came and what was expected.
    """
    for key, rule in RANGES.items():
        *groups, entry = key.split(".")
        node: Any = cfg
        for group in groups:
            node = node.get(group) if isinstance(node, Mapping) else None
        if isinstance(node, Mapping) and entry in node and (expected := rule(node[entry])):
            value = node[entry]
            raise UsageError(f"{key} must be {expected}, got {'null' if value is None else repr(value)}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
