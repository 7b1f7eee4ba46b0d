"""Hydra's flags, as far as blurlab takes them; every other one is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from blurlab import __version__
from blurlab.cli import main
from blurlab.cli.entry import VERBS, help_text
from blurlab.cli.run import Words, take_apart
from blurlab.run.errors import UsageError


def line(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line that the command ends with."""
    with pytest.raises(SystemExit) as caught:
        main([*words])
    out, err = capsys.readouterr()
    assert caught.value.code == 2 and out == "" and err.startswith("error: ") and err.count("\n") == 1, err
    return err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--hydra-help"], "unknown flag '--hydra-help'"),
        (["--shell-completion"], "unknown flag '--shell-completion'"),
        (["-sc", "install=bash"], "unknown flag '-sc'"),
        (["--experimental-rerun", "x.pickle"], "unknown flag '--experimental-rerun'"),
        (["--experimental-rerun=x.pickle"], "unknown flag '--experimental-rerun'"),
        (["--config-path", "x"], "unknown flag '--config-path', did you mean '--config-dir'?"),
        (["--config-name=x"], "unknown flag '--config-name'"),
        (["--multi"], "unknown flag '--multi', did you mean '--multirun'?"),
        (["-x"], "unknown flag '-x'"),
        (["-"], "unknown flag '-'"),
        (["--"], "unknown flag '--'"),
        (["-m=1", "blur=motion"], "--multirun takes no word, got '1'"),
        (["--cfg"], "--cfg needs a word: job or hydra or all"),
        (["--cfg="], "--cfg needs a word: job or hydra or all"),
        (["--cfg", "-m"], "--cfg needs a word: job or hydra or all"),
        (["--cfg", "blur=motion"], "--cfg needs a word: job or hydra or all"),
        (["-c", "jobs"], "--cfg takes job, hydra, all, got 'jobs'"),
        (["--info", "nothing"], "--info takes all, config"),
        (["--package"], "--package needs a word: PACKAGE"),
        (["--config-dir"], "--config-dir needs a word: FOLDER"),
        (["--config-dir", "/nonexistent"], "--config-dir=/nonexistent is no folder"),
        (["--config-dir=/nonexistent"], "--config-dir=/nonexistent is no folder"),
        (["-cd", "/nonexistent", "blur=motion"], "--config-dir=/nonexistent is no folder"),
        (["frobnicate"], "unknown word 'frobnicate'"),
        ([__file__], f"write what to do with it: blurlab deblur, or blurlab identify, {__file__}"),
        (["messidor_binary"], "'messidor_binary' is an experiment; write +experiment=messidor_binary"),
        (["deblur", "a.png", "--srength", "1"], "unknown option '--srength', did you mean '--strength'?"),
        (["identify", "a.png", "--tabel=a.csv"], "unknown option '--tabel', did you mean '--table'?"),
        (["tabel", "messidor_hier"], "unknown word 'tabel', did you mean 'table'?"),
        (["table"], "required: NAME"),
        (["table", "messidor_heir"], "unknown experiment 'messidor_heir', did you mean 'messidor_hier'?"),
        (["table", "messidor_hier", "more"], "unrecognized arguments: more"),
        (["report", "a", "b"], "unrecognized arguments: b"),
        (["report", "nowhere"], "published.csv under nowhere"),
    ],
)
def test_what_blurlab_does_not_take_gets_one_line(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in line(capsys, *words)


def test_a_flag_may_be_joined_to_its_word_or_not(tmp_path: Path) -> None:
    for words in (["--config-dir", str(tmp_path)], [f"--config-dir={tmp_path}"], ["-cd", str(tmp_path)]):
        assert take_apart([*words, "blur=motion"]) == Words({"--config-dir": str(tmp_path)}, ["blur=motion"])
    assert take_apart(["--info", "blur=motion"]) == Words({"--info": "all"}, ["blur=motion"])
    assert take_apart(["-i", "plugins"]) == Words({"--info": "plugins"}, [])
    assert take_apart(["~logger", "--multirun"]) == Words({"--multirun": ""}, ["~logger"])
    with pytest.raises(UsageError, match="unknown flag"):
        take_apart(["blur=motion", "-mm"])


def test_a_folder_of_ones_own_with_an_equals_sign_in_its_name(tmp_path: Path) -> None:
    own = tmp_path / "a=b"
    own.mkdir()
    assert take_apart(["--config-dir", str(own)]).flags == take_apart([f"--config-dir={own}"]).flags


def test_the_version_is_blurlabs(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--version"])
    assert capsys.readouterr().out == f"blurlab {__version__}\n"


def test_every_verb_is_in_the_help() -> None:
    text = help_text()
    for name, verb in VERBS.items():
        assert all(words.split()[0] == name and f"blurlab {words}" in text for words, _ in verb.examples)


@pytest.mark.slow
def test_an_experiment_of_ones_own_is_found_by_either_form_of_the_flag(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\nrun: {experiment: mine}\n")
    monkeypatch.chdir(tmp_path)
    for flag in (["--config-dir", str(tmp_path)], [f"--config-dir={tmp_path}"]):
        main([*flag, "+experiment=mine", "budget=smoke", "--cfg", "job"])
        assert "experiment: mine" in capsys.readouterr().out
