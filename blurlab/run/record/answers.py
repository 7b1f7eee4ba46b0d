"""How far answers can be trusted: which were given, which are right, what their probabilities hold, what they did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from blurlab.metric import calibration_error, reliability
from blurlab.run.record.means import interval, proportion
from blurlab.run.record.rows import Item, Named, named

WORSE_DB = 0.5
"""Loss from which a restoration counts as worse than what came."""
SHARP = "none"
"""The kind of no blur."""


def answers(items: Sequence[Item]) -> dict[str, Any]:
    """Metrics of the answers themselves; shares with Wilson 95 % intervals.

    Returns:
        ``answered`` (share of the items with an answer), ``kind_accuracy_answered`` (of these the share whose kind is
        right), ``calibration_error`` (expected error of these answers' probabilities) and ``sharp_called_blurred``
        (share of the sharp items named a blur).
    """
    given = _given(items)
    sharp = [item for item in items if item.truth.kind == SHARP]
    found = {
        "kind_accuracy_answered": proportion(sum(_right(item) for item in given), len(given)),
        "answered": proportion(len(given), len(items)),
    }
    if given:
        error = float(calibration_error(*_tensors(given)))
        found["calibration_error"] = {"value": error, "n": len(given), "unit": ""}
    if sharp:
        called = sum(named(item).answered and named(item).kind != SHARP for item in sharp)
        found["sharp_called_blurred"] = proportion(called, len(sharp))
    return found


def reliability_table(items: Sequence[Item]) -> list[dict[str, Any]]:
    """The answers in bins of their probability, bins without answers left out."""
    given = _given(items)
    table = reliability(*_tensors(given))
    bins = len(table.count)
    return [
        {
            "low": place / bins,
            "high": (place + 1) / bins,
            "n": int(table.count[place]),
            "probability": float(table.probability[place]),
            "right": float(table.right[place]),
        }
        for place in range(bins)
        if table.count[place]
    ]


def outcomes(items: Sequence[Item], seed: int) -> dict[str, Any]:
    """Metrics of the items that were restored with the estimated kernel, sharp ones that were called blurred included.

    Returns:
        ``restored_better`` (share with ISNR > 0), ``restored_not_worse`` (share that lost no more than 0.5 dB), and the
        mean ``isnr`` in dB of the blurred ones, together and by kind (``isnr/<kind>``); nothing where none is restored.
    """
    restored = [item for item in items if item.restorations]
    if not restored:
        return {}
    gains = [item.figure("isnr", "estimated") for item in restored]
    found = {
        "restored_better": proportion(sum(gain > 0 for gain in gains), len(gains)),
        "restored_not_worse": proportion(sum(gain >= -WORSE_DB for gain in gains), len(gains)),
    }
    kinds = dict.fromkeys(item.truth.kind for item in restored)
    blurred = [item for item in restored if item.truth.kind != SHARP]
    groups = {"isnr": blurred} | {f"isnr/{kind}": [i for i in restored if i.truth.kind == kind] for kind in kinds}
    for name, some in groups.items():
        if some:
            values = [item.figure("isnr", "estimated") for item in some]
            found[name] = interval(values, [item.photo for item in some], seed, "dB")
    return found


def _given(items: Sequence[Item]) -> list[Item]:
    return [item for item in items if named(item).answered]


def _right(item: Item) -> bool:
    return named(item).kind == item.truth.kind


def _tensors(given: Sequence[Item]) -> tuple[torch.Tensor, torch.Tensor]:
    """Probabilities (n,) of the answers, and whether they are right (n,)."""
    every: list[Named] = [named(item) for item in given]
    probability = torch.tensor([one.probability for one in every], dtype=torch.float64).clamp(0, 1)
    return probability, torch.tensor([_right(item) for item in given], dtype=torch.bool)
