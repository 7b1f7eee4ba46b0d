"""Before the work: what will be run on what, and about how long it will take."""

from __future__ import annotations

import time

import torch

from blurlab.dataset import AugmentedItems, degrade_batch
from blurlab.head import Pretrainable
from blurlab.run.setup.context import Context
from blurlab.run.setup.trainer import degraded_data, steps_per_epoch, threads_beside

WARM_STEPS = 1
TIMED_STEPS = 2


def say_plan(context: Context) -> None:
    """Print data set, budget, device and the estimate; warn loudly where another data set stands in."""
    facts, say = context.data.facts, context.console.print
    if facts["requested"] != facts["name"]:
        say(
            f"[bold yellow]{facts['requested']} was not found: every figure of this run is for {facts['name']}."
            f"[/bold yellow] Put the set under {context.cfg.paths.data_dir} or set paths.data_dir; "
            "dataset.strict=true makes this an error."
        )
    say(
        f"[bold]{context.cfg.run.experiment}[/bold]: data {facts['name']} ({facts['train']} train, "
        f"{facts['val']} validation, {facts['test']} test), budget {context.budget['name']}, "
        f"device {context.device.type}"
    )
    if context.data.skipped:
        first = "; ".join(f"{name}: {why}" for name, why in context.data.skipped[:3])
        say(f"{len(context.data.skipped)} files skipped, all listed in the record: {first}", markup=False)
    if not context.identifier.tasks:
        say(f"no network for the blur to train; run directory {context.dir}")
        return
    seconds = estimate_seconds(context)
    say(f"about {_human(seconds)} of training and as much again for the rest at most; run directory {context.dir}")


def estimate_seconds(context: Context) -> float:
    """Seconds that training every task will take, from a few timed steps with throw-away weights."""
    task = context.identifier.tasks[0]
    degrade = context.degrade_for(task)
    net = context.head(task.target).to(context.device)
    items = AugmentedItems(
        context.data.train, context.data.size, seed=context.seed, stage="estimate", scale=context.data.scale
    )
    with threads_beside(context.budget["workers"]):
        for step in range(WARM_STEPS + TIMED_STEPS):
            if step == WARM_STEPS:
                start = time.perf_counter()
            images, seeds, places = zip(*(items[i] for i in range(context.budget["batch_size"])), strict=True)
            batch = [torch.stack(images).to(context.device), torch.tensor(seeds), torch.tensor(places)]
            loss = net(degrade_batch(degrade, batch, training=True).y).logsumexp(1).mean()
            loss.backward()
            float(loss.detach())
        a_step = (time.perf_counter() - start) / TIMED_STEPS
    epochs = context.budget["epochs"]
    if isinstance(net, Pretrainable):
        epochs += context.budget["pretrain_epochs"] * len(net.rbms)
    steps = epochs * steps_per_epoch(degraded_data(context, degrade, task.name, task.target))
    return a_step * steps * len(context.identifier.tasks)


def _human(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} minutes"
