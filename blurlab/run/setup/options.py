"""Options of a class held against the types that its signature states, before the class is called."""

from __future__ import annotations

import inspect
import math
import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from blurlab.run.errors import UsageError, nearest

WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "null"}
"""Plain types that are checked, and how they are called in messages."""


def check_options(target: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """Raise where an option has no parameter, or a value that its plain type (int, float, bool, str, null) excludes.

    Other types are left to the class. A whole number counts as a number; true does not, nor do NaN and infinity.

    Args:
        target: A class or function.
        options: Its keyword arguments.

    Raises:
        UsageError: Naming the option, what came and what was expected.

    Example:
        >>> from blurlab.head import Compact
        >>> check_options(Compact, {"num_classes": 3, "hop": 1.5})
        Traceback (most recent call last):
        ...
        blurlab.run.errors.UsageError: hop of Compact must be a whole number, got 1.5
    """
    known = _plain_parameters(target)
    for name, value in options.items():
        if known is not None and name not in known:
            raise UsageError(f"unknown option '{name}' of {target.__name__}{nearest(name, known)}")
        allowed = (known or {}).get(name, ())
        if allowed and not any(_is(value, one) for one in allowed):
            words = " or ".join(WORDS[one] for one in allowed)
            raise UsageError(f"{name} of {target.__name__} must be {words}, got {value!r}")


def _is(value: Any, plain: type) -> bool:
    if isinstance(value, bool) or plain is bool:
        return isinstance(value, bool) and plain is bool
    return isinstance(value, (int, float)) and math.isfinite(value) if plain is float else isinstance(value, plain)


@cache
def _plain_parameters(target: Callable[..., Any]) -> dict[str, tuple[type, ...]] | None:
    """Plain types of each parameter, none where it takes others; None where any option may be given."""
    parameters = inspect.signature(target).parameters
    if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        return None
    try:
        hints = get_type_hints(target.__init__ if isinstance(target, type) else target)  # type: ignore[misc]
    except NameError:  # names that only a type checker imports
        hints = {}
    return {name: _plain_types(hints.get(name)) for name in parameters}


def _plain_types(hint: Any) -> tuple[type, ...]:
    parts = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    return parts if all(part in WORDS for part in parts) else ()
