"""Where a job will run, and whether a run of other settings lies there already; asked before Hydra writes there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException

from blurlab.run.errors import UsageError
from blurlab.run.setup.begun import refuse_other_run
from blurlab.run.setup.settings import differences, in_short, settings


def job_dir(cfg: DictConfig, number: int | None) -> Path | None:
    """The directory that Hydra will give a job.

    Args:
        cfg: A composed configuration with its node ``hydra``.
        number: The job's place in a sweep; None for a run of its own.

    Returns:
        The directory; None where it is told by something that is not known before the job begins.
    """
    keys = ["hydra.run.dir"] if number is None else ["hydra.sweep.dir", "hydra.sweep.subdir"]
    whole = cfg.copy()
    with read_write(whole.hydra), open_dict(whole.hydra):
        whole.hydra.job.num = number or 0
    hydra = HydraConfig.instance()
    before = hydra.cfg
    hydra.set_config(whole)
    try:
        return Path(os.path.realpath(Path(*(str(OmegaConf.select(whole, key)) for key in keys))))
    except (HydraException, OmegaConfBaseException):
        return None
    finally:
        hydra.cfg = before


def refuse_taken(jobs: Sequence[tuple[DictConfig, Sequence[str], Path | None]]) -> None:
    """Raise where a job's directory holds a run of other settings, or is another job's.

    Args:
        jobs: Configurations, the words that each was composed from, and directories.

    Raises:
        UsageError: Naming the directory and in what they differ.
    """
    met: dict[Path, tuple[DictConfig, Sequence[str]]] = {}
    for cfg, words, place in jobs:
        if place is None:
            continue
        refuse_other_run(cfg, words, place)
        if place in met and (found := differences(settings(*met[place]), settings(cfg, words))):
            raise UsageError(f"two jobs would run in {place}: {in_short(found)}; leave hydra.sweep.subdir to blurlab")
        met[place] = cfg, words
