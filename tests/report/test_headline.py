"""The first table of a report: a published figure stands beside the one of the same items."""

from __future__ import annotations

from made_up import made_up_record

from blurlab.report.headline import headlines

FIGURE = {"experiment": "messidor_hier", "metric": "psnr", "value": "30.00", "source": "invented", "own": ""}


def entry(value: float) -> dict[str, float | int | str]:
    return {"value": value, "n": 8, "unit": "dB"}


def test_a_figure_of_some_items_does_not_stand_beside_one_of_all() -> None:
    record = made_up_record(metrics={"psnr": entry(31.25), "psnr/13": entry(39.75)}, published={}, limit={})
    table = headlines([FIGURE], [("a.json", record)])
    assert "31.25" in table and "39.75" not in table


def test_where_a_record_has_one_figure_a_head_the_best_is_shown_with_its_name() -> None:
    record = made_up_record(metrics={"psnr/small": entry(31.25), "psnr/large": entry(33.5)}, published={}, limit={})
    table = headlines([FIGURE], [("a.json", record)])
    assert "33.5" in table and "by large" in table
