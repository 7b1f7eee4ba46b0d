"""Records worth keeping: each under a name of its own, never in place of one of other settings."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from blurlab.core.atomic import replace_whole
from blurlab.core.lock import locked
from blurlab.report.seeds import write_seeds
from blurlab.run.errors import UsageError
from blurlab.run.record.json_file import write_json
from blurlab.run.record.record import FINISHED, make_record
from blurlab.run.setup.build import build, plain
from blurlab.run.setup.context import Context
from blurlab.run.setup.data import stand_in
from blurlab.run.setup.naming import record_path, run_name
from blurlab.run.setup.settings import Settings, differences, in_short, settings, under_places, values_of, words_of

Found = tuple[Path, dict[str, Any]]
"""A record with its file."""
TABLE = "per_image.csv"
SEEDS = "seeds"
LOCK = ".lock"
PHOTOGRAPHS = ("name", "sha256", "val_sha256", "test_sha256", "train", "val", "test")
"""What of the entry ``dataset`` of a record says which photographs were used."""


def refuse_other_records(jobs: Sequence[tuple[DictConfig, Sequence[str]]]) -> None:
    """Raise where a job would be kept in place of a record, or of another job's, of other settings.

    Args:
        jobs: Configurations with the words that each was composed from.

    Raises:
        UsageError: Naming the file, in what they differ, and the remedy.
    """
    met: dict[Path, Settings] = {}
    for cfg, words in jobs:
        if not cfg.run.keep:
            continue
        path, now = record_path(plain(cfg), stand_in(cfg.dataset)), settings(cfg, words)
        refuse_other_record(path, now, cfg)
        if path in met and (found := differences(met[path], now)):
            raise UsageError(f"two jobs would be kept as {path}: {in_short(found)}; {_remedy(found, cfg)}")
        met[path] = now


def refuse_other_record(path: Path, now: Settings, cfg: DictConfig, facts: Mapping[str, Any] | None = None) -> None:
    """Raise where the record at ``path`` is of other settings, or of other photographs, than a run.

    Args:
        path: Where the run's record would be kept.
        now: The run's settings.
        cfg: Its configuration.
        facts: What it found of its photographs; None if they have not been looked at yet.

    Raises:
        UsageError: Naming the file, in what they differ, and the remedy.
    """
    if not path.is_file():
        return
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        before = kept_settings(kept, plain(cfg.paths))
        known = dict(kept["dataset"])
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{path} is damaged: move it away, then run again") from error
    values = without_places(now.values, {})
    found = differences(before, replace(now, values=values), complete=True, silent=_without_effect(cfg))
    if facts is not None:
        changed = [key for key in PHOTOGRAPHS if key in known and known[key] != facts.get(key)]
        found += [f"dataset.{key} was {known[key]}, is {facts.get(key)}" for key in changed]
    if found:
        raise UsageError(
            f"{path} is kept with other settings: {in_short(found)}; {_remedy(found, cfg)}, or move that file away"
        )


def _remedy(found: Sequence[str], cfg: DictConfig) -> str:
    """A name for the run that tells it from the other by the first setting in which they differ."""
    key = found[0].split(" ")[0]
    number = isinstance(OmegaConf.select(cfg, key), (int, float))
    ending = f"{key.rsplit('.', 1)[-1]}${{{key}}}" if number else "mine"
    run: Any = OmegaConf.to_container(cfg.run, resolve=False)
    return f"give this one a name of its own, such as run.variant='{run['variant']}.{ending}'"


def kept_settings(record: Mapping[str, Any], places: Mapping[str, Any]) -> Settings:
    """The settings of a kept record; it has no places, so those of the present run stand for them.

    Args:
        record: A record, perhaps of an earlier version.
        places: The node ``paths`` of the present configuration, resolved.
    """
    values = without_places(values_of({**record["config"], "paths": places}), {})
    values = {key: value for key, value in values.items() if not key.startswith("contents.")}  # of files here and now
    code = f"{record['versions']['blurlab']} {record['git']}"
    return Settings({**values, **record.get("contents", {})}, words_of(record.get("overrides", [])), code)


def _without_effect(cfg: DictConfig) -> tuple[str, ...]:
    """Parts that a run does not use: a pipeline without networks asks no head."""
    return () if build(cfg.pipeline, build(cfg.blur)).tasks else ("head",)


def refuse_to_keep(context: Context) -> Path:
    """Where a run's record will be kept.

    Raises:
        UsageError: If a record of other settings or other photographs is there.
    """
    path = record_path(plain(context.cfg), _stood_in(context))
    refuse_other_record(path, context.begun.settings, context.cfg, context.data.facts)
    return path


def _stood_in(context: Context) -> str:
    facts = context.data.facts
    return str(facts["name"]) if facts["requested"] != facts["name"] else ""


def keep_record(context: Context) -> Path:
    """Copy a finished run's record, less what belongs to this machine, to ``experiments/<paper>/results/<budget>/``.

    Where records of other seeds are there, the table over the seeds is made anew.

    Raises:
        UsageError: If a record of other settings or other photographs is there.
    """
    folder = record_path(plain(context.cfg)).parent
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / LOCK):  # another sweep may keep a record of the same name in the same moment
        return _keep(context)


def _keep(context: Context) -> Path:
    path = refuse_to_keep(context)
    record = make_record(context)
    kept = {key: value for key, value in record.items() if key not in ("examples", "config", FINISHED)}
    kept["config"] = {key: value for key, value in record["config"].items() if key != "paths"}
    kept["config"]["run"] = {**kept["config"]["run"], "resume": None}
    if stood_in := _stood_in(context):
        kept["variant"] = f"{kept['variant']}.{stood_in}"
    table = context.dir / TABLE
    if table.is_file():
        with replace_whole(path.with_suffix(".csv")) as file:
            file.write(table.read_bytes())
    write_json(path, without_places(kept, plain(context.cfg.paths)))
    keep_seeds(path, run_name({**plain(context.cfg.run), "seed": 0}, stood_in), plain(context.cfg.paths))
    return path


def keep_seeds(path: Path, name: str, places: Mapping[str, Any]) -> None:
    """Make the table over the seeds of a kept record anew, from every record beside it that differs in the seed alone.

    It goes to ``seeds/<name>.json`` and ``.md`` beside the records.

    Args:
        path: A kept record.
        name: Its name without the seed.
        places: The node ``paths`` of the configuration, resolved.
    """
    own = json.loads(path.read_text(encoding="utf-8"))
    found = [(path, own)]
    for file in sorted([path.parent / f"{name}.json", *path.parent.glob(f"{name}.seed*.json")]):
        if file != path and file.is_file():
            try:
                other = json.loads(file.read_text(encoding="utf-8"))
                changed = differences(kept_settings(other, places), kept_settings(own, places), silent=("run.seed",))
            except (ValueError, TypeError, KeyError) as error:
                raise UsageError(f"{file} is damaged: move it away, then make the table over seeds again") from error
            if not changed:
                found.append((file, other))
    if len(found) > 1:
        write_seeds(path.parent / SEEDS / name, found)


def by_run(found: Sequence[Found], places: Mapping[str, Any]) -> list[list[Found]]:
    """Kept records in groups that differ in the seed alone, each seed once, in the order of their first members.

    Args:
        found: Records of one experiment, each with its file.
        places: The node ``paths`` of the configuration, resolved.
    """
    if len({record["seed"] for _, record in found}) < 2:
        return [[one] for one in found]
    groups: list[tuple[Settings, dict[int, Found]]] = []
    for file, record in found:
        own = kept_settings(record, places)
        for theirs, group in groups:
            if record["seed"] not in group and not differences(theirs, own, silent=("run.seed",)):
                group[record["seed"]] = (file, record)
                break
        else:
            groups.append((own, {record["seed"]: (file, record)}))
    return [list(group.values()) for _, group in groups]


def without_places(value: Any, places: Mapping[str, Any]) -> Any:
    """A value of JSON in which what lies under one of the places of a configuration begins with the place's name.

    Of any other file that is named whole, the folder is left out: it means nothing elsewhere.

    Example:
        >>> without_places({"folder": "/mine/sets/levin09", "size": 3}, {"data_dir": "/mine/sets"})
        {'folder': '${paths.data_dir}/levin09', 'size': 3}
        >>> without_places("deconvolver.weights=/mine/runs/7/last.ckpt", {})
        'deconvolver.weights=.../last.ckpt'
    """
    return _without_folders(under_places(value, places))


def _without_folders(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_folders(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_without_folders(entry) for entry in value]
    if isinstance(value, str):
        return re.sub(r"(?<![^=])/\S*/", ".../", value)
    return value
