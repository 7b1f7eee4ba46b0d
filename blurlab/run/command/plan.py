"""Before the work: what will be run on what."""

from __future__ import annotations

from collections.abc import Sequence

from blurlab.run.setup.context import Context
from blurlab.run.stage.base import Stage


def say_plan(context: Context, stages: Sequence[Stage]) -> None:
    """Print data set, budget, device and what will be trained; warn loudly where another data set stands in.

    How long a training will take is printed when its first steps have been timed
    (:class:`~blurlab.run.setup.remaining.RemainingTime`): nothing is trained only to be timed.
    """
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
    trainings = [stage.training(context) for stage in stages]
    planned = "; ".join(text for text in trainings if text) or "nothing to train"
    say(f"{planned}; run directory {context.dir}", markup=False)
