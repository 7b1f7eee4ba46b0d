"""What a run directory was begun with: it goes on with the same settings and is refused to any others."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from blurlab.core.atomic import write_text
from blurlab.run.errors import UsageError
from blurlab.run.setup.settings import Settings, differences, given, in_short, settings, values_of, words_of

FILE = "settings.json"


@dataclass(frozen=True)
class Begun:
    """What a run directory was begun with.

    Attributes:
        id: The run's own; a copy of the directory keeps it.
        code: Every code that has worked in the directory, as :func:`~blurlab.run.setup.revision.code` names it.
        overrides: The words of the command line that it was begun with.
        settings: Those that it keeps.
    """

    id: str
    code: tuple[str, ...]
    overrides: tuple[str, ...]
    settings: Settings


def begin(cfg: DictConfig, run_dir: Path, console: Console) -> Begun:
    """Keep in ``<run>/settings.json`` what a run is begun with, or go on with one that was begun with the same.

    Args:
        cfg: The composed configuration.
        run_dir: Directory of the run; exists.
        console: Where it is said that, and by which code, the run was begun earlier.

    Raises:
        UsageError: If it was begun with other settings; the message says which.
    """
    now = settings(cfg)
    before = begun(run_dir)
    if before is None:
        ours = Begun(uuid.uuid4().hex, (now.code,), tuple(given()), now)
    else:
        refuse_other_settings(run_dir, before, now)
        console.print(f"{run_dir} was begun earlier with these settings: going on", markup=False, highlight=False)
        known = before.code[-1] if before.code else "an earlier version"
        if known != now.code:
            console.print(f"code: until now {known}, from here on {now.code}", markup=False, highlight=False)
        every = tuple(dict.fromkeys([*before.code, now.code]))
        values = {**now.values, **before.settings.values}  # the stages that a later start may have added, too
        ours = Begun(before.id or uuid.uuid4().hex, every, before.overrides, replace(before.settings, values=values))
    if ours != before:
        whole = {"id": ours.id, "code": ours.code, "overrides": ours.overrides, "values": ours.settings.values}
        write_text(run_dir / FILE, json.dumps(whole, indent=1) + "\n")
    return ours


def refuse_other_run(cfg: DictConfig, words: Sequence[str], run_dir: Path) -> None:
    """Raise where a directory holds a run that was begun with other settings than these; nothing is written.

    Args:
        cfg: The composed configuration.
        words: The words that it was composed from.
        run_dir: Directory that a run would use; need not exist.

    Raises:
        UsageError: Saying in what they differ.
    """
    before = begun(run_dir)
    if before is not None:
        refuse_other_settings(run_dir, before, settings(cfg, words))


def refuse_other_settings(run_dir: Path, before: Begun, now: Settings) -> None:
    """Raise where a run was begun with other settings than ``now``.

    Raises:
        UsageError: Saying in what they differ.
    """
    found = differences(before.settings, now)
    if found:
        raise UsageError(
            f"{run_dir} was begun with other settings: {in_short(found)}; a run directory keeps its settings, "
            "so name another one (hydra.run.dir, hydra.sweep.dir), or leave that to blurlab"
        )


def refuse_changed(cfg: DictConfig, run_dir: Path) -> None:
    """Raise where the configuration that Hydra saved in a run directory is not what the run was begun with.

    Hydra writes it at each start, before anything can look at what was there; data and files may lie elsewhere by now.

    Args:
        cfg: What lies in ``<run>/.hydra/config.yaml``.
        run_dir: The run directory.

    Raises:
        UsageError: Saying in what they differ.
    """
    before = begun(run_dir)
    tree: Any = OmegaConf.to_container(cfg, resolve=False)
    if before is None:
        return
    now = replace(before.settings, values=values_of(tree))
    if found := differences(before.settings, now, silent=("contents", "dataset")):
        raise UsageError(f"{run_dir}/.hydra/config.yaml is not what this run was begun with: {in_short(found)}")


def begun(run_dir: Path) -> Begun | None:
    """What a directory was begun with; None where no run was begun in it.

    A run of an earlier version has no ``settings.json``; what Hydra saved then stands for it.

    Raises:
        UsageError: If that cannot be read, or there are stages of which nothing says what they are of.
    """
    path = run_dir / FILE
    if path.is_file():
        return _read(path)
    if not any(file.is_file() for file in run_dir.glob("stages/*/*")):
        return None
    saved = [run_dir / ".hydra" / name for name in ("config.yaml", "overrides.yaml")]
    missing = [file for file in saved if not file.is_file()]
    if missing:
        raise UsageError(
            f"{run_dir} has stages, but nothing says with which settings ({missing[0]} is missing); put it back"
        )
    try:
        loaded: list[Any] = [OmegaConf.to_container(OmegaConf.load(file), resolve=False) for file in saved]
        tree, words = loaded
        return Begun("", (), tuple(words), Settings(values_of(tree), words_of(words), ""))
    except Exception as error:  # YAML and OmegaConf have each errors of their own
        raise UsageError(f"{saved[0].parent} cannot be read; put it back, or start a new run") from error


def begun_words(run_dir: Path) -> list[str]:
    """The words that a run was begun with; none where ``settings.json`` does not know them."""
    path = run_dir / FILE
    return list(_read(path).overrides) if path.is_file() else []


def _read(path: Path) -> Begun:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        code, words = tuple(map(str, found["code"])), tuple(map(str, found["overrides"]))
        return Begun(str(found["id"]), code, words, Settings(dict(found["values"]), words_of(words), code[-1]))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise UsageError(f"{path} is damaged; put it back, or start a new run") from error
