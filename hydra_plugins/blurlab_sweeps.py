"""blurlab's sweepers and launchers, where Hydra looks for plugins. Hydra imports this for every program: keep it light.

What they do stands in ``blurlab/run/command``, which is imported when one of them is used.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from blurlab.run.command.engine import Call, Ended, EngineLauncher


class JobsSweeper(Sweeper):
    """Every combination of the values that are named, or what is left of them in a sweep that was stopped.

    Args:
        resume: Go on with the sweep in the folder?
    """

    config: DictConfig
    context: HydraContext
    launcher: Launcher

    def __init__(self, resume: bool = False) -> None:
        self.resume = resume

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Make the launcher."""
        from hydra.core.plugins import Plugins

        self.config, self.context = config, hydra_context
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        """Run the jobs of a command line."""
        from blurlab.run.command.sweeper import run_jobs

        with _in_one_line():
            run_jobs(self.launcher, self.context, self.config, arguments, self.resume)


class SearchSweeper(JobsSweeper):
    """Jobs whose settings Optuna chooses, one after the other or a few at a time.

    Args:
        resume: Go on with the search in the folder?
        search: Options of :class:`~blurlab.run.command.search.Search`.
    """

    def __init__(self, resume: bool = False, **search: Any) -> None:
        super().__init__(resume)
        self.search = search

    def sweep(self, arguments: list[str]) -> None:
        """Run the trials of a command line."""
        from blurlab.run.command.search import Search, run_search

        with _in_one_line():
            run_search(self.launcher, self.config, arguments, Search(**_plain(self.search)), self.resume)


class JoblibLauncher(EngineLauncher):
    """Jobs side by side in processes of this machine, by joblib.

    Args:
        n_jobs: How many at a time; below 1: as many as there are cores.
    """

    def __init__(self, n_jobs: int = -1) -> None:
        self.n_jobs = n_jobs

    def threads(self) -> int | None:
        """The machine's, shared among the jobs."""
        from blurlab.run.command.engines import threads_beside_jobs

        return threads_beside_jobs(self.n_jobs)

    def run_all(self, calls: Sequence[Call]) -> list[Ended]:
        """What became of each call."""
        from blurlab.run.command.engines import run_joblib

        return run_joblib(calls, self.n_jobs)


class SubmititLocalLauncher(JoblibLauncher):
    """The same by submitit: a process and a log a job; what runs so runs under Slurm.

    Args:
        n_jobs: How many at a time; below 1: as many as there are cores.
    """

    def run_all(self, calls: Sequence[Call]) -> list[Ended]:
        """What became of each call."""
        from blurlab.run.command.engines import run_submitit_local

        return run_submitit_local(calls, _logs(self.config), self.n_jobs)


class SlurmLauncher(EngineLauncher):
    """A Slurm job for each job, in one array.

    Args:
        options: Of submitit's executor for Slurm, by the names of sbatch.
    """

    def __init__(self, **options: Any) -> None:
        self.options = options

    def run_all(self, calls: Sequence[Call]) -> list[Ended]:
        """What became of each call."""
        from blurlab.run.command.engines import run_slurm

        return run_slurm(calls, _logs(self.config), _plain(self.options))


class RayLauncher(EngineLauncher):
    """A Ray task for each job.

    Args:
        address: Of a cluster (``auto``, ``ray://host:10001``); None starts one on this machine for the sweep.
        cpus_per_job: Cores that a job needs.
        gpus_per_job: Accelerators that a job needs.
    """

    def __init__(self, address: str | None = None, cpus_per_job: float = 1, gpus_per_job: float = 0) -> None:
        self.address, self.cpus_per_job, self.gpus_per_job = address, cpus_per_job, gpus_per_job

    def run_all(self, calls: Sequence[Call]) -> list[Ended]:
        """What became of each call."""
        from blurlab.run.command.engines import run_ray

        return run_ray(calls, self.address, self.cpus_per_job, self.gpus_per_job)


@contextmanager
def _in_one_line() -> Iterator[None]:
    """End a command with one line where it cannot be run; Hydra would show where in its own code that was found."""
    from blurlab.run.errors import UsageError

    try:
        yield
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def _plain(options: dict[str, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in OmegaConf.to_container(OmegaConf.create(options), resolve=True).items()}  # type: ignore[union-attr]


def _logs(config: DictConfig) -> Path:
    return Path(config.hydra.sweep.dir).absolute() / ".submitit"


def _store(group: str, member: str, kind: type, **options: Any) -> None:
    node = {"_target_": f"{kind.__module__}.{kind.__name__}", **options}
    ConfigStore.instance().store(group=f"hydra/{group}", name=f"blurlab_{member}", node=node, provider="blurlab")


_store("sweeper", "jobs", JobsSweeper, resume=False)
_store(
    "sweeper", "search", SearchSweeper, resume=False, space={}, metric="val_loss", direction="minimize", trials=20,
    at_once=1, prune=True, warm_up_epochs=3,
    first_trials=5, storage=None,
)  # fmt: skip
_store("launcher", "joblib", JoblibLauncher, n_jobs=-1)
_store("launcher", "submitit_local", SubmititLocalLauncher, n_jobs=-1)
_store(
    "launcher", "slurm", SlurmLauncher, timeout_min=1440, cpus_per_task=None, gpus_per_node=None, mem_gb=None,
    name="${hydra.job.name}", partition=None, account=None, qos=None, constraint=None, gres=None, array_parallelism=256,
    max_num_timeout=3, signal_delay_s=120, setup=None, additional_parameters=None,
)  # fmt: skip
_store("launcher", "ray", RayLauncher, address=None, cpus_per_job=1, gpus_per_job=0)
