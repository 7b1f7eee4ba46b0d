"""A composed configuration held against the files that were chosen: unknown keys, and values of another type."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Sequence
from typing import Any

from blurlab.run.errors import nearest
from blurlab.run.setup.targets import resolve

OF_NO_CLASS = ("run", "paths", "budget", "dataset", "boundary", "optimizer")
"""Nodes whose settings belong to no class, so that no default stands in for one that is left out."""


def missing_key(cfg: Any, base: Any) -> str:
    """One line about the first key that the chosen files have and ``cfg``, by a word ``~KEY``, has not; or "".

    Args:
        cfg: A configuration.
        base: The same as the chosen files have it, without settings of the command line.
    """
    for group in OF_NO_CLASS:
        there = {*cfg[group]} if cfg.get(group) is not None else None  # a whole group that lacks is told elsewhere
        left_out = [] if there is None else [key for key in base.get(group) or () if key not in there]
        if left_out:
            return f"~{group}.{left_out[0]} leaves out {group}.{left_out[0]}, which every run needs; set it instead"
    return ""


def unknown_key(cfg: Any, base: Any, path: str = "") -> str:
    """One line about the first key of ``cfg`` that neither the chosen files nor the class it configures know; or "".

    Args:
        cfg: A configuration, or a node of it.
        base: The same as the chosen files have it, without settings of the command line.
        path: Where the node stands, with a dot at the end.
    """
    from omegaconf import DictConfig

    known = {str(key) for key in base}
    for key in cfg:
        name = str(key)
        if name not in known and name not in (allowed := known | _parameters(cfg.get("_target_"))):
            return f"unknown key '{path}{name}'{nearest(name, allowed - {'_target_', '_partial_'})}"
        if name in known and isinstance(cfg._get_node(key), DictConfig) and isinstance(base._get_node(key), DictConfig):
            if cfg._get_node(key)._is_none() or base._get_node(key)._is_none():
                continue
            found = unknown_key(cfg._get_node(key), base._get_node(key), f"{path}{name}.")
            if found:
                return found
    return ""


def of_experiment(error: str, words: Sequence[str]) -> str:
    """Where an option that a class does not know comes from, if no word of the command line names it; or "".

    Example:
        >>> of_experiment("unknown option 'taps' of Defocus; known: radius_px", ["+experiment=a", "blur=defocus"])
        "; 'taps' is set by experiment a, so choose another experiment or another member"
    """
    named = re.match(r"unknown option '(\w+)' of", error)
    chosen = [word.partition("=")[2] for word in words if word.lstrip("+").startswith("experiment=")]
    if not named or not chosen or any(re.search(rf"\b{named[1]}=", word) for word in words):
        return ""
    return f"; '{named[1]}' is set by experiment {chosen[-1]}, so choose another experiment or another member"


def other_type(cfg: Any, base: Any, path: str = "") -> str:
    """One line about the first value that is no number, or neither true nor false, where the chosen files have one.

    A list, or null, may stand for a number: whether it does is a matter of the class.

    Args:
        cfg: A configuration, or a node of it.
        base: The same as the chosen files have it.
        path: Where the node stands, with a dot at the end.
    """
    from omegaconf import DictConfig

    for key in base:
        name = f"{path}{key}"
        value, before = cfg.get(key), base._get_node(key)
        if isinstance(before, DictConfig) and isinstance(value, DictConfig):
            if found := other_type(value, before, f"{name}."):
                return found
            continue
        plain = before._value() if hasattr(before, "_value") else None
        if isinstance(plain, bool) and not isinstance(value, bool):
            return f"{name} must be true or false, got {_shown(value)}"
        if isinstance(plain, (int, float)) and not isinstance(plain, bool):
            nothing = isinstance(value, (str, bool)) or (isinstance(value, float) and math.isnan(value))
            if nothing:
                return f"{name} must be a number, got {_shown(value)}"
    return ""


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f"'{value}'"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _parameters(target: str | None) -> set[str]:
    if not target:
        return set()
    known = resolve(target)
    try:
        signature = inspect.signature(known)
    except (ValueError, TypeError):
        return set()
    return {name for name, parameter in signature.parameters.items() if parameter.kind is not parameter.VAR_KEYWORD}
