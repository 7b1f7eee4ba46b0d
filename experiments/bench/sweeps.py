"""The same sweep on every engine: is it the same table, what does a job cost besides its work, and what would 10,000?

    python experiments/bench/sweeps.py local joblib submitit_local slurm ray
    python experiments/bench/sweeps.py --plan

Each engine runs eight tiny jobs (``budget=smoke``, drawn photographs). Processor seconds are those of the command and
of the processes that it waited for; of jobs that Slurm and Ray run they cannot be told, so wall seconds stand beside
them, with the machine's load. Slurm is one of this machine alone (``slurm_node.sh``), started and stopped here. The
records go to ``results/sweeps.json``, the plan made of them to ``results/sweeps.md``.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from timing import machine

HERE = Path(__file__).resolve().parent
RECORD, PLAN = HERE / "results" / "sweeps.json", HERE / "results" / "sweeps.md"
PHOTOGRAPHS = HERE / "results" / "photograph.json"
ENGINES = ("local", "joblib", "submitit_local", "slurm", "ray")
WORDS = [
    "-m", "blur=taps", "blur.taps=9,7", "run.seed=0,1,2,3", "pipeline=direct", "dataset=bundled", "dataset.size=48",
    "budget=smoke", "budget.epochs=1", "budget.steps_per_epoch=2", "budget.batch_size=4", "budget.draws_val=1",
    "budget.draws_test=1", "budget.draws_restore=1", "head.width=2", "head.hidden=8", "head.window=16", "head.hop=8",
    "deconvolver=wiener", "optimizer.ema_decay=0", "~stage.report", "logger=csv", "run.progress=false", "trainer=cpu",
]  # fmt: skip
JOBS, MANY, PHOTOS = 8, 10_000, 10_000_000


def run(engine: str, folder: Path, env: dict[str, str]) -> dict[str, Any]:
    """Run the sweep on an engine."""
    sweep = folder / engine
    words = [*WORDS, f"launcher={engine}", f"hydra.sweep.dir={sweep}", f"paths.runs_dir={folder}"]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "blurlab", *words],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{engine}: {done.stderr[-2000:]}")
    records = [json.loads((sweep / str(job) / "record.json").read_text()) for job in range(JOBS)]
    return {
        "cpu_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2),
        "cpu_is_whole": engine in ("local", "joblib", "submitit_local"),
        "wall_seconds": round(wall, 1),
        "load": round(os.getloadavg()[0], 1),
        "stage_seconds_a_job": round(sum(sum(one["seconds"].values()) for one in records) / JOBS, 2),
        "kilobytes_a_job": round(sum(f.stat().st_size for f in sweep.rglob("*") if f.is_file()) / JOBS / 1e3),
        "table": table(done.stdout),
    }


def table(said: str) -> list[str]:
    """The rows of the sweep's table, their cells one space apart."""
    rows = said.split("table over seeds")[0].splitlines()
    kept = [re.sub(r"[\s│]+", " ", row).strip() for row in rows if row.startswith("│")]
    return kept[: next((place for place, row in enumerate(kept) if row.startswith("Accuracy")), len(kept))]


def with_slurm(folder: Path) -> dict[str, Any]:
    """The sweep on a Slurm of this machine alone."""
    script, home = HERE / "slurm_node.sh", folder / "slurm_node"
    begun = subprocess.run([script, "start", home], capture_output=True, text=True, check=False)
    if begun.returncode:
        raise SystemExit(f"slurm: {begun.stderr}")
    try:
        name, _, value = begun.stdout.strip().splitlines()[-1].partition("=")
        return run("slurm", folder, {name: value})
    finally:
        subprocess.run([script, "stop", home], check=True)


def check_cost(count: int = 24) -> dict[str, float]:
    """Processor seconds that checking a job of a sweep takes before the first begins."""
    from blurlab.run.command.compose import check_jobs

    words = [word for word in WORDS if word != "-m" and not word.startswith("run.seed")]
    words = [word.replace("9,7", "9") for word in words]
    with tempfile.TemporaryDirectory() as folder:
        words += [f"paths.runs_dir={folder}"]
        list(check_jobs([*words, "run.seed=0"], sweep=True))  # imports
        start = time.process_time()
        list(check_jobs([*words, f"run.seed=range({count})"], sweep=True))
        return {"jobs": count, "cpu_seconds_a_job": round((time.process_time() - start) / count, 4)}


def plan(found: dict[str, Any]) -> str:
    """What ten thousand jobs and ten million photographs would cost, from what one machine measured."""
    engines, check = found["engines"], found["check"]["cpu_seconds_a_job"]
    work = engines["joblib"]["cpu_seconds"] / JOBS
    apart = engines["submitit_local"]["cpu_seconds"] / JOBS
    disk = engines["joblib"]["kilobytes_a_job"]
    photos = json.loads(PHOTOGRAPHS.read_text())["blurs"]
    each = [one["cpu_seconds"] for one in photos.values()]
    mean = sum(each) / len(each)
    lines = [
        "# What many jobs and many photographs cost", "",
        "Made by `python experiments/bench/sweeps.py --plan` from `sweeps.json` (8 tiny jobs, budget=smoke, drawn",
        "photographs) and `photograph.json` (photographs of 12 megapixels), both measured on two cores. Nothing here",
        "was run at this size: the figures are products. A real job adds its own training: `budget=small` is made for",
        "30 minutes on two cores, an hour of one core.", "",
        "| what | measured | times 10,000 |", "|---|---|---|",
        f"| check a job before the sweep begins | {check:.3f} CPU s | {check * MANY / 60:.0f} minutes of one core |",
        f"| a tiny job in a process that is kept (joblib) | {work:.1f} CPU s | {work * MANY / 3600:.1f} core hours |",
        f"| a tiny job in its own process (submitit) | {apart:.1f} CPU s | {apart * MANY / 3600:.1f} core hours |",
        f"| files of a tiny job | {disk} kB | {disk * MANY / 1e6:.1f} GB |",
        f"| budget=small, by its bound | 1 core hour | {MANY:,} core hours: {MANY / 64 / 24:.1f} days on 64 cores |",
        "",
        "| photographs of 12 megapixels, identified and restored | measured | times 10,000,000 |", "|---|---|---|",
    ]  # fmt: skip
    for name, one in photos.items():
        hours = one["cpu_seconds"] * PHOTOS / 3600
        lines.append(f"| {name} | {one['cpu_seconds']} CPU s, {one['peak_mb']} MB | {hours:,.0f} core hours |")
    hours = mean * PHOTOS / 3600
    lines += [
        f"| mean of these | {mean:.1f} CPU s | {hours:,.0f} core hours: {hours / 1000 / 24:.0f} days on 1,000 cores |",
        "",
        "Checks run in the command itself, one after another: from some thousand jobs on, split a sweep into several",
        "(`run.seed=range(0,2000)`, ...). An array of Slurm's has at most `MaxArraySize` jobs, 1,001 unless a cluster",
        "says otherwise. Photographs are independent of each other: give each node a part of the folder's list;",
        "`blurlab deblur` goes on after a bad file and with `--resume`.",
        "",
    ]  # fmt: skip
    return "\n".join(lines)


def main() -> None:
    """Measure the engines that are named, or write the plan."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engines", nargs="*", help=f"of {', '.join(ENGINES)}")
    parser.add_argument("--plan", action="store_true", help="write results/sweeps.md from the records that are there")
    asked = parser.parse_args()
    if unknown := [engine for engine in asked.engines if engine not in ENGINES]:
        parser.error(f"unknown engine {unknown[0]}; known: {', '.join(ENGINES)}")
    found = json.loads(RECORD.read_text()) if RECORD.is_file() else {"engines": {}}
    for engine in asked.engines:
        with tempfile.TemporaryDirectory() as folder:
            one = with_slurm(Path(folder)) if engine == "slurm" else run(engine, Path(folder), {})
        found["engines"][engine] = one
        found["machine"] = machine()
        tables = [entry["table"] for entry in found["engines"].values()]
        found["same_table"] = all(each == tables[0] for each in tables)
        print(f"{engine}: {one['cpu_seconds']} CPU s, {one['wall_seconds']} s; same table: {found['same_table']}")
        RECORD.write_text(json.dumps(found, indent=1) + "\n")
    if asked.plan:
        found["check"] = check_cost()
        RECORD.write_text(json.dumps(found, indent=1) + "\n")
        PLAN.write_text(plan(found))


if __name__ == "__main__":
    main()
