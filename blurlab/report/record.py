"""Run records: read and checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

RESUMABLE = ("logger", "run.progress=", "run.keep=", "run.variant=", "paths.", "trainer", "stage=", "launcher=")
"""Beginnings of words that may stand beside ``run.resume``: those that do not change a figure, if they may add some."""

RESULTS, PAGES = "results", "pages"
"""Folder of the pages of records, beside ``results``."""

_TOP: dict[str, type | tuple[type, ...]] = {
    "experiment": str, "variant": str, "budget": str, "seed": int, "git": str, "created": str, "dataset": Mapping,
    "blur": Mapping, "noise": Mapping, "boundary": Mapping, "inverse_crime": bool, "device": str, "versions": Mapping,
    "seconds": Mapping, "metrics": Mapping, "published": Mapping, "limit": Mapping,
}  # fmt: skip
_INSIDE = {"dataset": ("name", "requested"), "boundary": ("data", "solver")}
_ENTRIES = {"metrics": ("value",), "published": ("value", "source"), "limit": ("value", "how")}
_ALIKE = ("experiment", "budget", "seed", "dataset", "blur", "head", "boundary", "deconvolver")
_BUDGETS = ("full", "small", "smoke")


def validate_record(record: Mapping[str, Any]) -> None:
    """Raise unless ``record`` has every key of the schema.

    Raises:
        TypeError: If it is no mapping or a key holds another type.
        ValueError: If a key is missing; the message names it.

    Example:
        >>> validate_record({"experiment": "messidor_hier"})
        Traceback (most recent call last):
        ValueError: record lacks 'variant'; ...
    """
    if not isinstance(record, Mapping):
        raise TypeError(f"a record must be a JSON object, got {type(record).__name__}")
    for key, kind in _TOP.items():
        _need(record, key, "")
        if not isinstance(record[key], kind):
            raise TypeError(f"record key {key!r} has a {type(record[key]).__name__}; see the schema and run again")
    inside: tuple[str, ...]
    for outer, inside in _INSIDE.items():
        for key in inside:
            _need(record[outer], key, f"{outer}.")
    for outer, keys in _ENTRIES.items():
        for name, entry in record[outer].items():
            for key in keys:
                _need(entry, key, f"{outer}.{name}.")
            _number(entry["value"], f"{outer}.{name}.value")
    _validate_optional(record)


def _validate_optional(record: Mapping[str, Any]) -> None:
    for name, table in record.get("confusion", {}).items():
        for key in ("labels", "matrix"):
            _need(table, key, f"confusion.{name}.")
        size = len(table["labels"])
        if len(table["matrix"]) != size or any(len(row) != size for row in table["matrix"]):
            raise ValueError(
                f"confusion.{name}.matrix must be {size}x{size}, as its labels; write one row a true class"
            )
    for name, curve in record.get("curves", {}).items():
        for key in ("x_name", "points"):
            _need(curve, key, f"curves.{name}.")
        for point in [*curve["points"], *curve.get("limit", [])]:
            for key in ("x", "value"):
                _need(point, key, f"curves.{name}.points.")
    for place, example in enumerate(record.get("examples", [])):
        _need(example, "title", f"examples.{place}.")
    for place, entry in enumerate(record.get("robustness", [])):
        _need(entry, "condition", f"robustness.{place}.")
        if "error" not in entry:
            _need(entry, "metrics", f"robustness.{place}.")
            for name, measured in entry["metrics"].items():
                _need(measured, "value", f"robustness.{place}.metrics.{name}.")


def _need(mapping: Any, key: str, prefix: str) -> None:
    if not isinstance(mapping, Mapping):
        raise TypeError(f"record key {prefix.rstrip('.')!r} must be an object, got {type(mapping).__name__}")
    if key not in mapping:
        raise ValueError(f"record lacks {prefix + key!r}; write it where the run makes its record")


def _number(value: Any, name: str) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise TypeError(f"record key {name!r} must be a number or null, got {value!r}")


def load_record(path: str | Path) -> dict[str, Any]:
    """Read and check a record.

    Args:
        path: A record's file, or a run directory that holds ``record.json``.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If the file is no JSON or lacks a key.
    """
    file = Path(path)
    file = file / "record.json" if file.is_dir() else file
    if not file.is_file():
        raise FileNotFoundError(f"no record at {file}; give a run directory or a record's JSON file")
    try:
        record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file} is damaged or no JSON; move it away, or make the record again") from error
    try:
        validate_record(record)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{file.name}: {error}") from error
    return record


def load_folder(folder: str | Path) -> list[tuple[str, dict[str, Any]]]:
    """Every record of ``folder/results/<budget>/*.json`` with its path inside the folder, largest budget first."""
    root = Path(folder)
    found = [(file.relative_to(root).as_posix(), load_record(file)) for file in root.glob("results/*/*.json")]
    return sorted(found, key=lambda item: (item[1]["experiment"], budget_rank(item[1]["budget"]), item[0]))


def page_of(file: str) -> str:
    """The page that shows a record, both seen from the same folder.

    Example:
        >>> page_of("results/small/yan2016.dbn.json"), page_of("experiments/yan2016/results/small/yan2016.dbn.json")
        ('pages/small/yan2016.dbn.md', 'experiments/yan2016/pages/small/yan2016.dbn.md')
    """
    path = PurePosixPath(file)
    folders = [*path.parts[:-1]]
    folders[folders.index(RESULTS)] = PAGES
    return str(PurePosixPath(*folders, f"{path.stem}.md"))


def budget_rank(budget: str) -> int:
    """Largest first: full, small, smoke, then any other."""
    return _BUDGETS.index(budget) if budget in _BUDGETS else len(_BUDGETS)


def differ_in_sigma_only(record: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two records are of the same run but for ``noise.sigma``: the words of their command lines count as well.

    Example:
        >>> first, second = ({"seed": 0, "noise": {"sigma": s}, "overrides": [f"noise.sigma={s}"]} for s in (1, 2))
        >>> differ_in_sigma_only(first, second), differ_in_sigma_only(first, {**second, "seed": 1})
        (True, False)
    """
    sigmas = [one["noise"].get("sigma") for one in (record, other)]
    if not all(isinstance(sigma, (int, float)) for sigma in sigmas) or sigmas[0] == sigmas[1]:
        return False
    return all(record.get(key) == other.get(key) for key in _ALIKE) and _settings(record) == _settings(other)


def _settings(record: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """The command line's words that may change a figure, the last of each key, and the noise without its sigma.

    Words about the noise are left out: the record has the noise they made. So are the epochs: what a longer training
    gives shows in the accuracy, which stands beside the ISNR.
    """
    words = [str(word).lstrip("+~") for word in record.get("overrides", [])]
    silent = (*RESUMABLE, "run.resume=", "budget.epochs=")
    pairs = [word.partition("=") for word in words if not word.startswith(silent)]
    noise = {key: value for key, value in record["noise"].items() if key != "sigma"}
    return {key: value for key, _, value in pairs if key.split(".")[0] != "noise"}, noise


def fell_back(record: Mapping[str, Any]) -> bool:
    """Whether another data set than the one asked for was used.

    Example:
        >>> fell_back({"dataset": {"name": "fundus_synthetic", "requested": "messidor"}})
        True
    """
    requested = record["dataset"]["requested"]
    return bool(requested) and str(requested).lower() != str(record["dataset"]["name"]).lower()
