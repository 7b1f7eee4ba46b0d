"""The table over seeds: its numbers, its files, and what it refuses."""

from __future__ import annotations

import io
import json
import statistics
from pathlib import Path
from typing import Any

import pytest
from made_up import made_up_record
from rich.console import Console
from scipy import stats

from blurlab.report import write_report_md
from blurlab.report.seeds import over_seeds, seeds_table, write_seeds

VALUES = {0: 0.91, 1: 0.94, 2: 0.90, 3: 0.95, 4: 0.92}


def records() -> list[dict[str, Any]]:
    made = []
    for seed, value in VALUES.items():
        record = made_up_record(seed=seed)
        accuracy = {"value": value, "low": value - 0.05, "high": value + 0.03, "n": 300, "unit": ""}
        limit = {"type_accuracy": {"value": 0.97 + seed / 100, "how": "an invented ceiling"}}
        made.append(
            {**record, "metrics": {"type_accuracy": accuracy, "classify_ms": {"value": 3.0 + seed}}, "limit": limit}
        )
    return made


def test_mean_and_interval_over_seeds_agree_with_scipy_and_stand_beside_those_over_photographs() -> None:
    table = over_seeds(list(reversed(records())))
    entry, values = table["metrics"]["type_accuracy"], list(VALUES.values())
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert table["seeds"] == [0, 1, 2, 3, 4] and entry["n"] == 5
    assert entry["mean"] == pytest.approx(statistics.mean(values)) and entry["sd"] == pytest.approx(
        statistics.stdev(values)
    )
    assert (entry["low"], entry["high"]) == pytest.approx((theirs.low, theirs.high))
    assert entry["photographs"] == pytest.approx({"low": entry["mean"] - 0.05, "high": entry["mean"] + 0.03})
    assert entry["values"] == {str(seed): value for seed, value in VALUES.items()}
    time = table["metrics"]["classify_ms"]
    assert (time["mean"], time["low"], time["high"], time["photographs"]) == (5.0, None, None, None)
    assert table["limit"]["type_accuracy"]["value"] == pytest.approx(0.99)


def test_a_figure_that_one_seed_lacks_is_of_those_that_have_it() -> None:
    made = records()
    del made[1]["metrics"]["type_accuracy"]
    made[2]["metrics"]["type_accuracy"] = {"value": None}
    entry = over_seeds(made)["metrics"]["type_accuracy"]
    assert entry["n"] == 3 and entry["mean"] == pytest.approx(statistics.mean([0.91, 0.95, 0.92]))
    one = over_seeds(made[:3])["metrics"]["type_accuracy"]
    assert (one["mean"], one["low"], one["sd"], one["n"]) == (0.91, None, None, 1)


@pytest.mark.parametrize("seeds", [[], [0], [1, 1]])
def test_fewer_than_two_seeds_or_one_twice_is_refused(seeds: list[int]) -> None:
    with pytest.raises(ValueError, match="two seeds or more, each once"):
        over_seeds([made_up_record(seed=seed) for seed in seeds])


def test_the_files_link_to_each_record_and_hold_the_table(tmp_path: Path) -> None:
    found = [(tmp_path / "sweep" / str(record["seed"]) / "record.json", record) for record in records()]
    table = write_seeds(tmp_path / "sweep" / "seeds", found)
    assert json.loads((tmp_path / "sweep" / "seeds.json").read_text()) == table
    page = (tmp_path / "sweep" / "seeds.md").read_text()
    assert "[3](3/record.json)" in page and "| 0.9589 | 0.924 |" in page and "0.900 to 0.950" in page
    assert "Data set fundus\\_synthetic, budget small" in page


def test_the_terminal_shows_the_headline_figures() -> None:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(seeds_table(over_seeds(records()), "blur.taps=3"))
    shown = console.export_text()
    assert "messidor_hier · blur.taps=3 · 5 seeds (0, 1, 2, 3, 4)" in shown
    assert "0.924" in shown and "[0.874, 0.954]" in shown and "Time of the first network" not in shown


def test_the_report_of_a_paper_leads_to_its_tables_over_seeds(tmp_path: Path) -> None:
    (tmp_path / "published.csv").write_text("experiment,metric,value,unit,source,note\n")
    kept = tmp_path / "results" / "small"
    found = [(kept / f"messidor_hier.made_up.seed{record['seed']}.json", record) for record in records()]
    kept.mkdir(parents=True)
    for file, record in found:
        file.write_text(json.dumps(record))
    assert "over seeds" not in write_report_md(tmp_path).read_text()
    write_seeds(kept / "seeds" / "messidor_hier.made_up", found)
    text = write_report_md(tmp_path).read_text()
    line = next(line for line in text.splitlines() if "over seeds" in line)
    assert "5 seeds, budget small](results/small/seeds/messidor_hier.made_up.md)" in line
