"""What of a configuration may change a figure, and in what two configurations differ."""

from __future__ import annotations

import hashlib
import inspect
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from blurlab.report.record import RESUMABLE
from blurlab.run.errors import UsageError
from blurlab.run.setup.moved import MOVED
from blurlab.run.setup.revision import code
from blurlab.run.setup.targets import resolve

SILENT = (
    "paths", "logger", "trainer.accelerator", "trainer.devices", "trainer.strategy", "budget.workers",
    "run.resume", "run.keep", "run.progress", "run.variant",
)  # fmt: skip
"""Keys, with all below them, that change no figure: places, what is shown or kept, on what the run is computed."""
CONTENTS = "contents."
MOST_NAMED = 3
RESULTS = ("best.ckpt", "*.safetensors")
FILES = (".weights", ".run")
"""Ends of the keys whose values may be the name of a file or folder."""


@dataclass(frozen=True)
class Settings:
    """The settings of a run, and where they came from.

    Attributes:
        values: Plain values by dotted key; under ``contents.<key>`` a digest of the file, or of the networks of the
            run directory, that the key names.
        words: The command line's words that may change a figure, the last of each key.
        code: Version and revision of the code.
    """

    values: dict[str, Any]
    words: dict[str, str]
    code: str


def settings(cfg: DictConfig, words: Sequence[str] | None = None) -> Settings:
    """Those of a composed configuration and the code that is running.

    Args:
        cfg: The whole configuration; ``run.variant`` may be unresolved.
        words: The words that it was composed from; those that Hydra runs if None.
    """
    tree: Any = OmegaConf.to_container(cfg, resolve=False)
    return Settings(values_of(tree), words_of(overrides() if words is None else words), code())


def given() -> list[str]:
    """The words of the command line that made this job; none where Hydra did not start it."""
    return [str(word) for word in HydraConfig.get().overrides.task] if HydraConfig.initialized() else []


def overrides() -> list[str]:
    """The words of the command line that made this job, less those about places; none where Hydra did not start it."""
    return without_places(given())


def without_places(words: Sequence[str]) -> list[str]:
    """Words of a command line, less those about places and what is shown."""
    return [word for word in words if not word.startswith(("paths.", "run.resume", "run.progress"))]


def words_of(overrides: Sequence[str]) -> dict[str, str]:
    """The words that may change a figure, the last of each key.

    Example:
        >>> words_of(["+experiment=levin32", "budget=small", "run.keep=true", "budget=smoke"])
        {'experiment': 'levin32', 'budget': 'smoke'}
    """
    words = [str(word).lstrip("+~") for word in overrides]
    pairs = [word.partition("=") for word in words if not word.startswith((*RESUMABLE, "run.resume=", "hydra."))]
    return {key: value for key, _, value in pairs}


def values_of(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by dotted key of a configuration as plain dicts, interpolations in it or resolved.

    Classes have their present names, what lies under one of the configuration's places begins with the place's name,
    and stages that are left out (null) are left out.

    Example:
        >>> values_of({"noise": {"sigma": "${run.seed}"}, "run": {"seed": 3, "keep": True}, "stage": {"train": None}})
        {'noise.sigma': 3, 'run.seed': 3}
    """
    run = {**tree.get("run", {}), "variant": None}  # may ask Hydra, which need not be running
    plain: Any = OmegaConf.to_container(OmegaConf.create({**tree, "run": run}), resolve=True)
    flat = {key: value for key, value in _flat(plain) if not _below(key, SILENT)}
    flat = {key: value for key, value in flat.items() if not (value is None and _stage(key))}
    digests = {f"{CONTENTS}{key}": digest for key, value in flat.items() if (digest := _digest(key, value))}
    return {**{key: under_places(value, plain.get("paths", {})) for key, value in flat.items()}, **digests}


def under_places(value: Any, places: Mapping[str, Any]) -> Any:
    """A value of JSON in which what is or lies under one of the places of a configuration begins with its name.

    Example:
        >>> under_places({"root": "/mine/sets", "folder": "/mine/sets/levin09"}, {"data_dir": "/mine/sets"})
        {'root': '${paths.data_dir}', 'folder': '${paths.data_dir}/levin09'}
    """
    if isinstance(value, Mapping):
        return {key: under_places(entry, places) for key, entry in value.items()}
    if isinstance(value, list):
        return [under_places(entry, places) for entry in value]
    if isinstance(value, str):
        for name, place in places.items():
            if value == str(place) or value.startswith(f"{place}/"):
                return "${paths." + name + "}" + value[len(str(place)) :]
    return value


def differences(before: Settings, now: Settings, *, complete: bool = False, silent: Sequence[str] = ()) -> list[str]:
    """In what two runs differ that may change a figure, as words.

    A key that one of them lacks counts, unless it has the default of the class that it is an option of, or both have
    the same words and other code: then it is an option that the one code has and the other has not.

    A stage that one of them lacks does not count: it adds results and changes none.

    Args:
        before: What was begun or kept.
        now: What is to be done.
        complete: A stage of ``before`` that ``now`` lacks counts after all: its results would be lost.
        silent: Keys, with all below them, that do not count here.

    Example:
        >>> first = Settings({"noise.sigma": 0.004, "run.seed": 0}, {}, "")
        >>> differences(first, Settings({"noise.sigma": 0.05, "run.seed": 0}, {}, ""))
        ['noise.sigma was 0.004, is 0.05']
    """
    words = [{key: word for key, word in one.words.items() if not _below(key, silent)} for one in (before, now)]
    forgiven = other_code(before.code, now.code) and words[0] == words[1]
    stages = [{_stage(key) for key in one.values} for one in (before, now)]
    classes = {value for key, value in now.values.items() if _stage(key) and key.endswith("._target_")}
    found: dict[str, str] = {}
    for key in dict.fromkeys([*before.values, *now.values]):
        if _below(key, silent):
            continue
        if (stage := _stage(key)) and not all(stage in known for known in stages):
            if complete and key.endswith("._target_") and key in before.values and before.values[key] not in classes:
                found[f"stage.{stage}"] = f"stage.{stage} was done, is left out"
        elif key in before.values and key in now.values:
            if not _same(before.values[key], now.values[key]):
                found[key] = f"{key} was {_brief(before.values, key)}, is {_brief(now.values, key)}"
        elif not forgiven and not _is_default(before.values, now.values, key):
            found[key] = f"{key} was {_brief(before.values, key)}, is {_brief(now.values, key)}"
    return [found[key] for key in sorted(found, key=lambda key: not (key in before.values and key in now.values))]


def in_short(found: Sequence[str]) -> str:
    """The first few differences, and how many there are besides."""
    rest = len(found) - MOST_NAMED
    return "; ".join(found[:MOST_NAMED]) + (f"; and {rest} more" if rest > 0 else "")


def other_code(before: str, now: str) -> bool:
    """May these two be other code? A checkout with changes of its own (``+``) may always be."""
    return before != now or now.endswith("+")


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _present(value, str(key))


def _present(value: Any, key: str = "") -> Any:
    """A value in which classes have their present names."""
    if isinstance(value, Mapping):
        return {name: _present(entry, str(name)) for name, entry in value.items()}
    if isinstance(value, list):
        return [_present(entry) for entry in value]
    return MOVED.get(value, value) if key == "_target_" else value


def _stage(key: str) -> str:
    """The stage whose option a key is; "" for any other."""
    first, _, rest = key.partition(".")
    return rest.split(".")[0] if first == "stage" else ""


def _below(key: str, tops: Sequence[str]) -> bool:
    return any(key == top or key.startswith((f"{top}.", f"{CONTENTS}{top}")) for top in tops)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other):
        return True
    return bool(one == other)


def _is_default(before: Mapping[str, Any], now: Mapping[str, Any], key: str) -> bool:
    """Does the one that has ``key`` have the default of the class that both configure there?"""
    parent, _, option = key.rpartition(".")
    target = str(now.get(f"{parent}._target_"))
    if before.get(f"{parent}._target_") != target:
        return False
    try:
        parameter = inspect.signature(resolve(target)).parameters.get(option)
    except (UsageError, ValueError):  # not allowed, or without a signature
        return False
    value = now[key] if key in now else before[key]
    return parameter is not None and parameter.default is not parameter.empty and _same(parameter.default, value)


def _brief(values: Mapping[str, Any], key: str) -> str:
    if key not in values:
        return "not set"
    words = str(values[key])
    return words if len(words) <= 60 else f"{words[:57]}..."


def _digest(key: str, value: Any) -> str:
    """Digest of the file, or of the networks of the run directory, that a value names; "" where it names neither.

    A plain word is the name of a file under the keys for such alone: a file called ``green`` is no channel.
    """
    if not isinstance(value, str) or "\n" in value or not ("/" in value or key.endswith(FILES)):
        return ""
    path = Path(value)
    try:
        if path.is_file():
            return _sha256(path)
        stages = path / "stages"
        files = sorted(file for name in RESULTS for file in stages.glob(f"*/{name}")) if stages.is_dir() else []
        every = [f"{file.parent.name}/{file.name} {_sha256(file)}" for file in files]
        return hashlib.sha256("\n".join(every).encode()).hexdigest() if every else ""
    except OSError:
        return ""


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
