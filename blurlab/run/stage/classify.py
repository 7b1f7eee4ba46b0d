"""Stage: the first network alone, on photographs never seen: how often it names the right class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from torch import Tensor, nn

from blurlab.head import Labels
from blurlab.learning import BEST, load_net
from blurlab.physics import Degraded
from blurlab.pipeline import Scorer
from blurlab.run.errors import UsageError
from blurlab.run.record.curves import curve
from blurlab.run.record.lines import line, write_lines
from blurlab.run.record.rows import Item, Named, make_items
from blurlab.run.record.scores import accuracies, share
from blurlab.run.record.summary import confusion
from blurlab.run.setup.build import plain
from blurlab.run.setup.context import Context
from blurlab.run.setup.parts import Parts
from blurlab.run.setup.progress import bar
from blurlab.run.setup.saved import load_json
from blurlab.run.stage.base import FIRST_NETWORK, NETWORKS, Stage, check_run, once
from blurlab.run.stage.evaluate import PER_IMAGE
from blurlab.run.stage.train import best_net

BATCH = 16


class Classify(Stage):
    """The network of the pipeline's first task on every test photograph, degraded ``draws_test`` times.

    Nothing is restored, and no other network is needed.

    Args:
        run: Directory of a run whose network is tested, here on other photographs; None where this run trains it.
    """

    def __init__(self, run: str | None = None) -> None:
        self.run = run

    def check(self, cfg: DictConfig, parts: Parts, before: Sequence[Stage]) -> None:
        """Besides: does the first task ask for a class, and is there a network for it?"""
        super().check(cfg, parts, before)
        check_run(self.run)
        tasks = parts.identifier.tasks
        if not tasks or not isinstance(tasks[0].target, Labels) or parts.identifier.scorer is None:
            raise UsageError("stage=classify tests a network that names a class; use pipeline=hierarchical or direct")
        trained = cfg.run.resume is not None or any(stage.trains in (NETWORKS, FIRST_NETWORK) for stage in before)
        if self.run is None and not trained:
            raise UsageError(
                "no stage before stage=classify trains its network; name a finished run by stage.classify.run="
            )

    def __call__(self, context: Context) -> None:
        found = once(context, "classify", lambda folder: classify(context, self.run))
        context.record.update({key: value for key, value in found.items() if key != "seconds"})


def classify(context: Context, run: str | None = None) -> dict[str, Any]:
    """Ask the network of the first task about every test item; write ``per_image.csv``.

    Returns:
        Record entries: metrics, confusion, curves and, where the network is another run's, how that one was trained.
    """
    trained = {} if run is None else trained_as(context, Path(run))
    net = best_net(context, context.identifier.tasks[0]) if run is None else network(context, Path(run))
    scorer, draws = context.identifier.scorer, context.budget["draws_test"]
    assert scorer is not None  # as checked
    drawn = context.degraded("test", draws)
    items: list[Item] = []
    with bar(context.console, context.progress) as progress, torch.inference_mode():
        shown = progress.add_task("classify", total=len(drawn))
        for degraded in drawn.batches(BATCH):
            items += classified(context, scorer, degraded, net(degraded.y).softmax(1))
            progress.advance(shown, len(degraded))
    write_lines(context.dir / PER_IMAGE, [line(item) for item in items])
    kinds = dict.fromkeys(item.truth.kind for item in items if item.truth.kind != "none")
    by_kind = {kind: [item for item in items if item.truth.kind == kind] for kind in kinds}
    return {
        "metrics": accuracies(items, scorer),
        "confusion": {scorer.name: confusion(items, scorer.labels)},
        "curves": {f"{scorer.curve}/{kind}": curve(some, share, scorer.discrete) for kind, some in by_kind.items()},
        **trained,
    }


def classified(context: Context, scorer: Scorer, degraded: Degraded, probability: Tensor) -> list[Item]:
    """The items of a batch with the class found for each; of its strength and parameters nothing was found."""
    family = context.identifier.family
    items = make_items(family, degraded, context.data.test.ids, context.budget["draws_test"], None, None)
    true = scorer.classes(degraded.kind, degraded.strength_px)
    best, found = probability.max(1)
    for row, item in enumerate(items):
        item.named = Named(
            kind=scorer.labels[int(found[row])],
            params={},
            probability=float(best[row]),
            strength_px=math.nan,
            strength_map_px=math.nan,
            strength_mean_px=math.nan,
            interval_px=(math.nan, math.nan),
            true_class=int(true[row]),
            found_class=int(found[row]),
            right=int(found[row]) == int(true[row]),
        )
    return items


def network(context: Context, run: Path) -> nn.Module:
    """The best network that another run left for the first task, on this run's device.

    Raises:
        UsageError: If there is none.
    """
    task = context.identifier.tasks[0]
    path = run / "stages" / f"train_{task.name}" / BEST
    if not path.is_file():
        raise UsageError(f"{run} has no trained network for {task.name}; name another run")
    return load_net(context.head(task.target), path).to(context.device)


def trained_as(context: Context, run: Path) -> dict[str, Any]:
    """Entries of a record that say how another run trained its networks, and by which code and words.

    Raises:
        UsageError: If it has no record yet, or is of another head, other blurs or other photographs.
    """
    path = run / "record.json"
    if not path.is_file():
        raise UsageError(f"{run} has not finished its training; run.resume={run}")
    remedy = f"put it back, or make it again by run.resume={run}"
    before, cfg = load_json(path, remedy), plain(context.cfg)
    by_key = ("git", "created", "device", "versions", "overrides")
    if lacking := [key for key in ("head", "blur", "dataset", "training", *by_key) if key not in before]:
        raise UsageError(f"{path} is damaged (it lacks {lacking[0]}); {remedy}")
    same = {
        "another head": before["head"] == cfg["head"],
        "other blurs": before["blur"] == cfg["blur"],
        "other photographs": before["dataset"].get("sha256") == context.data.facts["sha256"],
    }
    wrong = [what for what, agrees in same.items() if not agrees]
    if wrong:
        raise UsageError(f"the network of {run} is of {' and '.join(wrong)}; name a run like this one")
    return {"training": before["training"], "trained_by": {key: before[key] for key in by_key}}
