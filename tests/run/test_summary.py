"""From items to figures."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from blurlab.blur import (
    AnisotropicGaussian,
    BlurFamily,
    CorrelatedGaussian,
    Defocus,
    FspecialMotion,
    Mixture,
    Motion,
    NoBlur,
    OneParameterStrength,
    Taps,
)
from blurlab.pipeline.kind_scorer import KindScorer
from blurlab.pipeline.taps_scorer import TapsScorer
from blurlab.run.record.curves import curve, curves, propagation
from blurlab.run.record.lines import line
from blurlab.run.record.parameters import before_refinement, parameters
from blurlab.run.record.rows import Item, Named, NamedBlur, Truth
from blurlab.run.record.scores import accuracies, share, strengths
from blurlab.run.record.summary import confusion, evaluation, restorations

FAMILY = Mixture({"none": NoBlur(), "defocus": Defocus([1, 8]), "motion": Motion([1, 20], [0, 180])})
MEMBERS = {index: FAMILY.member(index) for index in (1, 2)}
SCORER = KindScorer(FAMILY, {k: one for k, one in MEMBERS.items() if isinstance(one, OneParameterStrength)}, 1 / 9)
NAMES = FAMILY.names


def made(kind: str, strength: float, found: str, photo: str = "a", **more: Any) -> Item:
    """An item that was named; ``more`` overrides fields of the item, or of what was named."""
    nothing = dict.fromkeys(NAMES, math.nan)
    named = Named(
        found, nothing, 0.9, strength, strength, strength, (strength - 1, strength + 1),
        FAMILY.kinds.index(kind), FAMILY.kinds.index(found), kind == found,
    )  # fmt: skip
    own = {key: more.pop(key) for key in list(more) if key in vars(named)}
    truth = Truth(kind, {**nothing, **more.pop("true", {})}, strength, 0.004)
    return Item(photo, 0, truth, replace(named, **own), best_observer=1.0, **more)


ITEMS = [
    made("none", 0.0, "none"), made("motion", 1.05, "none"), made("motion", 5.0, "motion"),
    made("defocus", 2.5, "defocus"), made("defocus", 8.0, "motion"),
]  # fmt: skip


def test_accuracies_count_what_their_names_say() -> None:
    found = accuracies(ITEMS, SCORER)
    assert found["type_accuracy"]["value"] == pytest.approx(3 / 5)
    assert found["type_accuracy_from_2px"]["value"] == pytest.approx(3 / 4)
    assert found["accuracy_clean"]["value"] == 1.0
    assert found["accuracy_motion"] == share(ITEMS[1:3])
    assert next(iter(found)) == "type_accuracy"
    assert list(accuracies(ITEMS, TapsScorer(Taps([3])))) == ["binary_accuracy"]
    assert list(accuracies(ITEMS, TapsScorer(Taps([4, 6, 8, 10])))) == ["strength5_accuracy"]


def test_confusion_has_the_truth_in_rows() -> None:
    assert confusion(ITEMS, FAMILY.kinds)["matrix"] == [[1, 0, 0], [0, 1, 1], [1, 0, 1]]


def test_curve_bins_hold_every_item_once() -> None:
    points = curve(ITEMS[1:], share, discrete=False)["points"]
    assert sum(point["n"] for point in points) == 4
    assert [point["x"] for point in points] == sorted(point["x"] for point in points)


def restored(strength: float, photo: str, **isnr: float) -> Item:
    figures = {kernel: dict(isnr=value) for kernel, value in isnr.items()}
    return made("motion", strength, "motion", photo, restorations=figures)


def test_loss_and_gain_are_differences_of_the_same_images() -> None:
    items = [
        restored(s, p, oracle=8.0 + i, estimated=7.5 + i, map=7.0 + i)
        for i, (s, p) in enumerate([(4.0, "a"), (6.0, "b"), (6.0, "c")])
    ]
    found = restorations(items, seed=0)
    assert found["isnr_loss"]["value"] == pytest.approx(0.5)
    assert found["isnr_gain_by_risk"]["value"] == pytest.approx(0.5)
    assert found["isnr_oracle"]["value"] == pytest.approx(9.0)
    assert found["isnr_oracle"]["low"] <= 9.0 <= found["isnr_oracle"]["high"]
    table = propagation(items)
    assert [(entry["strength_px"], entry["n"]) for entry in table] == [(4, 1), (6, 2)]
    assert [entry["isnr_map"] for entry in table] == [7.0, 8.5] and math.isnan(table[0]["isnr_one_longer"])


def test_without_a_scorer_kernels_and_restorations_are_measured_alone() -> None:
    items = [
        replace(restored(5.0, photo, oracle=8.0, estimated=6.0, constant=1.0), named=None, best_observer=None)
        for photo in "ab"
    ]
    for item, (estimated, constant) in zip(items, [(9.0, 3.0), (7.0, 2.0)], strict=True):
        item.restorations["estimated"] = dict(isnr=6.0, psf_snr=estimated)
        item.restorations["constant"] = dict(isnr=1.0, psf_snr=constant)
    entries = evaluation(items, None, {"identify_ms": 2.0}, seed=0)
    assert set(entries) == {"metrics", "limit"}
    metrics = {name: entry["value"] for name, entry in entries["metrics"].items()}
    assert metrics == {
        "isnr_oracle": 8.0, "isnr_estimated": 6.0, "psf_snr_estimated": 8.0, "isnr_constant": 1.0,
        "psf_snr_constant": 2.5, "isnr_loss": 2.0, "psf_snr_gain": 5.5, "identify_ms": 2.0,
    }  # fmt: skip
    assert entries["metrics"]["psf_snr_gain"]["unit"] == "dB"
    assert {name: entry["value"] for name, entry in entries["limit"].items()} == {"isnr_estimated": 8.0}


RADIUS, LENGTH, ANGLE = NAMES


def measured(length: float, found: float, angle: float, found_angle: float, **more: Any) -> Item:
    params = {RADIUS: math.nan, LENGTH: found, ANGLE: found_angle}
    return made("motion", length, "motion", true={LENGTH: length, ANGLE: angle}, params=params, **more)


def bounds(length: float, angle: float) -> dict[str, dict[str, float]]:
    given = {RADIUS: math.nan, LENGTH: length, ANGLE: angle}
    shares = {"bound": 1.0, "bound_spectrum": 0.5, "bound_image": 0.1}
    return {known: {name: share * value for name, value in given.items()} for known, share in shares.items()}


def test_medians_stand_beside_what_an_efficient_estimate_would_have() -> None:
    items = [
        measured(7.0, 7.2, 179.0, 1.0, bounds=bounds(0.1, 1.0)),
        measured(9.0, 9.1, 90.0, 93.0, bounds=bounds(0.3, 2.0)),
        measured(4.0, 4.3, 10.0, 60.0),  # too short for its angle to count
    ]
    metrics, limits, table = parameters(items, FAMILY)
    assert set(metrics) == {"length_median_px", "angle_median_deg"}
    assert metrics["length_median_px"]["value"] == pytest.approx(0.2)
    assert metrics["angle_median_deg"]["value"] == pytest.approx(2.5)  # of 2 and 3: the first goes round
    assert limits["length_median_px"]["value"] == pytest.approx(0.6745 * 0.2)
    assert table[0]["bound_image"] == pytest.approx(0.6745 * 0.02)
    assert table[0]["ratio"] == pytest.approx(0.2 / (0.6745 * 0.2))


def network(kind: str, length: float, angle: float) -> NamedBlur:
    return NamedBlur(kind, {RADIUS: math.nan, LENGTH: length, ANGLE: angle})


def test_the_networks_own_word_is_kept_beside_the_refined_one() -> None:
    items = [  # the second does not count: another kind was named
        measured(7.0, 7.1, 20.0, 20.5, before=network("motion", 7.5, 20.0), halfwidth={LENGTH: 9.0}),
        measured(8.0, 8.1, 21.0, 20.5, before=network("defocus", 3.0, 20.0), halfwidth={LENGTH: 9.0}),
        measured(7.2, 7.1, 20.0, 20.5, before=network("motion", 7.5, 20.0), halfwidth={LENGTH: 9.0}),
    ]
    found = before_refinement(items, FAMILY)
    assert not any(name.startswith("coverage90") for name in found)
    assert found["type_accuracy/network"]["value"] == pytest.approx(2 / 3)
    assert found["length_median_px/network"]["value"] == pytest.approx(0.4)
    assert before_refinement(ITEMS, FAMILY) == {}


def test_the_ceiling_is_a_curve_beside_the_accuracy() -> None:
    items = [made("motion", 5.0, "motion", ceiling=0.9), made("motion", 5.5, "none", ceiling=0.7)]
    points = curves(items, SCORER)["limit_type_accuracy/motion"]["points"]
    assert points == [{"x": 5.25, "n": 2, "value": pytest.approx(0.8)}]


def test_a_patch_of_which_nothing_was_told_spoils_no_figure() -> None:
    unknown = {"strength_mean_px": 0.0, "interval_px": (math.nan, math.nan)}
    items = [
        measured(7.0, 7.2, 20.0, 21.0, strength_mean_px=7.2),
        measured(9.0, math.nan, 30.0, math.nan, **unknown),
        measured(8.0, 8.2, 20.0, 21.0, strength_mean_px=8.2),
    ]
    metrics = parameters(items, FAMILY)[0]
    assert metrics["length_median_px"]["value"] == pytest.approx(0.2) and metrics["length_median_px"]["n"] == 2
    found = strengths(items, {"motion": ("length_mae_px", 1.0)}, 0)
    assert found["length_mae_px"]["value"] == pytest.approx(0.2) and found["coverage90"]["n"] == 2
    refined = measured(7.0, 7.2, 20.0, 21.0, before=network("motion", 7.1, 20.0))
    assert before_refinement([items[1], refined], FAMILY)["type_accuracy/network"]["n"] == 1


def test_each_parameter_has_the_coverage_of_its_own_interval() -> None:
    half = {LENGTH: 0.15, ANGLE: 3.0}
    items = [measured(7.0, 7.1, 20.0, 24.0, halfwidth=half), measured(8.0, 8.2, 179.0, 1.0, halfwidth=half)]
    metrics = parameters(items, FAMILY)[0]
    assert metrics["coverage90_length"]["value"] == 0.5 and metrics["coverage90_angle"]["value"] == 0.5


def of_family(family: BlurFamily, kind: str, true: dict[str, float], found: dict[str, float], **more: Any) -> Item:
    """An item of one kind of a family, rightly named, with these parameters."""
    nothing = dict.fromkeys(family.names, math.nan)
    item = made("motion", 7.0, "motion", **more)
    assert item.named is not None
    own = replace(item.named, kind=kind, params={**nothing, **found})
    return replace(item, truth=replace(item.truth, kind=kind, params={**nothing, **true}), named=own)


def test_two_kinds_with_a_parameter_of_one_name_have_a_metric_each() -> None:
    family = Mixture({"motion": Motion(), "fspecial_motion": FspecialMotion(), "defocus": Defocus()})
    items = []
    for kind, length, error in (
        ("motion", 7.0, 0.5), ("motion", 8.0, 0.5), ("fspecial_motion", 7.0, 2.0), ("fspecial_motion", 9.0, 2.0),
    ):  # fmt: skip
        name = f"{kind}.length_px"
        found = {name: length + error}
        before = NamedBlur(kind, {**dict.fromkeys(family.names, math.nan), **found})
        more = {"halfwidth": {name: 1.0}, "before": before, "strength_mean_px": 7.0 + error}
        items.append(of_family(family, kind, {name: length}, found, **more))
    metrics, limits, table = parameters(items, family)
    assert {name: entry["value"] for name, entry in metrics.items()} == {
        "length_median_px/motion": 0.5, "coverage90_length/motion": 1.0,
        "length_median_px/fspecial_motion": 2.0, "coverage90_length/fspecial_motion": 0.0,
    }  # fmt: skip
    assert limits == {} and table == []
    assert before_refinement(items, family)["length_median_px/motion/network"]["value"] == 0.5
    names = {kind: ("length_mae_px", 1.0) for kind in ("motion", "fspecial_motion")} | {
        "defocus": ("radius_mae_px", 0.5)
    }
    errors = strengths(items, names, 0)
    assert errors["length_mae_px/motion"]["value"] == 0.5 and errors["length_mae_px/fspecial_motion"]["value"] == 2.0
    assert "length_mae_px" not in errors


def test_an_ellipse_that_is_nearly_round_has_no_error_of_its_angle() -> None:
    family = AnisotropicGaussian()
    items = []
    for long, angle, error in ((2.0, 10.0, 3.0), (1.6, 175.0, 7.0), (1.2, 30.0, 80.0)):
        true, found = (
            dict(zip(family.names, (long, 1.0, turn), strict=True)) for turn in (angle, (angle + error) % 180)
        )
        items.append(of_family(family, "g", true, found))
    metrics = parameters(items, family)[0]
    assert metrics["angle_median_deg"] == {"value": pytest.approx(5.0), "n": 2, "unit": "deg"}
    assert metrics["sigma_x_median_px"]["n"] == 3 and "sigma_y_median_px" not in metrics  # that one did not vary


def test_a_kind_without_a_strength_has_no_figure_against_it() -> None:
    item = made("motion", 0.0, "motion")
    weightless = replace(item, truth=replace(item.truth, kind="g"))
    assert "type_accuracy_from_2px" not in accuracies([weightless] * 2, SCORER)
    assert curves([weightless] * 2, SCORER) == {}
    assert set(curves([weightless, made("motion", 4.0, "motion")], SCORER)) >= {"type_accuracy/motion"}


def test_a_metric_ends_in_a_unit_or_in_none() -> None:
    items = [
        of_family(
            CorrelatedGaussian(), "motion", {"correlation": value, "taps": 2 + value},
            {"correlation": value + 0.1, "taps": 2.0},
        )
        for value in (-0.5, 0.5)
    ]  # fmt: skip
    assert set(parameters(items, CorrelatedGaussian())[0]) == {"correlation_median"}
    assert set(parameters(items, Taps([2, 4]))[0]) == {"taps_median_px"}
    assert parameters([], Mixture({"motion": Motion()})) == ({}, {}, [])


def test_curves_hold_the_weakest_and_the_strongest() -> None:
    items = [made("motion", px, "motion") for px in (0.2, 5.0, 35.0)]
    assert sum(point["n"] for point in curve(items, share, discrete=False)["points"]) == 3


def test_the_line_of_an_item_has_the_columns_that_records_have() -> None:
    item = measured(7.0, 7.1, 20.0, 24.0, halfwidth={LENGTH: 0.2}, before=network("motion", 7.5, 20.0))
    item.restorations = {"estimated": dict(isnr=3.0, psf_snr=9.0), "blurred": dict(ssim=0.5)}
    item.bounds, item.ceiling = bounds(0.1, 1.0), 0.9
    columns = line(item)
    params = [RADIUS, LENGTH, ANGLE]
    assert list(columns) == [
        "photo", "draw", "kind", "strength_px", "sigma", "found_kind", "found_probability", "found_strength_px",
        "map_strength_px", "mean_strength_px", "low_px", "high_px", "truth", "answer", "right", *params,
        *(f"found_{name}" for name in params), f"half_{LENGTH}",
        "network_kind", *(f"network_{name}" for name in params),
        "best_observer", "isnr_estimated", "psf_snr_estimated", "ssim_blurred",
        *(f"{known}_{name}" for known in ("bound", "bound_spectrum", "bound_image") for name in params), "ceiling",
    ]  # fmt: skip
    assert columns["right"] == 1 and columns[f"network_{LENGTH}"] == 7.5 and columns["high_px"] == 8.0
