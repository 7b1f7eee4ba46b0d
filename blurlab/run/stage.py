"""Stages of a run: each has a folder and a mark that says it is finished, so a killed run goes on where it stopped."""

from __future__ import annotations

import json
import math
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from blurlab.core.atomic import write_text
from blurlab.run.context import Context
from blurlab.run.errors import UsageError

MARK = "finished.json"


class Stage(ABC):
    """One stage of a run.

    Attributes:
        identifies: Does it ask the pipeline what the blur is, so that the run must train or otherwise have one?
    """

    identifies: bool = True

    @abstractmethod
    def __call__(self, context: Context) -> None:
        """Do the stage, or what is left of it; put results into ``context.record`` by way of :func:`once`."""


def once(context: Context, name: str, work: Any) -> dict[str, Any]:
    """Do a piece of work unless its mark says that it was done; either way return its result.

    Args:
        context: The run.
        name: Name of the piece; its folder is ``<run>/stages/<name>``.
        work: Called with the folder; returns a JSON-able dict.

    Returns:
        The result, with ``seconds``. Time spent before an interruption is not counted.
    """
    folder = context.dir / "stages" / name
    mark = folder / MARK
    if mark.is_file():
        context.console.print(f"[dim]{name}: finished earlier, not run again[/dim]")
        try:
            result = json.loads(mark.read_text())
        except ValueError as error:
            raise UsageError(f"{mark} is damaged; remove it to have this stage done again") from error
    else:
        folder.mkdir(parents=True, exist_ok=True)
        context.console.rule(f"[bold]{name}")
        start = time.perf_counter()
        result = {**work(folder), "seconds": round(time.perf_counter() - start, 2)}
        write_json(mark, result)
    context.record.setdefault("seconds", {})[name] = result["seconds"]
    return result


def write_json(path: Path, value: Any) -> None:
    """Write JSON, whole or not at all; a number that is not finite becomes null, as JSON has none."""
    write_text(path, json.dumps(_finite(value), indent=1, allow_nan=False) + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
