"""The engines that run the jobs of a sweep elsewhere than in the command's own process."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from blurlab.run.command.engine import Call, Ended, at_once, share_of_threads

POLL_S = 0.2


def run_joblib(calls: Sequence[Call], n_jobs: int) -> list[Ended]:
    """Calls in processes of this machine, some at a time, by joblib's executor.

    A process that dies breaks the executor, and with it the calls that ran beside it: those, and the ones that had not
    begun, are run again, each in an executor of its own. A job goes on where it stopped.
    """
    from joblib.externals.loky import ProcessPoolExecutor
    from joblib.externals.loky.process_executor import BrokenProcessPool

    ended: list[Ended] = []
    with ProcessPoolExecutor(max_workers=min(at_once(n_jobs), len(calls))) as executor:
        try:
            futures = [executor.submit(call) for call in calls]
            ended = [future.exception() or future.result() for future in futures]
        except (KeyboardInterrupt, SystemExit):
            executor.shutdown(kill_workers=True)
            raise
    if len(calls) > 1:
        for place, one in enumerate(ended):
            if isinstance(one, BrokenProcessPool):
                ended[place] = run_joblib([calls[place]], 1)[0]
    return ended


def run_submitit_local(calls: Sequence[Call], folder: Path, n_jobs: int) -> list[Ended]:
    """Calls in processes of this machine, some at a time, started by submitit, with logs in ``folder``."""
    from submitit import LocalExecutor

    executor = LocalExecutor(folder=folder)
    executor.update_parameters(timeout_min=60 * 24 * 365)
    jobs: list[Any] = []
    try:
        for call in calls:
            while sum(not job.done() for job in jobs) >= at_once(n_jobs):
                time.sleep(POLL_S)
            jobs.append(executor.submit(call))
        return [_of_job(job) for job in jobs]
    except (KeyboardInterrupt, SystemExit):
        _cancel(jobs)
        raise


def run_slurm(calls: Sequence[Call], folder: Path, options: dict[str, Any]) -> list[Ended]:
    """Calls as one array of jobs of Slurm's, with logs in ``folder``.

    Args:
        calls: The calls.
        folder: On a file system that the nodes share.
        options: Of submitit's: ``timeout_min``, ``cpus_per_task``, ..., and those of sbatch by their own names.
    """
    from submitit import AutoExecutor

    general = {"timeout_min", "cpus_per_task", "gpus_per_node", "mem_gb", "nodes", "tasks_per_node", "name"}
    first = {"slurm_max_num_timeout": options.pop("max_num_timeout")} if "max_num_timeout" in options else {}
    executor = AutoExecutor(folder=folder, cluster="slurm", **first)
    executor.update_parameters(
        **{key if key in general else f"slurm_{key}": value for key, value in options.items() if value is not None}
    )
    with executor.batch():
        jobs = [executor.submit(call) for call in calls]
    try:
        return [_of_job(job) for job in jobs]
    except (KeyboardInterrupt, SystemExit):
        _cancel(jobs)
        raise


def run_ray(calls: Sequence[Call], address: str | None, cpus: float, gpus: float) -> list[Ended]:
    """Calls as tasks of Ray's.

    Args:
        calls: The calls.
        address: Of a cluster; None starts one on this machine, for the time of the sweep.
        cpus: Cores that a job needs.
        gpus: Accelerators that a job needs.
    """
    import logging

    os.environ.setdefault("RAY_raylet_start_wait_time_s", "300")  # half a minute is too short on a busy machine
    import ray

    ours = not ray.is_initialized()
    if ours:
        more = {"include_dashboard": False} if address is None else {}
        ray.init(address=address, logging_level=logging.WARNING, **more)
    try:
        task = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=0)(_call)
        sent = [task.remote(call) for call in calls]
        return [_of_ray(one) for one in sent]
    finally:
        if ours:
            ray.shutdown()


def _call(call: Call) -> Any:
    return call()


def _of_ray(sent: Any) -> Ended:
    import ray

    try:
        found: Ended = ray.get(sent)
    except Exception as error:  # a worker that died, a job that could not be sent back
        return error
    return found


def _of_job(job: Any) -> Ended:
    """What became of a job of submitit's."""
    try:
        found: Ended = job.result()
    except Exception as error:  # submitit raises what the job raised, or says that there is no result
        return error
    return found


def _cancel(jobs: Sequence[Any]) -> None:
    for job in jobs:
        with suppress(Exception):  # it may have ended by itself
            job.cancel()


def threads_beside_jobs(n_jobs: int) -> int:
    """Threads of torch's for each of ``n_jobs`` jobs of this machine."""
    return share_of_threads(at_once(n_jobs))
