"""Stages of a run: each has a folder and a mark that says it is finished, so a killed run goes on where it stopped."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from typing import Any

from blurlab.run.errors import UsageError
from blurlab.run.record.json_file import write_json
from blurlab.run.setup.context import Context

MARK = "finished.json"
WITH_TABLE = ("evaluate", "restore")
"""Stages that write ``per_image.csv`` and ``examples/``, of which a run has one."""


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
            result = dict(json.loads(mark.read_text(encoding="utf-8")))
            seconds = float(result["seconds"])
        except (ValueError, TypeError, KeyError) as error:
            raise UsageError(f"{mark} is damaged; remove it to have this stage done again") from error
    else:
        refuse_second_table(context, name)
        folder.mkdir(parents=True, exist_ok=True)
        context.console.rule(f"[bold]{name}")
        start = time.perf_counter()
        found = work(folder)
        seconds = round(time.perf_counter() - start, 2)
        result = {**found, "seconds": seconds}
        write_json(mark, result)
    context.record.setdefault("seconds", {})[name] = seconds
    return result


def refuse_second_table(context: Context, name: str) -> None:
    """Raise where another stage has written the files of a run of which there is one: table and pictures.

    Raises:
        UsageError: Naming that stage.
    """
    others = [other for other in WITH_TABLE if other != name and (context.dir / "stages" / other).is_dir()]
    if name in WITH_TABLE and others:
        raise UsageError(
            f"{context.dir} has the table and the pictures of its stage {others[0]}, which {name} would replace; "
            "start a new run for it"
        )
