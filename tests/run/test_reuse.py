"""A run directory keeps its settings: the same again goes on, any other is refused and leaves no trace."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf, open_dict
from rich.console import Console
from tiny_run import TRAINED, WORDS, config, finished, go, same_training, stop

from blurlab.run.command.compose import check
from blurlab.run.command.job import run
from blurlab.run.command.resume import with_resume
from blurlab.run.errors import UsageError
from blurlab.run.setup.settings import Settings, differences, settings

pytestmark = pytest.mark.slow
ANY_OTHER = [
    ("noise.sigma=0.05", "noise.sigma was 0.004, is 0.05"),
    ("run.seed=5", "run.seed was 0, is 5"),
    ("deconvolver=wiener", "deconvolver._target_ was blurlab.deconvolver.TV, is blurlab.deconvolver.Wiener"),
    ("blur.taps=5", "blur.taps was 9, is 5"),
    ("budget.epochs=6", "budget.epochs was 5, is 6"),
    ("dataset.size=40", "dataset.size was 48, is 40"),
    ("optimizer.factory.lr=.01", "optimizer.factory.lr was 0.03, is 0.01"),
    ("trainer.precision=bf16-mixed", "trainer.precision was 32-true, is bf16-mixed"),
    ("augment=varied", "augment._target_ was "),
    ("+optimizer.factory.amsgrad=true", "optimizer.factory.amsgrad was not set, is True"),
]


HEAD = {"head._target_": "blurlab.head.Compact"}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, with what Hydra leaves beside it."""
    run_dir = tmp_path_factory.mktemp("done") / "run"
    go(run_dir)
    leave_hydra(run_dir, WORDS)
    return run_dir


def leave_hydra(run_dir: Path, words: list[str]) -> None:
    (run_dir / ".hydra").mkdir(exist_ok=True)
    OmegaConf.save(config(run_dir.parent, *words[len(WORDS) :]), run_dir / ".hydra" / "config.yaml")
    OmegaConf.save(OmegaConf.create(words), run_dir / ".hydra" / "overrides.yaml")


def content(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def begin(run_dir: Path, *words: str, sweep: bool = False) -> None:
    """What the command line does before Hydra starts."""
    check([*WORDS, f"paths.runs_dir={run_dir.parent}", *words], sweep=sweep)


@pytest.mark.parametrize(("word", "line"), ANY_OTHER)
def test_other_settings_are_refused_with_what_differs_and_nothing_is_touched(word: str, line: str, done: Path) -> None:
    before = content(done)
    with pytest.raises(UsageError, match=f"was begun with other settings: .*{re.escape(line)}") as caught:
        begin(done, word, f"hydra.run.dir={done}")
    assert "\n" not in str(caught.value) and content(done) == before


@pytest.mark.parametrize(
    "place",
    [
        lambda done: os.path.relpath(done), lambda done: f"{done}/../not_there/../{done.name}",
        lambda done: "${paths.runs_dir}/" + done.name, lambda done: "${hydra:runtime.cwd}/" + os.path.relpath(done),
        lambda done: f"{done}/", lambda done: str(linked(done)),
    ],
)  # fmt: skip
def test_no_other_way_to_name_the_directory_helps(place: Callable[[Path], str], done: Path) -> None:
    with pytest.raises(UsageError, match=r"run\.seed was 0, is 1"):
        begin(done, "run.seed=1", f"hydra.run.dir='{place(done)}'")


def linked(done: Path) -> Path:
    link = done.with_name("link")
    link.unlink(missing_ok=True)
    link.symlink_to(done)
    return link


def test_a_sweep_in_a_directory_that_was_used_before_is_refused(done: Path) -> None:
    sweep = done.with_name("sweep")
    shutil.copytree(done, sweep / "1", dirs_exist_ok=True)
    with pytest.raises(UsageError, match=r"sweep/1 was begun with other settings: blur\.taps was 9, is 3"):
        begin(done, "blur.taps=5,3", f"hydra.sweep.dir={sweep}", sweep=True)
    begin(done, "blur.taps=5,9", f"hydra.sweep.dir={sweep}", sweep=True)
    with pytest.raises(UsageError, match=r"two jobs would run in .*/one: blur\.taps was 5, is 3"):
        begin(done, "blur.taps=5,3", f"hydra.sweep.dir={sweep}", "hydra.sweep.subdir=one", sweep=True)


def test_the_same_settings_go_on_and_say_so(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    no_matter = ["logger=tensorboard", "trainer.accelerator=auto", "run.variant=x", "budget.workers=1"]
    begin(done, f"hydra.run.dir={done}", *no_matter)
    stages = content(done / "stages")
    go(done, console=Console(width=500))
    said = capsys.readouterr().out
    assert f"{done} was begun earlier with these settings: going on" in said
    assert "train_taps: finished earlier" in said and content(done / "stages") == stages


def test_other_code_is_said_not_refused(done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(shutil.copytree(done, tmp_path / "run"))
    held = json.loads((folder / "settings.json").read_text())
    held["code"] = ["0.0.9 1234567"]
    (folder / "settings.json").write_text(json.dumps(held))
    go(folder, console=Console(width=500))
    assert "code: until now 0.0.9 1234567, from here on 0.1.0 " in capsys.readouterr().out
    record = json.loads((folder / "record.json").read_text())
    assert record["git"].startswith("1234567, then ")


def test_python_is_refused_like_the_command_line(done: Path) -> None:
    before = content(done)
    with pytest.raises(UsageError, match=r"run\.seed was 0, is 2"):
        run(config(done.parent, "run.seed=2"), done, Console(quiet=True))
    assert content(done) == before


def test_a_run_of_an_earlier_version_is_compared_with_what_hydra_saved(done: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(done, tmp_path / "run"))
    (folder / "settings.json").unlink()
    with pytest.raises(UsageError, match=r"noise\.sigma was 0.004, is 0.05"):
        begin(folder, "noise.sigma=0.05", f"hydra.run.dir={folder}")
    assert not (folder / "settings.json").exists()
    go(folder)
    assert json.loads((folder / "settings.json").read_text())["id"]


def test_stages_of_which_nothing_says_what_they_are_of_are_refused(done: Path, tmp_path: Path) -> None:
    shutil.copytree(done / "stages", tmp_path / "run" / "stages")
    with pytest.raises(UsageError, match="has stages, but nothing says with which settings"):
        begin(tmp_path / "run", f"hydra.run.dir={tmp_path / 'run'}")
    (tmp_path / "run" / "settings.json").write_text('{"id": "a", "co')
    with pytest.raises(UsageError, match=r"settings\.json is damaged"):
        begin(tmp_path / "run", f"hydra.run.dir={tmp_path / 'run'}")


@pytest.mark.parametrize("damage", ["", '{"name": "bundled"', "[]", "null"])
def test_a_damaged_or_missing_note_of_the_photographs_is_refused(damage: str, done: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(done, tmp_path / "run"))
    (folder / "data.json").write_text(damage)
    with pytest.raises(UsageError, match=r"data\.json is damaged"):
        go(folder)
    (folder / "data.json").unlink()
    with pytest.raises(UsageError, match=r"data\.json is missing: nothing says of which photographs"):
        go(folder)


@pytest.mark.parametrize("damage", ["{}", "", "[1]", '{"seconds": null}'])
def test_a_damaged_mark_is_refused(damage: str, done: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(done, tmp_path / "run"))
    (folder / TRAINED / "finished.json").write_text(damage)
    with pytest.raises(UsageError, match=r"finished\.json is damaged; remove it to have this stage done again"):
        go(folder)


def test_a_file_of_the_same_name_with_other_contents_is_another_setting(done: Path, tmp_path: Path) -> None:
    words = [f"deconvolver.weights={tmp_path / 'w'}"]
    (tmp_path / "w").write_bytes(b"one")
    base = OmegaConf.create({"deconvolver": {"weights": str(tmp_path / "w")}, "run": {"seed": 0}, "paths": {}})
    first = settings(base, words)
    (tmp_path / "w").write_bytes(b"two")
    (found,) = differences(first, settings(base, words))
    assert found.startswith("contents.deconvolver.weights was ")


def test_a_file_that_is_called_as_a_value_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One begins a run in a folder with a file ``green`` and goes on from another folder."""
    cfg = OmegaConf.create({"dataset": {"channel": "green"}, "run": {"seed": 0}, "paths": {}})
    before = settings(cfg, [])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "green").write_bytes(b"one")
    assert differences(before, settings(cfg, [])) == []


@pytest.mark.parametrize(
    ("before", "now", "code", "words", "expected"),
    [
        ({"a.x": 1}, {"a.x": 1, "a.new": 2}, ("1", "2"), ({}, {}), []),  # an option of the later code
        ({"a.x": 1}, {"a.x": 1, "a.new": 2}, ("1", "1"), ({}, {}), ["a.new was not set, is 2"]),
        ({"a.x": 1}, {"a.x": 1, "a.new": 2}, ("1", "2"), ({}, {"a.new": "2"}), ["a.new was not set, is 2"]),
        ({"a.x": 1}, {"a.x": 3}, ("1", "2"), ({}, {}), ["a.x was 1, is 3"]),  # a default that changed
        ({"stage.a._target_": "A"}, {"stage.a._target_": "A", "stage.b._target_": "B"}, ("1", "1"), ({}, {}), []),
        ({"stage.a.n": 1}, {"stage.a.n": 2}, ("1", "1"), ({}, {}), ["stage.a.n was 1, is 2"]),
        (HEAD, {**HEAD, "head.tapers": 0}, ("1", "1"), ({}, {}), []),  # the class's own default
        (HEAD, {**HEAD, "head.tapers": 3}, ("1", "1"), ({}, {}), ["head.tapers was not set, is 3"]),
        ({"x": float("nan")}, {"x": float("nan")}, ("1", "1"), ({}, {}), []),
    ],
)  # fmt: skip
def test_what_counts_as_a_difference(
    before: dict[str, Any], now: dict[str, Any], code: tuple[str, str], words: tuple[dict, dict], expected: list[str]
) -> None:
    assert differences(Settings(before, words[0], code[0]), Settings(now, words[1], code[1])) == expected


def test_a_resumed_run_whose_defaults_have_changed_since_is_refused(done: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(done, tmp_path / "run"))
    held = json.loads((folder / "settings.json").read_text())
    held["values"]["budget.tile"] = 999
    (folder / "settings.json").write_text(json.dumps(held))
    with pytest.raises(UsageError, match=r"budget\.tile was 999, is 64"):
        check(with_resume([f"run.resume={folder}", f"paths.runs_dir={tmp_path}"]))


def test_a_stopped_run_goes_on_under_the_name_of_its_directory(
    done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same words and directory again is as good as run.resume."""
    stop(tmp_path / "run", monkeypatch, epoch=2)
    assert go(tmp_path / "run") == same_training(finished(done))


def test_one_run_has_one_table(done: Path, tmp_path: Path) -> None:
    """``stage=restore`` and ``stage=default`` write the same files: those of one would pass for those of the other."""
    folder = Path(shutil.copytree(done, tmp_path / "run"))
    (folder / "stages" / "restore").mkdir()
    cfg = config(tmp_path)
    with open_dict(cfg):
        cfg.stage.evaluate = {"_target_": "blurlab.run.stage.evaluate.Evaluate"}
    with pytest.raises(UsageError, match="has the table and the pictures of its stage restore, which evaluate would"):
        run(cfg, folder, Console(quiet=True))


@pytest.mark.parametrize("content", [None, b"", b"- blur=taps\n", b"- blur=taps\n- blur.ta", b"- 'blur", b"null"])
def test_a_list_of_words_that_hydra_left_half_written_is_made_good(
    content: bytes | None, done: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(done, tmp_path / "run"))
    held = json.loads((folder / "settings.json").read_text())
    (folder / "settings.json").write_text(json.dumps({**held, "overrides": WORDS}))
    saved = folder / ".hydra" / "overrides.yaml"
    saved.unlink() if content is None else saved.write_bytes(content)
    assert with_resume([f"run.resume={folder}"])[: len(WORDS)] == WORDS
    saved.write_text("".join(f"- {word}\n" for word in [*WORDS, "stage=robust"]))  # of a later start
    assert "stage=robust" in with_resume([f"run.resume={folder}"])
