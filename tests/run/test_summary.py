"""From rows to figures."""

from __future__ import annotations

from typing import Any

import pytest

from blurlab.run.summary import accuracies, confusion, curve, propagation, restorations, share


def row(kind: str, strength: float, found: str, **more: Any) -> dict[str, Any]:
    kinds = ["none", "defocus", "motion"]
    base = {"photo": "a", "kind": kind, "strength_px": strength, "found_kind": found, "right": int(kind == found)}
    return {**base, "truth": kinds.index(kind), "answer": kinds.index(found), "best_observer": 1.0, **more}


ROWS = [
    row("none", 0.0, "none"), row("motion", 1.05, "none"), row("motion", 5.0, "motion"),
    row("defocus", 2.5, "defocus"), row("defocus", 8.0, "motion"),
]  # fmt: skip


def test_accuracies_count_what_their_names_say() -> None:
    found = accuracies(ROWS, taps=0)
    assert found["type_accuracy"]["value"] == pytest.approx(3 / 5)
    assert found["type_accuracy_from_2px"]["value"] == pytest.approx(3 / 4)
    assert found["accuracy_clean"]["value"] == 1.0
    assert found["accuracy_motion"] == share(ROWS[1:3])
    assert next(iter(found)) == "type_accuracy"


def test_confusion_has_the_truth_in_rows() -> None:
    assert confusion(ROWS, ("none", "defocus", "motion"))["matrix"] == [[1, 0, 0], [0, 1, 1], [1, 0, 1]]


def test_curve_bins_hold_every_row_once() -> None:
    points = curve(ROWS[1:], share, taps=False)["points"]
    assert sum(point["n"] for point in points) == 4
    assert [point["x"] for point in points] == sorted(point["x"] for point in points)


def test_loss_and_gain_are_differences_of_the_same_images() -> None:
    rows = [
        row("motion", s, "motion", photo=p, isnr_oracle=8.0 + i, isnr_estimated=7.5 + i, isnr_map=7.0 + i)
        for i, (s, p) in enumerate([(4.0, "a"), (6.0, "b"), (6.0, "c")])
    ]
    found = restorations(rows, seed=0)
    assert found["isnr_loss"]["value"] == pytest.approx(0.5)
    assert found["isnr_gain_by_risk"]["value"] == pytest.approx(0.5)
    assert found["isnr_oracle"]["value"] == pytest.approx(9.0)
    assert found["isnr_oracle"]["low"] <= 9.0 <= found["isnr_oracle"]["high"]
    table = propagation(rows)
    assert [(entry["strength_px"], entry["n"]) for entry in table] == [(4, 1), (6, 2)]
