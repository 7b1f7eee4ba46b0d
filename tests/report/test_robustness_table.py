"""The table of other conditions from a record whose figures are made up."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from made_up import made_up_record, paper_folder
from rich.console import Console

from blurlab.report import terminal_tables, validate_record, write_html, write_report_md
from blurlab.report.robustness import robustness

ERROR = "images must be <64> | px"


def tried(**changes: Any) -> dict[str, Any]:
    def share(value: float, n: int) -> dict[str, Any]:
        return {"value": value, "low": value - 0.11, "high": value + 0.07, "n": n, "unit": ""}

    metrics = {
        "type_accuracy": share(0.765, 51),
        "type_accuracy_from_2px": share(0.812, 47),
        "accuracy_clean": share(0.654, 17),
        "accuracy_motion": share(0.543, 17),
        "radius_mae_px": {"value": 0.321, "low": 0.3, "high": 0.4, "n": 13, "unit": "px"},
        "radius_median_px": {"value": 0.234, "n": 13, "unit": "px"},
        "angle_median_deg": {"value": 1.57, "n": 5, "unit": "deg"},
        "coverage90": share(0.876, 29),
    }
    none = {"type_accuracy": {"value": None, "n": 0, "unit": ""}}
    entries = [
        {"condition": "as in the run", "left_out": 0, "metrics": metrics},
        {"condition": "resized by 1.5", "left_out": 14, "metrics": {**metrics, "type_accuracy": share(0.5, 37)}},
        {"condition": "resized by 0.5", "error": ERROR},
        {"condition": "resized by 9", "left_out": 51, "metrics": none},
    ]
    return made_up_record(**{"robustness": entries, **changes})


def printed(record: dict[str, Any], width: int) -> str:
    console = Console(width=width, file=io.StringIO())
    for table in terminal_tables(record):
        console.print(table)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_columns_are_the_headline_the_medians_and_the_coverage() -> None:
    table = robustness(tried())
    heads = ["type right", "from 2 px", "sharp named so", "radius error (px)", "angle error (deg)", "in its 90 %"]
    assert table["heads"] == heads
    first, larger, error, nothing = table["lines"]
    assert [cell["value"] for cell in first["cells"]] == ["0.765", "0.812", "0.654", "0.234", "1.57", "0.876"]
    assert [cell["n"] for cell in first["cells"]][3:5] == ["n 13", "n 5"] and first["left_out"] == ""
    assert (larger["n"], larger["left_out"], larger["cells"][0]["interval"]) == ("37", "14", "[0.390, 0.570]")
    assert error["error"] == ERROR and {cell["value"] for cell in error["cells"]} == {"-"}
    assert (nothing["n"], nothing["left_out"], nothing["cells"][0]["value"]) == ("0", "51", "-")


def test_kinds_with_a_parameter_of_one_name_have_a_column_each_and_the_network_none() -> None:
    entry = {"value": 0.5, "n": 3, "unit": "px"}
    metrics = dict.fromkeys(("length_median_px/motion", "length_median_px/motion/network", "correlation_median"), entry)
    table = robustness(tried(robustness=[{"condition": "a", "metrics": metrics}]))
    assert table["heads"] == ["length of motion error (px)", "correlation error"]


def test_taps_have_the_accuracy_of_their_classes() -> None:
    metrics = {"strength5_accuracy": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 80}}
    table = robustness(tried(robustness=[{"condition": "a", "metrics": metrics}]))
    assert table["heads"] == ["Accuracy of five strengths"] and table["lines"][0]["n"] == "80"


@pytest.mark.parametrize("width", [80, 120])
def test_terminal_shows_it_whole_below_the_first_table(width: int) -> None:
    text = printed(tried(), width)
    below = text[text.index("Tried on other conditions") :]
    assert max(map(len, text.splitlines())) <= width and "…" not in below
    assert "[0.655, 0.835]" in below and "[0.390, 0.570]" in below and "cannot" in below
    assert ERROR in " ".join(below.split()) and "14 left" in " ".join(below.replace("│", " ").split())
    assert "0.321" not in below and "0.234" in below


def test_page_shows_figures_intervals_and_the_error_as_words(tmp_path: Path) -> None:
    text = write_html(tried(), tmp_path).read_text(encoding="utf-8")
    part = text[text.index("Tried on other conditions") :]
    assert "0.765<br><small>[0.655, 0.835]</small>" in part and "0.234<br><small>n 13</small>" in part
    assert 'colspan="6">cannot: images must be &lt;64&gt; | px' in part and "<64>" not in part


def test_report_md_has_a_block_a_record_and_no_line_is_ragged(tmp_path: Path) -> None:
    folder = paper_folder(tmp_path)
    page = folder / "pages" / "small" / "messidor_hier.a|b.md"
    write_report_md(folder)
    before = page.read_text(encoding="utf-8")
    kept = folder / "results" / "small" / "messidor_hier.a|b.json"
    kept.write_text(json.dumps(tried(variant="a|b")))
    write_report_md(folder)
    text = page.read_text(encoding="utf-8")
    assert "Tried on other conditions" not in before
    start = text.index("Tried on other conditions")
    table = text[start:].split("\n\n")[1].splitlines()
    assert before == text[:start] + text[start:].split("\n\n", 2)[2]  # nothing else changed
    assert table[2].startswith("| as in the run | 51 |  | 0.765 [0.655, 0.835] |") and "| 0.234 (n 13) |" in table[2]
    assert table[4].startswith("| resized by 0.5 |  |  | cannot |") and "&lt;64> \\| px" in table[4]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1


def test_a_record_without_the_entry_is_shown_as_before(tmp_path: Path) -> None:
    assert len(terminal_tables(made_up_record())) == 1
    assert "Tried on" not in write_html(made_up_record(), tmp_path).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("entry", "missing"),
    [
        ({"metrics": {}}, "robustness.0.condition"),
        ({"condition": "a"}, "robustness.0.metrics"),
        ({"condition": "a", "metrics": {"coverage90": {}}}, "robustness.0.metrics.coverage90.value"),
    ],
)
def test_validation_names_what_an_entry_lacks(entry: dict[str, Any], missing: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(missing))):
        validate_record(tried(robustness=[entry]))
