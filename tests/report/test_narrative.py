"""Tables in a paper's own texts: filled from records, the same at a second time, and refused where they cannot be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from blurlab.cli import main
from blurlab.report.narrative import END, narrative, write_narratives

PAPERS = Path(__file__).parents[2] / "experiments"
RECORDS = PAPERS / "schuler2016" / "results" / "small"
FIRST, SECOND = "levin32_blind.blind.tv.json", "levin32_blind.union.tv.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (FIRST, SECOND):
        (tmp_path / "results" / "small").mkdir(parents=True, exist_ok=True)
        shutil.copy(RECORDS / name, tmp_path / "results" / "small")
    return tmp_path


def ask(names: str, *files: str) -> str:
    places = " ".join(f"results/small/{file}" for file in files)
    return f"Before.\n\n<!-- figures: {names} of {places} -->\nold\n{END}\n\nAfter.\n"


def test_a_record_is_a_table_of_its_figures(folder: Path) -> None:
    found = narrative(ask("psnr_estimated error_ratio_le_2", FIRST), folder, "a.md")
    record = json.loads((RECORDS / FIRST).read_text())["metrics"]
    psnr, share = record["psnr_estimated"], record["error_ratio_le_2"]
    assert f"| {psnr['value']:.2f} | [{psnr['low']:.2f}, {psnr['high']:.2f}] | {psnr['n']} |" in found
    assert f"| {share['value']:.3f} |" in found and "old" not in found
    assert found.startswith("Before.") and found.endswith("After.\n")
    assert narrative(found, folder, "a.md") == found


def test_several_records_are_a_row_each(folder: Path) -> None:
    found = narrative(ask("psnr_estimated", FIRST, SECOND), folder, "a.md")
    rows = [line for line in found.splitlines() if line.startswith("| [")]
    values = [
        json.loads((RECORDS / name).read_text())["metrics"]["psnr_estimated"]["value"] for name in (FIRST, SECOND)
    ]
    assert [row.rsplit("|", 2)[1].strip() for row in rows] == [f"{value:.2f}" for value in values]
    assert "(pages/small/levin32_blind.blind.tv.md)" in rows[0]


def test_the_published_figure_and_the_limit_stand_beside_ours(folder: Path) -> None:
    asked = ask("psnr_estimated", FIRST).replace("figures:", "figures, published and limit:")
    found = narrative(asked, folder, "a.md")
    record = json.loads((RECORDS / FIRST).read_text())
    ours, limit = record["metrics"]["psnr_estimated"], record["limit"]["psnr_estimated"]
    assert "|  | published | ours | 95 % interval | of | limit |" in found
    (row,) = [line for line in found.splitlines() if line.startswith("| PSNR")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:3] == ["-", f"{ours['value']:.2f}"] and cells[-1] == f"{limit['value']:.2f}"
    several = narrative(asked.replace(FIRST, f"{FIRST} results/small/{SECOND}"), folder, "a.md")
    first, second = [[cell.strip() for cell in line.strip("|").split("|")] for line in several.splitlines()
                     if line.startswith("| [")]  # fmt: skip
    assert first[1:] == [cells[2], "-", cells[-1]] and len(second) == 4


def test_a_text_elsewhere_leads_to_the_pages_of_the_paper(folder: Path) -> None:
    text = ask("psnr_estimated", FIRST, SECOND).replace("results/", f"{folder.name}/results/")
    assert f"({folder.name}/pages/small/levin32_blind.blind.tv.md)" in narrative(text, folder.parent, "README.md")


def test_the_command_fills_the_readme_and_the_documentation_too(tmp_path: Path) -> None:
    paper = tmp_path / "experiments" / "mine"
    (paper / "results" / "small").mkdir(parents=True)
    shutil.copy(RECORDS / FIRST, paper / "results" / "small")
    shutil.copy(PAPERS / "schuler2016" / "published.csv", paper)
    (tmp_path / "docs").mkdir()
    for text, up in ((tmp_path / "README.md", ""), (tmp_path / "docs" / "page.md", "../")):
        text.write_text(ask("psnr_estimated", FIRST).replace("results/", f"{up}experiments/mine/results/"))
    main(["report", str(tmp_path / "experiments")])
    value = json.loads((RECORDS / FIRST).read_text())["metrics"]["psnr_estimated"]["value"]
    for text in (tmp_path / "README.md", tmp_path / "docs" / "page.md"):
        assert f"| {value:.2f} |" in text.read_text() and "old" not in text.read_text()


def test_what_cannot_be_filled_is_named(folder: Path) -> None:
    with pytest.raises(
        ValueError, match=r"a\.md: levin32_blind\.blind\.tv\.json has no figure psnr_of_nothing; it has"
    ):
        narrative(ask("psnr_of_nothing", FIRST), folder, "a.md")
    with pytest.raises(ValueError, match=r"a\.md: a table of figures has no end; write <!-- end of figures -->"):
        narrative(ask("psnr_estimated", FIRST).replace(END, ""), folder, "a.md")
    with pytest.raises(FileNotFoundError):
        narrative(ask("psnr_estimated", "gone.json"), folder, "a.md")


def test_texts_without_tables_stay_as_they_are(folder: Path) -> None:
    (folder / "plain.md").write_text("# Plain\n")
    (folder / "asks.md").write_text(ask("psnr_estimated", FIRST))
    assert write_narratives(folder) == [folder / "asks.md"]
    assert (folder / "plain.md").read_text() == "# Plain\n" and "old" not in (folder / "asks.md").read_text()


@pytest.mark.parametrize("paper", sorted(path.parent.name for path in PAPERS.glob("*/published.csv")))
def test_the_projects_texts_say_what_its_records_say(paper: str) -> None:
    for path in (PAPERS / paper).glob("*.md"):
        text = path.read_text(encoding="utf-8")
        assert narrative(text, PAPERS / paper, path.name) == text, "run: python -m blurlab report"
