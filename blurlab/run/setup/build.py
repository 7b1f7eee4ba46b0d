"""Objects from configuration nodes, of the classes that :mod:`~blurlab.run.setup.targets` allows."""

from __future__ import annotations

from functools import partial
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from blurlab.run.errors import UsageError
from blurlab.run.setup.options import check_options
from blurlab.run.setup.targets import SETTINGS, check_targets, resolve


def build(node: Any, /, *args: Any, **more: Any) -> Any:
    """Make the object that a node describes: its ``_target_``, called with the node's other keys.

    Nodes inside it are made first. With ``_partial_: true`` the object is made later, by calling what is returned.
    Every ``_target_``, at any depth, is looked up in the allow list before the first object is made.

    Args:
        node: Configuration with ``_target_``.
        args: Positional arguments put before the configured ones.
        more: Keyword arguments besides the configured ones; they win.

    Returns:
        The object.

    Raises:
        UsageError: If a target is not allowed, or refuses its arguments.
    """
    try:
        values = plain(node)
    except OmegaConfBaseException as error:
        raise UsageError(" ".join(str(error).split())) from error
    if not isinstance(values, dict) or "_target_" not in values:
        raise UsageError(f"a part of the configuration needs a _target_, got {values}")
    check_targets(values)
    return _make(values, args, more)


def plain(node: Any) -> Any:
    """A configuration node as plain dicts, lists and numbers, interpolations resolved."""
    return OmegaConf.to_container(node, resolve=True) if isinstance(node, (DictConfig, ListConfig)) else node


def _make(values: Any, args: tuple[Any, ...] = (), more: dict[str, Any] | None = None) -> Any:
    if isinstance(values, list):
        return [_make(value) for value in values]
    if not isinstance(values, dict):
        return values
    if "_target_" not in values:
        return {key: _make(value) for key, value in values.items()}
    target = resolve(values["_target_"])
    options = {str(key): _make(value) for key, value in values.items() if key not in SETTINGS}
    for key in options:
        if key.startswith("_") and key.endswith("_"):
            raise UsageError(f"{key} is not a setting of {values['_target_']}; beside _target_ only _partial_ is")
    options |= more or {}
    check_options(target, options)
    if values.get("_partial_"):
        return partial(target, *args, **options)
    try:
        return target(*args, **options)
    except UsageError:
        raise
    except (ValueError, TypeError, OSError) as error:
        raise UsageError(_first_line(error)) from error
    except Exception as error:  # a class may meet values of types that it never thought of
        raise UsageError(f"{values['_target_']}: {type(error).__name__}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    """An error's message; torch hangs its own stack below it."""
    return next(iter(str(error).splitlines()), type(error).__name__)
