"""README and documentation: every code block runs, tables say what is there, and the pages build without a warning."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import yaml
from cli_run import in_process
from PIL import Image

from blurlab import deconvolver
from blurlab.cli.entry import VERBS
from blurlab.physics import LinearOperator
from blurlab.report.narrative import BEGIN, narrative
from blurlab.run.command.names import groups, options

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
TEXTS = sorted([ROOT / "README.md", *DOCS.glob("*.md")])
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BUILD = ("sphinx", "myst_parser", "furo")
LACKING = [name for name in BUILD if importlib.util.find_spec(name) is None]


def blocks(path: Path) -> Iterator[tuple[str, str, str]]:
    """(language, file, code) of each fenced block; MyST's own, ``{name}``, are not code."""
    for found in FENCE.finditer(path.read_text(encoding="utf-8")):
        language, _, file = found[1].partition(" file=")
        if not language.startswith("{"):
            yield language, file, found[2]


WITH_CODE = [path for path in TEXTS if any(True for _ in blocks(path))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the pages speak of: a photograph, a mask of its size, and a folder of photographs."""
    sharp = skimage.data.chelsea()[60:190, 100:260]
    Image.fromarray(sharp).save(tmp_path / "photo.png")
    Image.fromarray(np.tile(np.arange(160, dtype=np.uint8), (130, 1))).save(tmp_path / "mask.png")
    (tmp_path / "photos" / "below").mkdir(parents=True)
    for name in ("a.png", "below/b.jpg"):
        Image.fromarray(np.full((70, 80, 3), 90, np.uint8)).save(tmp_path / "photos" / name)
    return tmp_path


def run_command(line: str, folder: Path) -> None:
    """A command of a page: a verb really runs, an experiment is composed, and that it is understood is all."""
    words = shlex.split(line)
    words = words[3:] if words[:3] == ["python", "-m", "blurlab"] else words[1:] if words[0] == "blurlab" else []
    assert words, f"{line!r} is no command of blurlab"
    if words[0] in VERBS:
        every = [words]
    else:  # of a sweep each member of its first group
        single = [word for word in words if word not in ("-m", "--multirun")]
        swept = next((word for word in single if "," in word), "")
        key, _, members = swept.partition("=")
        every = [
            [f"{key}={one}" if word == swept else word.split(",")[0] for word in single] + ["--cfg", "job"]
            for one in members.split(",")
        ]
    for one in every:
        ended = in_process(*one, cwd=ROOT if one[0] == "table" else folder)  # it reads the records of a checkout
        assert ended.returncode == 0, (line, ended.stderr)


def options_fit(code: str, folder: Path) -> None:
    """Are these the options of a class that stands in a file of the page?"""
    values = yaml.safe_load(code)
    name = values.pop("_target_").rpartition(".")[2]
    (file,) = (one for one in folder.glob("*.py") if f"class {name}(" in one.read_text())
    words = [f"{key}={value}" for key, value in values.items()]
    assert in_process("check", f"{file.name}:{name}", *words, cwd=folder).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("path", WITH_CODE, ids=lambda path: path.stem)
def test_every_code_block_runs(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    names: dict[str, object] = {"__name__": "__main__"}
    for language, file, code in blocks(path):
        assert language in ("python", "sh", "yaml"), f"{path.name}: a block of {language or 'none'} is run by no test"
        if language == "yaml":
            options_fit(code, folder)
        elif file:
            (folder / file).write_text(code)
        elif language == "python":
            exec(compile(code, str(path), "exec"), names)
        else:
            for line in code.splitlines():
                run_command(line, folder)


@pytest.mark.slow
def test_the_notebook_runs(folder: Path) -> None:
    cells = json.loads((DOCS / "first_steps.ipynb").read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names: dict[str, object] = {"__name__": "__main__"}
    assert len(code) >= 4
    with chdir(folder):
        for one in code:
            exec(compile(one, "first_steps.ipynb", "exec"), names)


def test_the_notebook_is_kept_without_results_and_is_of_the_format() -> None:
    book = json.loads((DOCS / "first_steps.ipynb").read_text(encoding="utf-8"))
    assert book["nbformat"] == 4 and {cell["cell_type"] for cell in book["cells"]} == {"markdown", "code"}
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None and cell["id"] for cell in code)


def test_the_readme_is_short_and_its_targets_are_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 100
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    asked = {*re.findall(r"\bmake ([a-z-]+)\b(?! \w)", text)}
    assert {"demo", "test", "test-fast", "docs"} <= asked <= {*targets}
    python = next(code for language, _, code in blocks(ROOT / "README.md") if language == "python")
    assert len([line for line in python.splitlines() if line.strip()]) <= 10


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_links_lead_to_files_that_are_there(path: Path) -> None:
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\((?!https?:|#)([^)\s#]+)", text):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize(
    "path", [one for one in TEXTS if BEGIN.search(one.read_text(encoding="utf-8"))], ids=lambda path: path.stem
)
def test_tables_of_figures_say_what_the_records_say(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert narrative(text, path.parent, path.name) == text, "run: python -m blurlab report"


def test_every_deconvolver_has_its_line_in_the_table() -> None:
    named = re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", (DOCS / "deconvolvers.md").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(options("deconvolver")) and len({*named}) == len(named)


def test_those_that_take_any_operator_are_named() -> None:
    said = re.search(r"no convolution: (.+)\.$", (DOCS / "deconvolvers.md").read_text(), re.MULTILINE)
    solvers = ["TV", "Wiener", "Tikhonov", "HyperLaplacian", "EPLL", "RichardsonLucy", "DouglasRachford", "ImplicitTV"]
    solvers += ["UnrolledDR", "WienerStack"]
    able = {name for name in solvers if LinearOperator in getattr(getattr(deconvolver, name), "takes", ())}
    assert said is not None
    named = {name.removesuffix("_tv").replace("_", "") for name in re.findall(r"`(\w+)`", said[1])}
    assert named == {name.lower() for name in able}


def settings() -> list[str]:
    """What is to be typed, row by row, of the table of settings."""
    rows = re.findall(r"^\| .+? \| (.+) \|$", (DOCS / "settings.md").read_text(), re.MULTILINE)
    return [code for row in rows for code in re.findall(r"`([^`]+)`", row)]


def test_what_the_table_of_settings_names_exists() -> None:
    every, codes = groups(), settings()
    assert len(codes) > 60
    for code in codes:
        for group, members in re.findall(r"(?:^|\s)\+?(\w+)=([\w,]+)(?=\s|$)", code):
            if group in every:
                assert {*members.split(",")} <= {*options(group)}, code
        words = code.split()
        if words[0] == "blurlab":
            flags = {flag for action in VERBS[words[1]].parser()._actions for flag in action.option_strings}
            assert {word for word in words[2:] if word.startswith("-")} <= flags, code


def test_every_paper_has_its_page() -> None:
    papers = {path.parent.name for path in (ROOT / "experiments").glob("*/published.csv")}
    assert {path.stem for path in (DOCS / "papers").glob("*.md")} == papers
    text = (DOCS / "papers.md").read_text()
    assert all(f"papers/{paper}\n" in text for paper in papers)


def test_the_picture_is_of_its_record() -> None:
    record = json.loads((DOCS / "before_after.json").read_text())
    assert record["found"]["kind"] == record["blur"][0] and record["psnr_after_db"] > record["psnr_before_db"] + 2
    with Image.open(DOCS / "before_after.jpg") as picture:
        assert picture.size == (608, 240)
    assert (DOCS / "before_after.jpg").stat().st_size < 100_000


@pytest.mark.slow
def test_the_picture_is_what_its_command_makes(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, DOCS / "picture.py", "--out", tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    new, old = (json.loads((place / "before_after.json").read_text()) for place in (tmp_path, DOCS))
    assert new["found"]["kind"] == old["found"]["kind"]
    assert new["psnr_after_db"] == pytest.approx(old["psnr_after_db"], abs=0.05)
    with Image.open(tmp_path / "before_after.jpg") as made, Image.open(DOCS / "before_after.jpg") as kept:
        assert np.abs(np.asarray(made, float) - np.asarray(kept, float)).mean() < 1


def test_what_builds_the_pages_is_an_extra_and_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    pinned = {line.partition("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines()}
    for name in BUILD:
        wanted = name.replace("_", "-")
        assert any(one.startswith(wanted) for one in project["docs"]) and wanted in pinned


def test_the_links_of_included_texts_are_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS))
    import texts

    text = "[a](../results/x.json) [b](which.md) ![c](d.jpg) [e](https://f)"
    assert texts.without_links_out(text) == "a [b](which.md) ![c](d.jpg) [e](https://f)"
    assert texts.without_links(text) == "a b ![c](d.jpg) [e](https://f)"
    lines = ["|Hu - y|^2 of ``|x|``, a_ * b", ">>> a | b", "", "c | d"]
    texts.plain_docstring(lines)
    assert lines == [r"\|Hu - y\|^2 of ``|x|``, a\_ \* b", ">>> a | b", "", r"c \| d"]


@pytest.mark.slow
@pytest.mark.skipif(bool(LACKING), reason=f"needs the extra docs ({', '.join(LACKING)})")
def test_the_pages_build_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(DOCS), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "api.html").read_text(encoding="utf-8")
    assert "max_length_px" in page and (tmp_path / "papers" / "nonblind.html").is_file()
