"""What runs the jobs of a sweep: processes of this machine (joblib, submitit), Slurm, Ray; one code for all of them.

A launcher is given to Hydra as a plugin (``hydra_plugins/blurlab_sweeps.py``). An engine that runs ``Call`` objects
elsewhere and says how each ended is all that differs. A process that dies (out of memory, a node that fails) ends its
own job alone.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, run_job, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

Ended = JobReturn | BaseException
"""What became of a call: what Hydra returns for a job, or what its process died of."""


@dataclass(frozen=True)
class Call:
    """A job, as it is sent to another process.

    Attributes:
        context: Hydra's.
        config: That of the sweep.
        task: What a job does.
        words: The job's words.
        number: Its number.
        state: Hydra's singletons.
        threads: Of torch's; None leaves them as they are there.
    """

    context: HydraContext
    config: DictConfig
    task: TaskFunction
    words: tuple[str, ...]
    number: int
    state: dict[Any, Any]
    threads: int | None = None

    def __call__(self) -> JobReturn:
        """Do the job."""
        Singleton.set_state(self.state)
        setup_globals()
        if self.threads is not None:
            import torch

            torch.set_num_threads(self.threads)
        config = self.context.config_loader.load_sweep_config(self.config, list(self.words))
        with open_dict(config):
            config.hydra.job.id = f"{config.hydra.job.name}_{self.number}"
            config.hydra.job.num = self.number
        return run_job(
            hydra_context=self.context,
            config=config,
            task_function=self.task,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )

    def checkpoint(self) -> Any:
        """Submit the same call again, where Slurm ends it at its time limit: a run goes on where it stopped."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


class EngineLauncher(Launcher):
    """A launcher of Hydra's that hands its jobs to :meth:`run_all`."""

    config: DictConfig
    context: HydraContext
    task: TaskFunction

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what the jobs are made of."""
        self.context, self.task, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run jobs and wait for all of them; one that dies does not stop the others."""
        setup_globals()
        state = Singleton.get_state()
        calls = [
            Call(self.context, self.config, self.task, tuple(words), initial_job_idx + place, state, self.threads())
            for place, words in enumerate(job_overrides)
        ]
        return [_returned(ended) for ended in self.run_all(calls)]

    def threads(self) -> int | None:
        """Threads of a job's torch, where the engine does not see to that."""
        return None

    @abstractmethod
    def run_all(self, calls: Sequence[Call]) -> list[Ended]:
        """What became of each call, in their order."""


def at_once(asked: int) -> int:
    """How many jobs run side by side: ``asked``, or as many as this process has cores if that is below 1."""
    return asked if asked > 0 else cores()


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share_of_threads(jobs: int) -> int:
    """Threads of torch's for each of some jobs side by side, no more in all than this process would use."""
    import torch

    return max(1, min(torch.get_num_threads(), cores() // jobs))


def _returned(ended: Ended) -> JobReturn:
    if isinstance(ended, JobReturn):
        return ended
    return JobReturn(status=JobStatus.FAILED, _return_value=ended)
