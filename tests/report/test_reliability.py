from __future__ import annotations

from made_up import made_up_record

from blurlab.report.record_page import record_page

FILE = "results/small/a.json"


def test_a_records_page_has_the_bins_that_hold_answers() -> None:
    bins = [
        {"low": 0.8, "high": 0.9, "n": 12, "probability": 0.853, "right": 0.75},
        {"low": 0.9, "high": 1.0, "n": 40, "probability": 0.991, "right": 0.625},
    ]
    page = record_page(FILE, made_up_record(reliability=bins), [])
    assert "| 0.8 to 0.9 | 12 | 0.853 | 0.750 |\n| 0.9 to 1.0 | 40 | 0.991 | 0.625 |" in page
    assert "Do the probabilities hold?" in page
    assert "Do the probabilities hold?" not in record_page(FILE, made_up_record(), [])
