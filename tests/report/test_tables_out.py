"""Tables as Markdown, LaTeX and CSV, and ``blurlab table``: which records make one."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from made_up import made_up_record

from blurlab.cli import main
from blurlab.report.seeds import over_seeds
from blurlab.report.tables import as_csv, as_latex, as_markdown, record_table, seeds_over
from blurlab.run.command.manifest import Manifest, SweptJob

ACCURACY = {0: 0.91, 1: 0.94, 2: 0.90}


def of_seed(seed: int, **changes: Any) -> dict[str, Any]:
    accuracy = {"value": ACCURACY[seed], "low": ACCURACY[seed] - 0.05, "high": ACCURACY[seed] + 0.03, "n": 300}
    made = {**made_up_record(seed=seed), "metrics": {"type_accuracy": accuracy}, "overrides": [f"run.seed={seed}"]}
    made["config"] = {"run": {"seed": seed}, "noise": {"sigma": 0.004}, "stage": {}}
    return {**made, "versions": {"blurlab": "9"}, "contents": {}, **changes}


def test_a_record_in_latex_compiles_cell_by_cell() -> None:
    record = made_up_record(variant="50 %_&{x}")
    text = as_latex(record_table(record))
    assert r"\caption{messidor\_hier, 50 \%\_\&\{x\}, seed 7. data set: " in text
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    columns = re.search(r"\\begin\{tabular\}\{(\w+)\}", text)
    assert columns is not None and columns[1] == "llrrrrr"
    assert len(body) == len(record_table(record).lines) and all(line.count(" & ") == 6 for line in body)
    assert any("$-$3.33" in line for line in body) and "−" not in text
    assert not re.search(r"(?<!\\)[%_#]", text)


def test_a_record_in_markdown_has_every_figure_and_its_conditions() -> None:
    record = made_up_record()
    text = as_markdown(record_table(record))
    for what in ("0.911", "[0.899, 0.923]", "0.9589", "−3.33", "0.977", "an invented CPU", "not run"):
        assert what in text, what


def test_the_csv_has_numbers_not_words() -> None:
    lines = list(csv.DictReader(as_csv([made_up_record(), over_seeds([of_seed(0), of_seed(1)])]).splitlines()))
    one = next(line for line in lines if line["metric"] == "isnr_one_longer")
    assert (one["value"], one["low"], one["unit"], one["n"]) == ("-3.33", "-3.83", "dB", "388")
    seeds = lines[-1]
    assert seeds["seeds"] == "0 1" and float(seeds["value"]) == pytest.approx(0.925) and seeds["n"] == "2"
    assert seeds["interval_over"] == "seeds" and one["interval_over"] == "photographs"


def test_several_seeds_are_means_and_intervals() -> None:
    table = over_seeds([of_seed(seed) for seed in ACCURACY])
    plain = seeds_over(table, "a note")
    assert plain.head[:4] == ("metric", "published", "mean", "95 % over seeds") and "a note" in plain.notes
    (line,) = plain.lines
    assert line[2] == "0.917" and line[3].startswith("[0.8")  # the mean of .91, .94, .90
    assert "0.917" in as_markdown(plain) and "0.917" in as_latex(plain)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    results = tmp_path / "experiments" / "paper" / "results" / "small"
    results.mkdir(parents=True)
    for seed in ACCURACY:
        (results / f"messidor_hier.a.seed{seed}.json").write_text(json.dumps(of_seed(seed)))
    other = of_seed(1, variant="louder", config={**of_seed(1)["config"], "noise": {"sigma": 0.1}})
    (results / "messidor_hier.louder.json").write_text(json.dumps(other))
    (results / "messidor_hierarchy.json").write_text(json.dumps(of_seed(0, experiment="messidor_hierarchy")))
    monkeypatch.chdir(tmp_path)
    return results


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    main(["table", "messidor_hier", *words])
    return capsys.readouterr().out


def test_records_that_differ_in_the_seed_alone_are_one_table(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = list(csv.DictReader(said(capsys, "--format", "csv").splitlines()))
    assert [(line["variant"], line["seeds"]) for line in lines] == [("fundus_synthetic", "0 1 2"), ("louder", "1")]
    text = said(capsys, "--format", "markdown")
    assert text.count("### ") == 2 and "seeds 0, 1, 2" in text and "95 % over seeds" in text
    assert said(capsys, "--format", "latex").count(r"\begin{tabular}") == 2
    assert "3 seeds (0, 1, 2)" in said(capsys)
    assert said(capsys, "--budget", "small") == said(capsys)


@pytest.mark.parametrize(
    ("words", "what"),
    [(["--format", "word"], "invalid choice: 'word'"), (["--budget", "full"], "no record of messidor_hier at budget")],
)
def test_a_wrong_word_gets_one_line(
    kept: Path, capsys: pytest.CaptureFixture[str], words: list[str], what: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["table", "messidor_hier", *words])
    err = capsys.readouterr().err
    assert caught.value.code == 2 and err.count("\n") == 1 and what in err


def test_the_folder_of_a_run_or_of_a_sweep_gives_its_own_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = [SweptJob(str(seed), ("budget=small", f"run.seed={seed}")) for seed in (0, 1)]
    Manifest(("budget=small", "run.seed=0,1"), tuple(jobs)).write(tmp_path)
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "record.json").write_text(json.dumps(of_seed(0) | {"finished": True}))
    main(["table", str(tmp_path)])
    shown = capsys.readouterr().out
    assert "2 jobs" in shown and "0.910" in shown and "not finished" in shown
    for folder in (tmp_path, tmp_path / "0"):
        main(["table", str(folder), "--format", "csv"])
        (line,) = {one["seeds"] for one in csv.DictReader(capsys.readouterr().out.splitlines())}
        assert line == "0"
    for folder, what in ((tmp_path / "1", "1 is no folder"), (tmp_path.parent, "holds no finished run")):
        with pytest.raises(SystemExit):
            main(["table", str(folder)])
        assert what in capsys.readouterr().err
