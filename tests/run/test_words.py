"""Words of a command line: quoted where Hydra's grammar needs it, places absolute, wrong ones refused in one line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fast_set import first_fast

from blurlab.cli import main
from blurlab.run.command.compose import check, count_jobs
from blurlab.run.command.resume import with_resume
from blurlab.run.command.words import absolute_places, readable
from blurlab.run.errors import UsageError

NAMES = [
    "été",
    "写真",
    "a b",
    "it's",
    'say "x"',
    "a,b",
    "(1)",
    "[1]",
    "{x}",
    "50%",
    "a=b",
    "#1",
    "back\\slash",
    "a;b&c",
    "!x?",
]


EACH_AND_ALL = first_fast(["/".join(NAMES), *NAMES])
"""A path through folders of all these names stands for each of them in the fast set."""


@pytest.mark.parametrize("name", EACH_AND_ALL)
def test_a_folder_of_any_name_reaches_the_configuration(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir(parents=True)
    words = [
        "dataset=folder",
        f"dataset.source.root={folder}",
        f"paths.data_dir={folder}",
        f"paths.runs_dir={tmp_path}",
    ]
    words = absolute_places(readable(words))
    (cfg,) = check(words)
    assert cfg.dataset.source.root == str(folder) and cfg.paths.data_dir == str(folder)
    assert count_jobs(words) == 1


@pytest.mark.parametrize("name", EACH_AND_ALL)
def test_a_run_of_any_name_is_resumed(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name / ".hydra"
    folder.mkdir(parents=True)
    (folder / "overrides.yaml").write_text("- budget=smoke\n")
    words = with_resume(readable([f"run.resume={tmp_path / name}"]))
    (cfg,) = check([*words, f"paths.runs_dir={tmp_path}"])
    assert cfg.run.resume == str(tmp_path / name)


def test_what_is_quoted_already_or_a_list_stays_as_it_is() -> None:
    words = ["dataset.source.root='/x/été'", "blur.taps=[1,2]", "blur.taps=20,3", "~logger", "a=", "run.variant=x,y"]
    assert readable(words) == words


def test_a_comma_is_a_sweep_unless_a_place_is_named_so(tmp_path: Path) -> None:
    (tmp_path / "a,b").mkdir()
    place = f"dataset.source.root={tmp_path}/a,b"
    assert count_jobs(readable([place])) == 1
    assert count_jobs(readable([place.replace("a,b", "a,c")])) == 2
    assert count_jobs(readable(["hydra.run.dir=/x,y"])) == 1


def test_the_message_about_many_jobs_says_how_to_quote_a_comma(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["dataset.source.root=/nowhere/a,b", "budget=smoke"])
    err = capsys.readouterr().err
    assert "2 jobs" in err and "\"KEY='a,b'\"" in err and err.count("\n") == 1


@pytest.mark.parametrize("word", ["+=x", "=x", "++=1", "~=2", " =x"])
def test_a_word_without_a_key_is_refused(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([word, "budget=smoke"])
    err = capsys.readouterr().err
    assert caught.value.code == 2 and "names no key" in err and err.count("\n") == 1


@pytest.mark.parametrize("key", ["a b!", "dataset..size", "été"])
def test_a_key_that_cannot_be_read_is_refused(key: str) -> None:
    with pytest.raises(UsageError, match=r"cannot be read as a key|unknown key"):
        check(readable([f"{key}=1"]))


def test_relative_places_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BLURLAB_DATA", raising=False)
    Path("own.safetensors").touch()
    words = [
        "dataset.source.root=photos", "dataset.source.root=a,/b", "deconvolver.weights=own.safetensors",
        "deconvolver.weights=unrolled_dr", "deconvolver.weights=null", "stage.restore.run=nowhere",
        "paths.runs_dir=my runs", "dataset.source.root=${paths.data_dir}/x", "blur.folder=/abs", "run.variant=root",
        "dataset.source.root=~/x", "hydra.run.dir=~/x", "hydra.sweep.dir='~/my runs'", "hydra.run.dir=x~",
    ]  # fmt: skip
    home = os.path.expanduser("~")
    assert absolute_places(readable(words)) == [
        f"dataset.source.root={tmp_path}/photos", f"dataset.source.root={tmp_path}/a,/b",
        f"deconvolver.weights={tmp_path}/own.safetensors", "deconvolver.weights=unrolled_dr",
        "deconvolver.weights=null", "stage.restore.run=nowhere", f"paths.runs_dir='{tmp_path}/my runs'",
        "dataset.source.root=${paths.data_dir}/x",
        "blur.folder=/abs", "run.variant=root", f"dataset.source.root={home}/x", f"hydra.run.dir={home}/x",
        f"hydra.sweep.dir='{home}/my runs'", "hydra.run.dir='x~'", f"paths.data_dir={tmp_path}/data",
    ]  # fmt: skip


NAMELESS = ["dataset.source.root=", "paths.data_dir=''", "blur.folder=", "dataset.source.root=a,''"]


@pytest.mark.parametrize("word", NAMELESS)
def test_a_place_without_a_name_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match=r"names no folder; leave it out, or name one"):
        absolute_places(readable([word]))


def test_where_the_data_lie_is_kept_unless_a_word_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLURLAB_DATA", "elsewhere")
    monkeypatch.chdir(tmp_path)
    assert absolute_places([]) == [f"paths.data_dir={tmp_path}/elsewhere"]
    assert absolute_places(["paths.data_dir=/mine"]) == ["paths.data_dir=/mine"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["hydra.run.dir="], "hydra.run.dir names no folder"),
        (["hydra.run.dir=null"], "hydra.run.dir names no folder"),
        (["hydra.run.dir='  '"], "hydra.run.dir names no folder"),
        (["hydra.sweep.dir="], "hydra.sweep.dir names no folder"),
        (["hydra.sweep.subdir="], "hydra.sweep.subdir names no folder"),
        (["hydra.output_subdir=../x"], "hydra.output_subdir=../x is no folder's name"),
        (["hydra.output_subdir=/x"], "is no folder's name"),
        (["hydra.output_subdir=.."], "is no folder's name"),
        (["hydra.run.dir=/proc/none"], "cannot write to /proc/none.*; set another hydra.run.dir"),
        (["paths.runs_dir=/proc/none"], "cannot write to /proc/none.*; set paths.runs_dir=<folder>, or BLURLAB_RUNS"),
        (
            ["paths.cache_dir=/proc/none"],
            "cannot write to /proc/none.*; set paths.cache_dir=<folder>, or BLURLAB_CACHE",
        ),
        (["run.keep=true", "paths.experiments_dir=/proc/none"], "set paths.experiments_dir=<folder>"),
        (["hydra.launcher.x=1"], "unknown key 'hydra.launcher.x'"),
        (["hydra.x=1"], "unknown key 'hydra.x'"),
        (["hydra/launcher=nothing"], "there is no such launcher"),
        (["run.resume=a,b"], "one run is resumed at a time"),
    ],
)
def test_places_and_settings_of_hydras_are_checked_first(words: list[str], line: str, tmp_path: Path) -> None:
    places = [
        f"paths.{name}={tmp_path}" for name in ("runs_dir", "cache_dir") if not any(name in word for word in words)
    ]
    with pytest.raises(UsageError, match=line) as caught:
        check(with_resume(readable([*places, *words])))
    assert "\n" not in str(caught.value) and list(tmp_path.iterdir()) == []


HOLDERS = ["paths.runs_dir={}", "paths.cache_dir={}/x", "hydra.run.dir={}", "hydra.sweep.dir={}/y"]


LINKS = [(target, word) for target in ("loop", "nowhere/at/all") for word in HOLDERS]


@pytest.mark.parametrize(("target", "word"), first_fast(LINKS, len(HOLDERS)))
def test_a_link_to_itself_or_to_nothing_cannot_be_written_to(target: str, word: str, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(target)
    places = [f"paths.{name}={tmp_path}/{name}" for name in ("runs_dir", "cache_dir") if name not in word]
    with pytest.raises(UsageError, match=r"cannot write to .*/loop") as caught:
        check([*places, word.format(tmp_path / "loop")])
    assert "\n" not in str(caught.value)


def test_the_jobs_of_a_long_sweep_are_all_counted() -> None:
    assert count_jobs(["run.seed=range(100)", "blur.taps=20,10,3"]) == 300
