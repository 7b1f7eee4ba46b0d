"""Stage: the first network alone, on photographs never seen: how often it names the right class."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from blurlab.dataset import Degraded, FixedItems, degrade_batch
from blurlab.head import Labels
from blurlab.learning import BEST, load_net
from blurlab.pipeline import Direct, Question
from blurlab.run.context import Context
from blurlab.run.errors import UsageError
from blurlab.run.evaluate import PER_IMAGE, write_rows
from blurlab.run.latency import median_ms
from blurlab.run.progress import bar
from blurlab.run.stage import Stage, once
from blurlab.run.summary import accuracies, confusion, curve, share

BATCH = 16
Row = dict[str, Any]


class Classify(Stage):
    """The network of the pipeline's first question on every test photograph, degraded ``draws_test`` times.

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
    """Ask the network of the first question about every test item; write ``per_image.csv``.

    Returns:
        Record entries: metrics, confusion, curves and, where the network is another run's, how that one was trained.
    """
    question = context.identifier.questions[0]
    if not isinstance(question.answer, Labels):
        raise UsageError("stage=classify tests a network that names a class; use pipeline=hierarchical or direct")
    folder = context.dir if run is None else Path(run)
    net = network(context, question, folder)
    draws = context.budget["draws_test"]
    items = FixedItems(context.data.test, draws, seed=context.seed, split="test", size=context.data.size)
    rows: list[Row] = []
    with bar(context.console, not context.progress) as progress, torch.inference_mode():
        task = progress.add_task("classify", total=len(items))
        for batch in DataLoader(items, batch_size=BATCH):
            batch[0] = batch[0].to(context.device)
            degraded = degrade_batch(context.degrade, batch, training=False)
            rows += classified(context, degraded, net(degraded.y).float().softmax(1), draws)
            progress.advance(task, len(degraded))
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
        "confusion": {question.name: confusion(rows, labels)},
        "curves": {
            f"{name}/{kind}": curve([row for row in rows if row["kind"] == kind], share, taps) for kind in kinds
        },
        **({} if run is None else {"training": trained_as(folder, question)}),
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


def network(context: Context, question: Question, folder: Path) -> nn.Module:
    """The best network that a run left for a question, on this run's device.

    Raises:
        UsageError: If there is none, it is another network, or it was trained on other photographs.
    """
    path = folder / "stages" / f"train_{question.name}" / BEST
    if not path.is_file():
        raise UsageError(f"{folder} has no trained network for {question.name} ({path} is missing); train it first")
    if folder != context.dir:
        before = json.loads((folder / "data.json").read_text())
        if before.get("sha256") != context.data.facts["sha256"]:
            raise UsageError(
                f"the network of {folder} was trained on other photographs than dataset.source names here; "
                "one that it was trained on could be tested"
            )
    return load_net(context.head(question.answer), path).to(context.device)


def trained_as(folder: Path, question: Question) -> dict[str, Any]:
    """How a finished run trained the network of a question, as its own record says."""
    mark = folder / "stages" / f"train_{question.name}" / "finished.json"
    if not mark.is_file():
        raise UsageError(f"{folder} has not finished its training; run.resume={folder}")
    return {question.name: json.loads(mark.read_text())}
