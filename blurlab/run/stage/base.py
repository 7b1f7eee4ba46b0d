"""Stages of a run: each has a folder and a mark that says it is finished, so a killed run goes on where it stopped."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from blurlab.deconvolver import Learned
from blurlab.pipeline import KnownKernel
from blurlab.run.errors import UsageError
from blurlab.run.record.json_file import write_json
from blurlab.run.setup.context import Context
from blurlab.run.setup.parts import Parts

MARK = "finished.json"
WITH_TABLE = ("evaluate", "restore", "classify", "answers")
"""Stages that write ``per_image.csv`` and ``examples/``, of which a run has one."""


class Stage(ABC):
    """One stage of a run.

    Attributes:
        identifies: Does it ask the pipeline what the blur is?
        trains: What it trains for the stages after it, ``NETWORKS``, ``FIRST_NETWORK`` or ``DECONVOLVER``; None for
            nothing.
    """

    identifies: bool = True
    trains: str | None = None

    def check(self, cfg: DictConfig, parts: Parts, before: Sequence[Stage]) -> None:
        """Raise where the stage cannot do its work; called before anything is read or written.

        A stage that needs more than this extends it.

        Args:
            cfg: The run's configuration.
            parts: What it names.
            before: The stages that are done before this one.

        Raises:
            UsageError: With the remedy.
        """
        if self.identifies and isinstance(parts.identifier, KnownKernel):
            raise UsageError("pipeline=known identifies nothing, but these stages ask it; use stage=restore")
        if self.identifies and cfg.boundary.data == "captured":
            raise UsageError("images taken blurred can be restored, not identified; use stage=restore")

    def training(self, context: Context) -> str:
        """What it will train, in words; "" for nothing."""
        return ""

    @abstractmethod
    def __call__(self, context: Context) -> None:
        """Do the stage, or what is left of it; put results into ``context.record`` by way of :func:`once`."""


NETWORKS = "networks"
FIRST_NETWORK = "the first network"
DECONVOLVER = "deconvolver"


def check_networks(cfg: DictConfig, parts: Parts, before: Sequence[Stage]) -> None:
    """Raise where the pipeline has networks that no earlier stage trains; those of a resumed run may lie in it.

    Raises:
        UsageError: With the remedy.
    """
    trained = cfg.run.resume is not None or any(stage.trains == NETWORKS for stage in before)
    if parts.identifier.tasks and not trained:
        raise UsageError(
            "this pipeline has networks and no stage before trains them; use stage=default, or pipeline=likelihood"
        )


def check_run(run: str | None) -> None:
    """Raise where a run is named that is none.

    Raises:
        UsageError: With the remedy.
    """
    if run is None or Path(run, ".hydra", "config.yaml").is_file():
        return
    jobs = [path.parents[1] for path in sorted(Path(run).glob("*/.hydra/config.yaml"))]
    remedy = f"it holds several: name one of them, as {jobs[0]}" if jobs else "name one under runs/"
    raise UsageError(f"{run} is no run directory (it has no .hydra/config.yaml); {remedy}")


def check_photographs(cfg: DictConfig) -> None:
    """Raise where a set has no photographs to train and validate on.

    Raises:
        UsageError: With the remedy.
    """
    if cfg.dataset.source is None:
        raise UsageError(f"dataset={cfg.dataset.name} has no photographs to train on; use another, or stage=restore")


def check_restores(parts: Parts, before: Sequence[Stage]) -> None:
    """Raise where images would be restored by a network that nothing has trained.

    Raises:
        UsageError: With the remedy.
    """
    deconvolver = parts.deconvolver
    trained = any(stage.trains == DECONVOLVER for stage in before)
    if isinstance(deconvolver, Learned) and not deconvolver.trained and not trained:
        raise UsageError(
            f"the network {type(deconvolver.net).__name__} has no weights; name a file by deconvolver.weights=, "
            "or train it: stage=train_restore"
        )


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
