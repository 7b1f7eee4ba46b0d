"""From rows to figures."""

from __future__ import annotations

import math
from typing import Any

import pytest

from blurlab.blur import AnisotropicGaussian, CorrelatedGaussian, Defocus, FspecialMotion, Mixture, Motion, Taps
from blurlab.run.record.means import share
from blurlab.run.record.parameters import before_refinement, parameters
from blurlab.run.record.summary import (
    accuracies,
    confusion,
    curve,
    curves,
    propagation,
    restorations,
    strengths,
)


def row(kind: str, strength: float, found: str, **more: Any) -> dict[str, Any]:
    kinds = ["none", "defocus", "motion"]
    base = {"photo": "a", "kind": kind, "strength_px": strength, "found_kind": found, "right": int(kind == found)}
    base |= {"low_px": strength - 1, "high_px": strength + 1}
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


FAMILY = Mixture({"defocus": Defocus([1, 5]), "motion": Motion([1, 10], [0, 180])})
NAMES = FAMILY.names


def measured(length: float, found: float, angle: float, found_angle: float, **more: Any) -> dict[str, Any]:
    values = {NAMES[1]: length, f"found_{NAMES[1]}": found, NAMES[2]: angle, f"found_{NAMES[2]}": found_angle}
    nothing = {name: math.nan for name in (NAMES[0], f"found_{NAMES[0]}")}
    return row("motion", length, "motion", **values, **nothing, **more)


def bounds(length: float, angle: float) -> dict[str, float]:
    given = {NAMES[0]: math.nan, NAMES[1]: length, NAMES[2]: angle}
    prefixes = {"bound": 1.0, "bound_spectrum": 0.5, "bound_image": 0.1}
    return {f"{prefix}_{name}": share * value for prefix, share in prefixes.items() for name, value in given.items()}


def test_medians_stand_beside_what_an_efficient_estimate_would_have() -> None:
    rows = [
        measured(7.0, 7.2, 179.0, 1.0, **bounds(0.1, 1.0)),
        measured(9.0, 9.1, 90.0, 93.0, **bounds(0.3, 2.0)),
        measured(4.0, 4.3, 10.0, 60.0),  # too short for its angle to count
    ]
    metrics, limits, table = parameters(rows, FAMILY)
    assert set(metrics) == {"length_median_px", "angle_median_deg"}
    assert metrics["length_median_px"]["value"] == pytest.approx(0.2)
    assert metrics["angle_median_deg"]["value"] == pytest.approx(2.5)  # of 2 and 3: the first goes round
    assert limits["length_median_px"]["value"] == pytest.approx(0.6745 * 0.2)
    assert table[0]["bound_image"] == pytest.approx(0.6745 * 0.02)
    assert table[0]["ratio"] == pytest.approx(0.2 / (0.6745 * 0.2))


def test_the_networks_own_word_is_kept_beside_the_refined_one() -> None:
    said = {f"network_{NAMES[1]}": 7.5, f"network_{NAMES[2]}": 20.0, f"network_{NAMES[0]}": math.nan}
    rows = [
        measured(7.0, 7.1, 20.0, 20.5, network_kind="motion", **said),
        measured(8.0, 8.1, 21.0, 20.5, network_kind="defocus", **said),
    ]
    rows[1][f"network_{NAMES[1]}"] = 3.0  # does not count: the network named another kind
    rows.append({**rows[0], NAMES[1]: 7.2})
    found = before_refinement([{**row, "half_motion.length_px": 9.0} for row in rows], FAMILY)
    assert not any(name.startswith("coverage90") for name in found)
    assert found["type_accuracy/network"]["value"] == pytest.approx(2 / 3)
    assert found["length_median_px/network"]["value"] == pytest.approx(0.4)
    assert before_refinement(ROWS, FAMILY) == {}


def test_the_ceiling_is_a_curve_beside_the_accuracy() -> None:
    rows = [row("motion", 5.0, "motion", ceiling=0.9), row("motion", 5.5, "none", ceiling=0.7)]
    points = curves(rows, taps=False)["limit_type_accuracy/motion"]["points"]
    assert points == [{"x": 5.25, "n": 2, "value": pytest.approx(0.8)}]


def test_a_patch_of_which_nothing_was_told_spoils_no_figure() -> None:
    uninformative = measured(9.0, math.nan, 30.0, math.nan, mean_strength_px=0.0)
    uninformative |= {"low_px": math.nan, "high_px": math.nan}
    seen = measured(7.0, 7.2, 20.0, 21.0, mean_strength_px=7.2)
    rows = [seen, uninformative, measured(8.0, 8.2, 20.0, 21.0, mean_strength_px=8.2)]
    metrics = parameters(rows, FAMILY)[0]
    assert metrics["length_median_px"]["value"] == pytest.approx(0.2) and metrics["length_median_px"]["n"] == 2
    found = strengths(rows, {"motion": ("length_mae_px", 1.0)}, 0)
    assert found["length_mae_px"]["value"] == pytest.approx(0.2) and found["coverage90"]["n"] == 2
    said = {
        "network_kind": "motion",
        **{f"network_{name}": row_value for name, row_value in zip(NAMES, (math.nan, 7.1, 20.0), strict=False)},
    }
    assert before_refinement([uninformative, {**rows[0], **said}], FAMILY)["type_accuracy/network"]["n"] == 1


def test_each_parameter_has_the_coverage_of_its_own_interval() -> None:
    halves = {"half_motion.length_px": 0.15, "half_motion.angle_deg": 3.0}
    rows = [measured(7.0, 7.1, 20.0, 24.0, **halves), measured(8.0, 8.2, 179.0, 1.0, **halves)]
    metrics = parameters(rows, FAMILY)[0]
    assert metrics["coverage90_length"]["value"] == 0.5 and metrics["coverage90_angle"]["value"] == 0.5


def test_two_kinds_with_a_parameter_of_one_name_have_a_metric_each() -> None:
    family = Mixture({"motion": Motion(), "fspecial_motion": FspecialMotion(), "defocus": Defocus()})
    rows = []
    for kind, length, error in (
        ("motion", 7.0, 0.5),
        ("motion", 8.0, 0.5),
        ("fspecial_motion", 7.0, 2.0),
        ("fspecial_motion", 9.0, 2.0),
    ):
        values = dict.fromkeys([*family.names, *(f"found_{name}" for name in family.names)], math.nan)
        values |= {
            f"{kind}.length_px": length,
            f"found_{kind}.length_px": length + error,
            f"half_{kind}.length_px": 1.0,
        }
        said = {"network_kind": kind, **{f"network_{name}": values[f"found_{name}"] for name in family.names}}
        rows.append({**row("motion", length, "motion", mean_strength_px=length + error, **values, **said)})
        rows[-1] |= {"kind": kind, "found_kind": kind}
    metrics, limits, table = parameters(rows, family)
    assert {name: entry["value"] for name, entry in metrics.items()} == {
        "length_median_px/motion": 0.5, "coverage90_length/motion": 1.0,
        "length_median_px/fspecial_motion": 2.0, "coverage90_length/fspecial_motion": 0.0,
    }  # fmt: skip
    assert limits == {} and table == []
    assert before_refinement(rows, family)["length_median_px/motion/network"]["value"] == 0.5
    names = {
        "motion": ("length_mae_px", 1.0),
        "fspecial_motion": ("length_mae_px", 1.0),
        "defocus": ("radius_mae_px", 0.5),
    }
    found = strengths(rows, names, 0)
    assert found["length_mae_px/motion"]["value"] == 0.5 and found["length_mae_px/fspecial_motion"]["value"] == 2.0
    assert "length_mae_px" not in found


def test_an_ellipse_that_is_nearly_round_has_no_error_of_its_angle() -> None:
    family = AnisotropicGaussian()
    rows = []
    for long, angle, error in ((2.0, 10.0, 3.0), (1.6, 175.0, 7.0), (1.2, 30.0, 80.0)):
        truth = dict(zip(family.names, (long, 1.0, angle), strict=True))
        found = dict(zip((f"found_{name}" for name in family.names), (long, 1.0, (angle + error) % 180), strict=True))
        rows.append({**row("motion", 1.0, "motion"), "kind": "g", "found_kind": "g", **truth, **found})
    metrics = parameters(rows, family)[0]
    assert metrics["angle_median_deg"] == {"value": pytest.approx(5.0), "n": 2, "unit": "deg"}
    assert metrics["sigma_x_median_px"]["n"] == 3 and "sigma_y_median_px" not in metrics  # that one did not vary


def test_a_kind_without_a_strength_has_no_figure_against_it() -> None:
    rows = [{**row("motion", 0.0, "motion"), "kind": "g"}, {**row("motion", 0.0, "motion"), "kind": "g"}]
    assert "type_accuracy_from_2px" not in accuracies(rows, taps=0) and curves(rows, taps=False) == {}
    assert set(curves([*rows, row("motion", 4.0, "motion")], taps=False)) >= {"type_accuracy/motion"}


def test_a_metric_ends_in_a_unit_or_in_none() -> None:
    rows = [
        {
            **row("motion", 1.0, "motion"),
            "correlation": value,
            "found_correlation": value + 0.1,
            "taps": 2 + value,
            "found_taps": 2.0,
        }
        for value in (-0.5, 0.5)
    ]
    assert set(parameters(rows, CorrelatedGaussian())[0]) == {"correlation_median"}
    assert set(parameters(rows, Taps([2, 4]))[0]) == {"taps_median_px"}
    assert parameters([], Mixture({"motion": Motion()})) == ({}, {}, [])


def test_curves_hold_the_weakest_and_the_strongest() -> None:
    rows = [row("motion", px, "motion") for px in (0.2, 5.0, 35.0)]
    assert sum(point["n"] for point in curve(rows, share, taps=False)["points"]) == 3
