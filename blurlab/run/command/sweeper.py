"""Runs the jobs of a sweep by a launcher of Hydra's; a sweep that was stopped goes on with those that are left."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobStatus
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from blurlab.core.atomic import write_text
from blurlab.run.command.compose import job_words
from blurlab.run.command.manifest import ERROR, Manifest, SweptJob, progress_of, read_manifest, split_done
from blurlab.run.command.words import quoted
from blurlab.run.errors import UsageError


def run_jobs(launcher: Any, context: HydraContext, config: DictConfig, arguments: Sequence[str], resume: bool) -> None:
    """Run the jobs of a command line, or of the sweep in the folder those that have not finished.

    Args:
        launcher: Hydra's, set up.
        context: Hydra's.
        config: The sweep's configuration with its node ``hydra``.
        arguments: Words of the command line, without Hydra's own.
        resume: Go on with the sweep whose folder ``hydra.sweep.dir`` is.
    """
    folder = Path(config.hydra.sweep.dir)
    if resume:
        manifest = read_manifest(folder)
        more = [word for word in arguments if word not in manifest.words]
        keep_now = "run.keep=true" in more
        jobs = list(manifest.jobs) if keep_now else split_done(folder, manifest.jobs)[1]
        jobs = [SweptJob(job.name, (*job.words, *more)) for job in jobs]
    else:
        jobs = [
            SweptJob(job_name(config, context, words, number), tuple(words))
            for number, words in enumerate(job_words(list(arguments), own_conf(config)))
        ]
        Manifest(tuple(arguments), tuple(jobs)).write(folder)
    launch(launcher, folder, jobs)


def launch(launcher: Any, folder: Path, jobs: Sequence[SweptJob], first: int = 0) -> None:
    """Run jobs by a launcher; of one whose process died the reason is left in its folder.

    Args:
        launcher: Hydra's, set up.
        folder: The sweep's.
        jobs: The jobs.
        first: Number of the first.

    Raises:
        UsageError: If the launcher itself failed.
    """
    if not jobs:
        return
    words = [[*job.words, f"hydra.sweep.subdir={quoted(job.name)}"] for job in jobs]
    try:
        every = launcher.launch(words, initial_job_idx=first)
    except Exception as error:  # each engine has errors of its own for not starting
        said = " ".join(str(error).split())[:300]
        raise UsageError(
            f"the launcher failed: {type(error).__name__}: {said}; go on with: python -m blurlab run.resume={folder}, "
            "by another launcher= if need be"
        ) from error
    for job, returned in zip(jobs, every, strict=True):
        progress = progress_of(folder / job.name)
        if returned.status is JobStatus.FAILED and progress.record is None:
            cause = returned._return_value  # what its property raises
            said = " ".join(str(cause).split())[:300]
            write_text(folder / job.name / ERROR, f"its process died: {type(cause).__name__}: {said}\n")


def job_name(config: DictConfig, context: HydraContext, words: Sequence[str], number: int) -> str:
    """The folder of a job below the sweep's, as ``hydra.sweep.subdir`` names it."""
    own = OmegaConf.to_container(config.hydra.sweep, resolve=False)["subdir"]  # type: ignore[call-overload,index]
    if own == "${hydra.job.num}":
        return str(number)
    whole = context.config_loader.load_sweep_config(config, list(words))
    with read_write(whole.hydra), open_dict(whole.hydra):
        whole.hydra.job.num = number
    HydraConfig.instance().set_config(whole)
    return str(OmegaConf.select(whole, "hydra.sweep.subdir"))


def own_conf(config: DictConfig) -> str | None:
    """The user's own folder of configuration, named on the command line; None where there is none."""
    sources = config.hydra.runtime.config_sources
    return next((str(source.path) for source in sources if source.provider == "command-line"), None)
