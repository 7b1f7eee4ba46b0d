"""Which classes a configuration may name by ``_target_``: an allow list, as run directories may come from anybody."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from blurlab.run.errors import UsageError, nearest
from blurlab.run.setup.moved import MOVED

FOLDERS = (
    "blurlab.blur", "blurlab.noise", "blurlab.dataset", "blurlab.head", "blurlab.likelihood", "blurlab.deconvolver",
    "blurlab.blind", "blurlab.learning", "blurlab.pipeline", "blurlab.run.stage", "blurlab.run.setup.logger",
)  # fmt: skip
"""Packages whose classes may be named."""
FUNCTIONS = ("blurlab.blur.recorded_kernels", "blurlab.blur.matlab_kernels", "blurlab.blur.operator_hull")
"""The functions that may be named; no other one."""
TRAINER = "pytorch_lightning.Trainer"
OPTIMIZERS = "torch.optim"
SETTINGS = ("_target_", "_partial_")
"""Keys of a node that are not arguments of its class."""


def resolve(target: object) -> Callable[..., Any]:
    """The class, or one of ``FUNCTIONS``, that a ``_target_`` names; names of earlier versions are understood.

    Nothing outside blurlab's own folders is imported before the name is known to be allowed.

    Args:
        target: Value of a ``_target_``.

    Returns:
        The class or function.

    Raises:
        UsageError: If it is not on the allow list, or there is no such class.

    Example:
        >>> resolve("blurlab.blur.Motion").__name__
        'Motion'
        >>> resolve("blurlab.core.atomic.os.system")
        Traceback (most recent call last):
        ...
        blurlab.run.errors.UsageError: _target_ blurlab.core.atomic.os.system is not allowed; ...
    """
    name = MOVED.get(target, target) if isinstance(target, str) else target
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+", name, re.ASCII):
        raise _refusal(target)
    module, _, attribute = name.rpartition(".")
    if name in FUNCTIONS or name == TRAINER:
        return getattr(import_module(module), attribute)
    if module == OPTIMIZERS:
        return _optimizer(attribute)
    if any(module == folder or module.startswith(f"{folder}.") for folder in FOLDERS):
        return _own_class(module, attribute)
    raise _refusal(target)


def check_targets(node: Any) -> None:
    """Raise unless every ``_target_`` at any depth of plain dicts and lists may be named.

    Raises:
        UsageError: Naming the first that may not.
    """
    for target in _targets(node):
        resolve(target)


def _targets(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        if "_target_" in node:
            yield node["_target_"]
        for value in node.values():
            yield from _targets(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from _targets(value)


def _own_class(module: str, name: str) -> type:
    """A class of blurlab's, defined in the named module or package itself and not merely imported by it."""
    try:
        holder = import_module(module)
    except ModuleNotFoundError as error:
        raise _refusal(f"{module}.{name}") from error
    found = getattr(holder, name, None)
    if found is None:
        classes = [one for one in dir(holder) if _is_own(getattr(holder, one), module)]
        raise UsageError(f"unknown _target_ {module}.{name}{nearest(name, classes)}")
    if not _is_own(found, module) or found.__qualname__ != name:
        raise _refusal(f"{module}.{name}")
    return found


def _is_own(found: object, module: str) -> bool:
    """Is this a class that is defined in a module or package?"""
    return isinstance(found, type) and f"{found.__module__}.".startswith(f"{module}.")


def _optimizer(name: str) -> type:
    import torch

    found = getattr(torch.optim, name, None)
    if isinstance(found, type) and issubclass(found, torch.optim.Optimizer):
        return found
    known = [one for one in torch.optim.__all__ if isinstance(getattr(torch.optim, one, None), type)]
    raise UsageError(f"unknown optimizer torch.optim.{name}{nearest(name, known)}")


def _refusal(target: object) -> UsageError:
    return UsageError(
        f"_target_ {target} is not allowed; a configuration may name classes of {', '.join(FOLDERS)}, optimizers of "
        f"torch.optim and {TRAINER}"
    )
