"""Stage: the first network alone, on photographs never seen: how often it names the right class."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from blurlab.dataset import Degraded, FixedItems, degrade_batch
from blurlab.learning import BEST, load_net
from blurlab.pipeline import Direct, Task
from blurlab.run.errors import UsageError
from blurlab.run.record.means import share
from blurlab.run.record.summary import accuracies, confusion, curve
from blurlab.run.setup.build import plain
from blurlab.run.setup.context import Context
from blurlab.run.setup.progress import bar
from blurlab.run.stage.base import Stage, once
from blurlab.run.stage.evaluate import PER_IMAGE, write_rows
from blurlab.run.stage.latency import median_ms

BATCH = 16
Row = dict[str, Any]


class Classify(Stage):
    """The network of the pipeline's first task on every test photograph, degraded ``draws_test`` times.

    Nothing is restored, and no other network is needed.

    Args:
        run: Directory of a run whose network is tested, here on other photographs; None where this run trains it.
    """

    def __init__(self, run: str | None = None) -> None:
        self.run = run

    def __call__(self, context: Context) -> None:
        found = once(context, "classify", lambda folder: classify(context, self.run))
        context.record.update({key: value for key, value in found.items() if key != "seconds"})


def classify(context: Context, run: str | None = None) -> dict[str, Any]:
    """Ask the network of the first task about every test item; write ``per_image.csv``.

    Returns:
        Record entries: metrics, confusion, curves and, where the network is another run's, how that one was trained.
    """
    task = context.identifier.tasks[0]
    training = {} if run is None else {"training": trained_as(context, Path(run))}
    net = network(context, task, context.dir if run is None else Path(run))
    draws = context.budget["draws_test"]
    items = FixedItems(context.data.test, draws, seed=context.seed, split="test", size=context.data.size)
    rows: list[Row] = []
    with bar(context.console, context.progress) as progress, torch.inference_mode():
        shown = progress.add_task("classify", total=len(items))
        for batch in DataLoader(items, batch_size=BATCH):
            batch[0] = batch[0].to(context.device)
            degraded = degrade_batch(context.degrade, batch, training=False)
            rows += classified(context, degraded, net(degraded.y).float().softmax(1), draws)
            progress.advance(shown, len(degraded))
        image = degraded.y[:1]
        milliseconds = median_ms(lambda: net(image), repeats=20, device=context.device)
    write_rows(context.dir / PER_IMAGE, rows)
    taps = isinstance(context.identifier, Direct)
    kinds = dict.fromkeys(row["kind"] for row in rows if row["kind"] != "none")
    labels = context.identifier.confusion_labels()
    name = "accuracy" if taps else "type_accuracy"
    return {
        "metrics": {
            **accuracies(rows, len(labels) if taps else 0),
            "classify_ms": {"value": milliseconds, "n": 1, "unit": "ms"},
        },
        "confusion": {task.name: confusion(rows, labels)},
        "curves": {
            f"{name}/{kind}": curve([row for row in rows if row["kind"] == kind], share, taps) for kind in kinds
        },
        **training,
    }


def classified(context: Context, degraded: Degraded, probability: Tensor, draws: int) -> list[Row]:
    """One row an item: which it is, the truth, and the class found with its probability."""
    identifier = context.identifier
    truth = identifier.headline_class(degraded.kind, degraded.strength_px)
    best, answer = probability.max(1)
    rows: list[Row] = []
    for i in range(len(degraded)):
        photo, draw = divmod(int(degraded.item[i]), draws)
        rows.append({
            "photo": context.data.test.ids[photo], "draw": draw,
            "kind": identifier.family.kinds[int(degraded.kind[i])], "strength_px": float(degraded.strength_px[i]),
            "sigma": float(degraded.sigma[i]), "truth": int(truth[i]), "answer": int(answer[i]),
            "found_probability": float(best[i]), "right": int(answer[i] == truth[i]),
        })  # fmt: skip
    return rows


def network(context: Context, task: Task, folder: Path) -> nn.Module:
    """The best network that a run left for a task, on this run's device.

    Raises:
        UsageError: If there is none.
    """
    path = folder / "stages" / f"train_{task.name}" / BEST
    if not path.is_file():
        raise UsageError(f"{folder} has no trained network for {task.name}; train it first (stage.train)")
    return load_net(context.head(task.target), path).to(context.device)


def trained_as(context: Context, run: Path) -> dict[str, Any]:
    """How another run trained its networks, as its own record says.

    Raises:
        UsageError: If it has no record yet, or is of another head, other blurs or other photographs.
    """
    path = run / "record.json"
    if not path.is_file():
        raise UsageError(f"{run} has not finished its training; run.resume={run}")
    before, cfg = json.loads(path.read_text()), plain(context.cfg)
    same = {
        "another head": before["head"] == cfg["head"],
        "other blurs": before["blur"] == cfg["blur"],
        "other photographs": before["dataset"]["sha256"] == context.data.facts["sha256"],
    }
    wrong = [what for what, agrees in same.items() if not agrees]
    if wrong:
        raise UsageError(f"the network of {run} is of {' and '.join(wrong)}; name a run like this one")
    return dict(before["training"])
