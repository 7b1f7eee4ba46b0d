"""Tables and pages from a record whose figures are made up."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from made_up import EVIL, PAPER, made_up_record, paper_folder, with_examples
from rich.console import Console

from blurlab.blur.gaussian import ANGLE_FROM_ELONGATION
from blurlab.blur.motion import ANGLE_FROM_PX
from blurlab.report import (
    load_record,
    published,
    sweep_table,
    terminal_table,
    validate_record,
    write_html,
    write_index,
    write_report_md,
)
from blurlab.report.chart import Series, line_chart, ticks
from blurlab.report.labels import ANGLES, LOSSES, METRICS, PROPAGATION
from blurlab.report.paper import read_published
from blurlab.report.rows import rows

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """Checks that every element is closed in order, and collects what a page refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for key, value in attrs if key in ("src", "href", "xlink:href", "srcset", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words += f" {data}"


def printed(table: Any, width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(table)
    return console.file.getvalue()  # type: ignore[attr-defined]


def line_of(text: str, *words: str) -> str:
    return next(line for line in text.splitlines() if all(word in line for word in words))


def test_terminal_table_puts_published_ours_limit_side_by_side_by_name() -> None:
    text = printed(terminal_table(made_up_record()))
    for head, ours in (("compact", "0.911 [0.899, 0.923] 612"), ("lenet", "0.822 [0.800, 0.844] 612")):
        line = " ".join(line_of(text, "Accuracy of the blur type", head).replace("│", " ").split())
        assert f"0.9589 {ours} 0.977" in line
    assert "1.00 " in line_of(text, "Clean images")
    motion = line_of(text, "Motion-blurred images")
    assert "0.887" in motion and "not run" in motion
    assert re.search(r"- .* 7\.11 .* - ", line_of(text, "ISNR, true kernel"))
    assert re.search(r"−3\.33 │ \[−3\.83, −2\.83\]", line_of(text, "ISNR, kernel one class too long"))
    assert "3.21" in line_of(text, "Time of the first") and "[" not in line_of(text, "Time of the first")
    assert "limit: an invented ceiling" in text
    assert "of means, bootstrap over 17 test photographs." in " ".join(text.split())
    assert "Messidor was not found: these figures are for fundus_synthetic" in text


@pytest.mark.parametrize("width", [80, 100])
def test_terminal_table_keeps_the_figures_of_a_metric_on_one_line_on_narrow_terminals(width: int) -> None:
    metrics = made_up_record()["metrics"]
    long = {"value": 41.13, "low": 40.7, "high": 41.59, "n": 1080, "unit": "dB"}
    text = printed(terminal_table(made_up_record(metrics={**metrics, "isnr_loss_one_shorter": long})), width)
    figures = [r"41\.13", r"\[40\.70, 41\.59\]", "1080", "-"]
    assert re.search(r" *│ *".join(figures), text) and max(map(len, text.splitlines())) <= width
    assert re.search(r"0\.9589 │ +0\.911 │ +\[0\.899, 0\.923\] │ +612 │ 0\.977", text) and "…" not in text


def test_labels_say_of_which_images_a_figure_is() -> None:
    for name in ("coverage90", "radius_mae_px", "length_mae_px", "sigma_mae_px", "width_mae_px"):
        assert "where the kind was found" in METRICS[name].text
    assert METRICS["psf_snr_estimated"].text.endswith("at most 80 dB")
    assert all(METRICS[loss].unit == "dB" and METRICS[loss].higher_is_better is False for loss in LOSSES.values())
    assert set(LOSSES) == set(PROPAGATION) - {"isnr_oracle"}


def test_labels_say_of_which_angles_an_error_is_as_the_families_do() -> None:
    line, ellipse = (float(word) for word in re.findall(r"from ([\d.]+)", ANGLES))
    assert (line, ellipse) == (ANGLE_FROM_PX, ANGLE_FROM_ELONGATION)
    assert ANGLES in METRICS["angle_median_deg"].text and ANGLES in METRICS["coverage90_angle"].text


def test_terminal_table_prints_brackets_of_names_as_they_are() -> None:
    record = made_up_record(device="[red]card[/red]", dataset={"name": "a[b]", "requested": "a[b]"})
    text = printed(terminal_table(record))
    assert "[red]card[/red]" in text and "a[b]" in text and "not found" not in text


def test_verdict_follows_the_interval_and_the_better_direction() -> None:
    record = made_up_record(
        metrics={
            "psnr": {"value": 30, "low": 29, "high": 31},
            "radius_mae_px": {"value": 0.3, "low": 0.2, "high": 0.4},
            "classify_ms": {"value": 1.0},
        },
        published={name: {"value": v, "source": "-"} for name, v in
                   (("psnr", 28), ("radius_mae_px", 0.1), ("classify_ms", 2))},
    )  # fmt: skip
    assert {row.name: row.verdict for row in rows(record)} == {
        "psnr": "better",
        "radius_mae_px": "worse",
        "classify_ms": "",
    }


@pytest.mark.parametrize(
    "path", ["git", "dataset.requested", "boundary.solver", "metrics.isnr_map.value", "limit.type_accuracy.how"]
)
def test_validation_names_the_missing_key(path: str) -> None:
    record = json.loads(json.dumps(made_up_record()))
    *outer, last = path.split(".")
    inner = record
    for key in outer:
        inner = inner[key]
    del inner[last]
    with pytest.raises(ValueError, match=re.escape(repr(path))):
        validate_record(record)


def test_validation_refuses_words_for_numbers_and_ragged_matrices() -> None:
    with pytest.raises(TypeError, match=r"metrics\.psnr\.value"):
        validate_record(made_up_record(metrics={"psnr": {"value": "30"}}))
    with pytest.raises(ValueError, match="2x2"):
        validate_record(made_up_record(confusion={"type": {"labels": ["a", "b"], "matrix": [[1, 2]]}}))


def test_load_record_takes_a_run_directory_and_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="give a run directory"):
        load_record(tmp_path)
    (tmp_path / "record.json").write_text(json.dumps(made_up_record()))
    assert load_record(tmp_path) == load_record(tmp_path / "record.json") == made_up_record()
    for damage in (b"{", b"", b"\xff\xfe"):
        (tmp_path / "record.json").write_bytes(damage)
        with pytest.raises(ValueError, match=r"record\.json is damaged or no JSON; move it away, or make the record"):
            load_record(tmp_path)


def test_page_is_whole_self_contained_and_escaped(tmp_path: Path) -> None:
    path = write_html(with_examples(made_up_record(), tmp_path), tmp_path)
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert path == tmp_path / "report.html" and [p.name for p in tmp_path.glob(".*")] == []
    assert len(page.links) == 3 and all(link.startswith("data:image/png;base64,") for link in page.links)
    assert "script" not in page.tags and "@import" not in text and "url(" not in text and "http" not in page.links
    assert not re.search(r"https?://", text)
    assert EVIL in page.words
    for words in ("Messidor was not found: these figures are for fundus_synthetic", "no picture", "motion 6.2 px",
                  "ISNR 7.1 dB", "ISNR −0.4 dB", "SSIM 0.910", "80.4 %", "abc1234", "torch 9.9.9", "123.4 s",
                  "−9.87 [−10.47, −9.27] n 388", "not run", "invented for a test", "Wilson",
                  "bootstrap over 17 test photographs"):  # fmt: skip
        assert words in " ".join(page.words.split()), words
    assert "−10.44" not in page.words
    assert page.tags.count("polyline") == 3 and page.tags.count("polygon") == 2


def test_page_has_no_warning_where_the_set_asked_for_was_used(tmp_path: Path) -> None:
    record = made_up_record(dataset={"name": "Messidor", "requested": "messidor"})
    assert "was not found" not in write_html(record, tmp_path).read_text(encoding="utf-8")


def test_page_of_a_bare_record_and_of_figures_that_are_not_finite(tmp_path: Path) -> None:
    bare = made_up_record(
        metrics={"psnr": {"value": None}, "isnr_oracle": {"value": float("inf"), "unit": "dB"}}, published={}, limit={}
    )
    for key in ("confusion", "curves", "error_propagation", "skipped", "notes", "config"):
        del bare[key]
    page = Page(write_html(bare, tmp_path).read_text(encoding="utf-8"))
    assert "∞" in page.words and "Curves" not in page.words and "Confusion" not in page.words


def test_page_draws_isnr_against_noise_from_several_records(tmp_path: Path) -> None:
    others = [made_up_record(noise={"sigma": sigma}) for sigma in (0.002, 0.01)]
    text = write_html(made_up_record(), tmp_path, others).read_text(encoding="utf-8")
    assert "against noise sigma" in text and text.count("<polyline") == 3 + 5


def test_a_page_that_cannot_be_made_leaves_the_old_one(tmp_path: Path) -> None:
    path = write_html(made_up_record(), tmp_path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="lacks"):
        write_html({"experiment": "x"}, tmp_path)
    assert path.read_bytes() == before


def test_chart_keeps_points_inside_the_frame_and_leaves_gaps_out() -> None:
    points = [{"x": x, "value": v} for x, v in ((1, 0.2), (2, float("nan")), (3, 0.9))]
    svg = line_chart([Series("<b>", points)], "x", "y", 0.0, 1.0)
    places = [float(v) for v in re.findall(r'c[xy]="([^"]+)"', svg)]
    assert len(places) == 4 and all(0 < v < 480 for v in places) and "<b>" not in svg and "nan" not in svg
    assert line_chart([Series("none", [])], "x", "y") == ""
    assert ticks(5, 5)[0] <= 5 < ticks(5, 5)[-1]


def test_sweep_table_shows_the_overrides_that_differ() -> None:
    def job(taps: int, value: float) -> dict[str, Any]:
        return made_up_record(
            experiment="messidor_binary", overrides=[f"blur.taps={taps}", "budget=small"],
            metrics={"binary_accuracy": {"value": value, "low": value - 0.01, "high": value}},
        )  # fmt: skip

    text = printed(sweep_table([job(20, 1.0), job(3, 0.876)]))
    assert "blur.taps" in text and "budget=small" not in text and "│ budget" not in text
    assert "0.876" in line_of(text, "│ 3 ") and "[0.866, 0.876]" in text
    plain = [made_up_record(seed=seed) for seed in (11, 12)]
    assert "seed" in printed(sweep_table(plain)) and "variant" not in printed(sweep_table(plain))
    with pytest.raises(ValueError, match="at least one record"):
        sweep_table([])


def test_published_figures_of_williams() -> None:
    hier = published(PAPER, "messidor_hier")
    assert hier["type_accuracy"]["value"] == 0.9589 and hier["type_accuracy"]["n"] == 900
    assert hier["accuracy_clean"]["text"] == "1.00" and "section 3" in hier["accuracy_clean"]["source"]
    assert published(PAPER, "messidor_binary") == {}
    assert published(PAPER, "messidor_binary", "messidor.taps3")["binary_accuracy"]["value"] == 0.94
    assert published(PAPER, "messidor_strength5")["isnr_estimated"]["value"] == 7.53
    with pytest.raises(FileNotFoundError, match=r"published\.csv"):
        published(PAPER.parent / "no.csv", "messidor_hier")


@pytest.mark.parametrize("damage", [b"\xff\xfe", b"experiment,metric\r\x00\xe9"])
def test_published_figures_that_are_no_csv_are_named(damage: bytes, tmp_path: Path) -> None:
    (tmp_path / "published.csv").write_bytes(damage)
    with pytest.raises(ValueError, match=r"published\.csv is no CSV file in UTF-8; save it as one"):
        read_published(tmp_path / "published.csv")


def test_report_md_begins_with_one_line_a_published_figure(tmp_path: Path) -> None:
    folder = paper_folder(tmp_path)
    path = write_report_md(folder)
    first = path.read_bytes()
    assert write_report_md(folder).read_bytes() == first
    text = first.decode()
    with PAPER.open(encoding="utf-8", newline="") as handle:
        figures = list(csv.DictReader(handle))
    table = text.split("\n\n")[2].splitlines()
    assert len(table) == 2 + len(figures)
    ten = line_of(text, "messidor\\_binary taps10")
    for words in ("0.988", "[0.901 [0.890, 0.910]](results/small/messidor_binary.taps10.json)", "in place of messidor"):
        assert words in ten
    assert "not run" in line_of(text, "messidor\\_binary taps20") and "not run" in line_of(text, "five strengths")
    kind = line_of(text, "0.9589")
    assert "0.911 [0.899, 0.923]](results/small/messidor_hier.a%7Cb.json) by compact" in kind and "0.822" not in kind
    assert kind.split(" | ")[3] == "not run"  # none of the records is of the paper's own method
    for block in re.findall(r"(?:^\|.*\n)+", text, re.M):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


def test_report_md_shows_the_papers_own_method_apart_and_one_best_record_a_table(tmp_path: Path) -> None:
    folder = paper_folder(tmp_path)

    def keep(variant: str, kind: float, clean: float) -> None:
        metrics = {"type_accuracy": {"value": kind}, "accuracy_clean": {"value": clean}}
        record = made_up_record(variant=variant, metrics=metrics)
        (folder / "results" / "small" / f"messidor_hier.{variant}.json").write_text(json.dumps(record))

    keep("paper128.drawn", 0.5, 0.999)
    keep("paper128.real", 0.4, 0.3)
    keep("better", 0.95, 0.6)
    text = write_report_md(folder).read_text(encoding="utf-8")
    own, best = line_of(text, "0.9589").split(" | ")[3:5]
    assert own.index("0.500") < own.index("<br>") < own.index("0.400") and "0.950" in best
    own, best = line_of(text, "Clean images named clean").split(" | ")[3:5]
    assert "0.999" in own and "0.600" in best  # of the record that is best in the kind, not the best of all


def test_every_record_has_a_page_and_one_that_is_gone_has_none(tmp_path: Path) -> None:
    folder = paper_folder(tmp_path)
    write_report_md(folder)
    page = folder / "pages" / "small" / "messidor_hier.a|b.md"
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# messidor\\_hier: a\\|b, seed 7, budget small") and "0.822" in text
    record = re.search(r"\[Record\]\(([^)]+)\)", text)
    assert record is not None and (page.parent / unquote(record[1])).is_file()
    for target in re.findall(r"\]\(([^)]+)\)", (folder / "REPORT.md").read_text(encoding="utf-8")):
        assert (folder / unquote(target)).is_file()
    (folder / "results" / "small" / "messidor_hier.a|b.json").unlink()
    write_report_md(folder)
    assert not page.exists()


def test_index_has_a_line_a_record(tmp_path: Path) -> None:
    paper_folder(tmp_path)
    with write_index(tmp_path).open(encoding="utf-8", newline="") as handle:
        lines = list(csv.DictReader(handle))
    assert [line["experiment"] for line in lines] == ["messidor_binary", "messidor_hier"]
    assert lines[0]["binary_accuracy"] == "0.9012" and lines[0]["isnr_oracle"] == ""
    assert lines[1]["type_accuracy/lenet"] == "0.822" and lines[1]["budget"] == "small"
    assert lines[1]["record"] == "williams2017/results/small/messidor_hier.a|b.json"
