"""One run: its parts are built, its plan is printed, its stages are done, its record is written."""

from __future__ import annotations

import contextlib
import errno
import shutil
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig
from rich.console import Console

from blurlab.core.atomic import write_text
from blurlab.core.image_io import read_image
from blurlab.core.lock import Locked, locked
from blurlab.learning import Pruned
from blurlab.run.command.check import Prepared, prepare_job
from blurlab.run.command.manifest import ERROR, PRUNED
from blurlab.run.command.plan import say_plan
from blurlab.run.errors import UsageError
from blurlab.run.record.kept import keep_record, refuse_to_keep
from blurlab.run.record.record import FINISHED, write_record
from blurlab.run.setup.context import Context, make_context
from blurlab.run.setup.logger.wandb import wandb_folders
from blurlab.run.stage.base import Stage

LOCK = ".lock"
MADE_FIRST = {LOCK, ".hydra", "wandb", "csv", "tensorboard", "stages", "settings.json", "data.json", "record.json"}
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def job(cfg: DictConfig, prepared: Prepared | None = None) -> None:
    """One job of Hydra's; an error ends it with one line, exit code 2 and, once stages began, the traceback in a file.

    In a sweep the other jobs go on, and the reason is left in the job's folder for the table.

    Args:
        cfg: The configuration.
        prepared: What was built of it when the command line was checked; None builds it.
    """
    console = Console(soft_wrap=True)
    hydra = HydraConfig.get()
    run_dir, swept = Path(hydra.runtime.output_dir), hydra.mode is RunMode.MULTIRUN
    before = {path.name for path in run_dir.glob("*")} - {".hydra"}  # Hydra has just written it
    try:
        run(cfg, run_dir, console, prepared)
    except KeyboardInterrupt:
        whole = Path(hydra.sweep.dir) if swept else run_dir
        console.print(f"\nstopped; go on with: python -m blurlab run.resume={whole}", markup=False, highlight=False)
        sys.exit(130)
    except Pruned as early:
        write_text(run_dir / PRUNED, f"{early}\n")
    except Exception as error:
        line = one_line(error, run_dir)
        clean_up(run_dir, error, before)
        print(f"error: {line}", file=sys.stderr)
        if not swept:
            sys.exit(2)
        keep_error(run_dir, line, error)


def one_line(error: Exception, run_dir: Path) -> str:
    """What a user reads: the message of an error of ours; for any other also its type. A full disk has a remedy."""
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        remedy = f"go on with: python -m blurlab run.resume={run_dir}" if has_begun(run_dir) else "run it again"
        return f"{error.filename or run_dir}: {error.strerror}; make space, then {remedy}"
    message = " ".join(str(error).split())
    ours = isinstance(error, (ValueError, FileNotFoundError, PermissionError))
    return message if ours and message else f"{type(error).__name__}: {message}"


def has_begun(run_dir: Path) -> bool:
    """Has a stage left anything to go on from?"""
    return any(path.is_file() for path in run_dir.glob("stages/*/*"))


def clean_up(run_dir: Path, error: Exception, before: set[str]) -> None:
    """Write the traceback beside the stages, where one has begun; else remove everything that the run made.

    Args:
        run_dir: Directory of the run.
        error: What ended it.
        before: Names that were there before the run.
    """
    if has_begun(run_dir):
        keep_error(run_dir, one_line(error, run_dir), error)
        return
    with contextlib.suppress(OSError):  # somebody else's files are in it
        for name in MADE_FIRST - before:
            made = run_dir / name
            shutil.rmtree(made, ignore_errors=True) if made.is_dir() else made.unlink(missing_ok=True)
        run_dir.rmdir()


def keep_error(run_dir: Path, line: str, error: Exception) -> None:
    """Write what ended a run, in a line and with its traceback, into the run's folder."""
    text = f"{line}\n\n{''.join(traceback.format_exception(error))}"
    with contextlib.suppress(OSError):  # what ended the run may be a full disk
        write_text(run_dir / ERROR, text.encode(errors="backslashreplace").decode())  # names of files


def run(cfg: DictConfig, run_dir: Path, console: Console, prepared: Prepared | None = None) -> Path:
    """Do one run.

    Args:
        cfg: A checked configuration.
        run_dir: Where everything goes; stages finished there are not run again.
        console: Where to talk to the user.
        prepared: What was built of the configuration when it was checked; None builds it.

    Returns:
        Path of the record.
    """
    prepared = prepared or prepare_job(cfg)
    run_dir.mkdir(parents=True, exist_ok=True)
    with alone_in(run_dir), wandb_folders(run_dir):
        context = make_context(cfg, prepared.parts, run_dir, console)
        status = "failed"
        try:
            record = do_stages(context, prepared.stages)
            status = "success"
            return record
        finally:
            context.logger.close(status)


@contextlib.contextmanager
def alone_in(run_dir: Path) -> Iterator[None]:
    """Keep other processes out of a run's directory.

    Raises:
        UsageError: If one is at work there.
    """
    try:
        with locked(run_dir / LOCK, wait=False):
            yield
    except Locked as error:
        raise UsageError(f"{run_dir} is being worked on by another process; let it end, or stop it") from error


def do_stages(context: Context, stages: Sequence[Stage]) -> Path:
    """Do the stages of a run, then keep its record where it is to be kept.

    Returns:
        Path of the record.
    """
    if context.cfg.run.keep:
        refuse_to_keep(context)
    say_plan(context, stages)
    for stage in stages:
        stage(context)
        write_record(context)
    log_run(context)
    if context.cfg.run.keep:
        context.console.print(f"kept {keep_record(context)}")
    context.record[FINISHED] = True  # at the very end: a sweep that goes on passes over what is finished
    (context.dir / ERROR).unlink(missing_ok=True)  # of an earlier start
    return write_record(context)


def log_run(context: Context) -> None:
    """Send the final figures, confusion matrices and pictures to the logger, under the names of the field."""
    metrics = {name: entry["value"] for name, entry in context.record.get("metrics", {}).items()}
    if metrics:
        headline = next(iter(metrics))
        if headline.endswith("accuracy"):
            metrics |= {"accuracy": metrics[headline]}
        metrics |= {
            name.upper(): metrics[f"{name}_estimated"] for name in ("isnr", "ssim") if f"{name}_estimated" in metrics
        }
    pictures = {
        f"{number}/{key}": _picture(context, example[key])
        for number, example in enumerate(context.record.get("examples", []))
        for key in ("sharp", "blurred", "oracle", "estimated_image")
        if key in example
    }
    context.logger.log_metrics(metrics)
    context.logger.log_confusion(context.record.get("confusion", {}))
    context.logger.log_pictures({f"example/{title}": image for title, image in pictures.items()})
    context.logger.save()


def _picture(context: Context, name: str) -> np.ndarray:
    """A picture of the run directory; read where this process has not written it."""
    if name not in context.pictures:
        context.pictures[name] = read_image(context.dir / name)
    return context.pictures[name]
