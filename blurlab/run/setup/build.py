"""Objects from configuration nodes, from allowed modules only."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import hydra
from hydra.errors import InstantiationException
from omegaconf import DictConfig, ListConfig, OmegaConf

from blurlab.run.errors import UsageError
from blurlab.run.setup.moved import MOVED

ALLOWED = ("blurlab.", "torch.", "pytorch_lightning.", "torchmetrics.")


def build(node: DictConfig, /, *args: Any, **more: Any) -> Any:
    """Instantiate a node's ``_target_`` with plain Python values.

    Args:
        node: Configuration with ``_target_``.
        args: Positional arguments put before the configured ones.
        more: Keyword arguments besides the configured ones.

    Returns:
        The object.

    Raises:
        UsageError: If a target lies outside the allowed packages, or refuses its arguments.
    """
    node = renamed(node)
    for target in _targets(node):
        if not target.startswith(ALLOWED):
            raise UsageError(f"_target_ {target} is not allowed; targets begin with {', '.join(ALLOWED)}")
    try:
        return hydra.utils.instantiate(node, *args, _convert_="all", **more)
    except InstantiationException as error:
        cause = error.__cause__
        if isinstance(cause, (ValueError, TypeError, OSError)):
            raise UsageError(str(cause)) from error
        raise UsageError(" ".join(f"{cause or error}".split())) from error


def renamed(node: Any) -> Any:
    """A copy of a configuration in which targets that have moved since have their new names.

    Example:
        >>> renamed(OmegaConf.create({"_target_": "blurlab.pipeline.Known"}))
        {'_target_': 'blurlab.pipeline.KnownKernel'}
    """
    node = deepcopy(node)
    for part in _parts(node):
        part._target_ = MOVED.get(str(part._target_), str(part._target_))
    return node


def plain(node: Any) -> Any:
    """A configuration node as plain dicts, lists and numbers, interpolations resolved."""
    return OmegaConf.to_container(node, resolve=True) if isinstance(node, (DictConfig, ListConfig)) else node


def _targets(node: Any) -> Iterator[str]:
    return (str(part._target_) for part in _parts(node))


def _parts(node: Any) -> Iterator[DictConfig]:
    """Every node of a configuration that has a ``_target_``."""
    if isinstance(node, DictConfig):
        if "_target_" in node:
            yield node
        for key in node:
            yield from _parts(node[key])
    elif isinstance(node, ListConfig):
        for child in node:
            yield from _parts(child)
