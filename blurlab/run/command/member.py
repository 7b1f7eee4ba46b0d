"""One member of a group by itself, without the rest of a run's configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from blurlab.run.command.names import conf_dir, options
from blurlab.run.errors import UsageError, nearest

AROUND = {"paths": "default", "budget": "small"}
"""Groups that members of other groups refer to, and the member that stands for each."""


def member(group: str, name: str, words: Sequence[str] = (), data_dir: str | None = None) -> dict[str, Any]:
    """A member of a group as plain values, with settings of one's own.

    Args:
        group: Such as ``blur``.
        name: Of the member.
        words: ``KEY=VALUE``, the keys below the member's own, the values in Hydra's grammar.
        data_dir: Where sets of photographs lie; None: where ``conf/paths`` says, by ``BLURLAB_DATA``.

    Returns:
        The member's file over those that its ``defaults`` names, with these settings, interpolations resolved.

    Raises:
        UsageError: If there is no such member, it sets other groups too, or a word is no setting.

    Example:
        >>> member("blur", "motion", ["length_px=9"])
        {'_target_': 'blurlab.blur.Motion', 'length_px': 9, 'angle_deg': [0, 180], 'size': None}
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    known = options(group)
    if name not in known:
        raise UsageError(f"unknown {group} '{name}'{nearest(name, known)}")
    files = {**AROUND, group: name}
    cfg = OmegaConf.create({one: _composed(one, of) for one, of in files.items()})
    if data_dir is not None:
        cfg.paths.data_dir = data_dir
    try:
        for key, value in _settings(words):
            _check_parent(cfg[group], key, f"{group} {name}")
            OmegaConf.update(cfg[group], key, value)
        values: Any = OmegaConf.to_container(cfg[group], resolve=True)
    except OmegaConfBaseException as error:
        raise UsageError(" ".join(str(error).split())) from error
    return {str(key): value for key, value in values.items()}


def _composed(group: str, name: str) -> Any:
    """A member's file, below it what its ``defaults`` names: ``name``, ``group_inside: name``, ``/group@key: name``."""
    from omegaconf import OmegaConf

    own: Any = OmegaConf.load(conf_dir() / group / f"{name}.yaml")
    below: list[Any] = []
    for entry in own.pop("defaults", []):
        if isinstance(entry, str):
            below += [] if entry == "_self_" else [_composed(group, entry)]
            continue
        ((word, of),) = entry.items()
        if word.startswith("override "):
            raise UsageError(f"{group} {name} sets other groups too, and is no part by itself; choose it for a run")
        where, _, key = word.partition("@")
        inner = where[1:] if where.startswith("/") else f"{group}/{where}"
        below.append({key or where: _composed(inner, of)})
    return OmegaConf.merge(*below, own)


def about(group: str, name: str) -> str:
    """What a member is: the comment that its file begins with, as one line; empty where it has none.

    Example:
        >>> about("dataset", "stare")
        'STARE, 20 or 397 fundus photographs.'
    """
    lines = (conf_dir() / group / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    first = next((place for place, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return " ".join(line.lstrip("# ").strip() for line in lines[:first])


def values_of_words(words: Sequence[str]) -> dict[str, Any]:
    """Words ``KEY=VALUE`` as plain values by key, read by Hydra's grammar.

    Raises:
        UsageError: If a word is none, or lists values for a sweep.

    Example:
        >>> values_of_words(["length_px=[1,9]", "name=x"])
        {'length_px': [1, 9], 'name': 'x'}
    """
    return dict(_settings(words))


def _settings(words: Sequence[str]) -> list[tuple[str, Any]]:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    from blurlab.run.command.words import readable

    for word in words:
        if "=" not in word or word.startswith(("_", "+", "~")):
            raise UsageError(f"'{word}' is no setting; write KEY=VALUE")
    try:
        parsed = OverridesParser.create().parse_overrides(readable(words))
        if any(one.is_sweep_override() for one in parsed):
            raise UsageError(f"one value a setting is needed, got {' '.join(words)}; write a range as KEY=[LOW,HIGH]")
        return [(one.key_or_group, _plain(one.value())) for one in parsed]
    except HydraException as error:
        raise UsageError(" ".join(str(error).split())) from error


def _plain(value: Any) -> Any:
    """A parsed value without Hydra's own type of quoted text."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)


def _check_parent(node: Any, key: str, whose: str) -> None:
    """Raise unless every part of a dotted key but the last is there, and has parts itself."""
    from omegaconf import DictConfig

    for part in key.split(".")[:-1]:
        inner = node.get(part)
        if not isinstance(inner, DictConfig):
            parts = [str(one) for one, below in node.items() if isinstance(below, DictConfig)]
            raise UsageError(f"{whose} has no part '{part}'{nearest(part, parts) if parts else ', nor any other'}")
        node = inner
