"""The one line that a wrong command line gets; it leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cli_run import in_process
from fast_set import slow_where

from blurlab.run.command.compose import check
from blurlab.run.command.names import groups
from blurlab.run.command.ranges import RANGES
from blurlab.run.errors import UsageError


@pytest.mark.parametrize(
    ("words", "line"),
    slow_where(
        [
            (["+typo=1"], "unknown key 'typo'"),
            (["+noise.sigmaa=0.1"], "unknown key 'noise.sigmaa', did you mean 'sigma'"),
            (["typo=1"], "unknown key 'typo'"),
            (["bugdet=smoke"], "unknown key 'bugdet', did you mean 'budget'"),
            (["noise.sigmaa=0.1"], "unknown key 'noise.sigmaa', did you mean 'sigma'"),
            (["noise.sigma.a=0.1"], "unknown key 'noise.sigma.a': noise.sigma is a value and has no parts"),
            (["run.sed=3", "budget.epochs=2"], "unknown key 'run.sed', did you mean 'seed'"),
            (["trainer.detect_anomaly=true"], r"to add it, write \+trainer.detect_anomaly=true"),
            (["trainer.max_epochs=3"], "trainer.max_epochs is decided by the run; use budget.epochs"),
            (["+experiment=messidor_heir"], "unknown experiment 'messidor_heir', did you mean 'messidor_hier'"),
            (["experiment=messidor_hier"], r"write \+experiment=messidor_hier"),
            (["blur=moton"], "unknown blur 'moton', did you mean 'motion'"),
            (["noise.sigma=abc"], "noise.sigma must be a number, got 'abc'"),
            (["run.seed=1.5"], "run.seed must be a whole number from 0, got 1.5"),
            (["run.seed=null"], "run.seed must be a whole number from 0, got null"),
            (
                ["budget.risk_errors_px=[]"],
                r"budget.risk_errors_px must be a list of 1 or more numbers .*, got \[\]",
            ),
            (["optimizer.schedule=foo"], "unknown schedule 'foo', expected one of constant, one_cosine"),
            (["optimizer.factory.weight_decay=-1"], "optimizer: Invalid weight_decay value"),
            (["+experiment=messidor_binary", "blur=defocus"], "'taps' is set by experiment messidor_binary, so"),
            (["+experiment=messidor_binary", "blur.taps=20,x"], "blur.taps must be a number, got 'x'"),
        ],
        lambda case: case[1].split()[0] in RANGES and case[0] != ["run.seed=1.5"],
    ),
)
def test_a_wrong_word_gets_one_line_that_helps(words: list[str], line: str) -> None:
    with pytest.raises(UsageError, match=line) as caught:
        check(words)
    assert "\n" not in str(caught.value)


def test_an_unwritable_output_directory_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        check([f"paths.runs_dir={file}/runs"])
    assert list(tmp_path.iterdir()) == [file]


PLAIN = [
    "blur.size",
    "head.width",
    "noise.sigma",
    "budget.batch_size",
    "dataset.size",
    "hydra.run.dir",
    "head._target_",
]
"""Keys whose values are refused like others' of the fast set."""


@pytest.mark.parametrize(
    "words",
    slow_where(
        [
            ["+typo=1"],
            ["+experiment=nothing"],
            ["noise.sigma=-0.1"],
            ["dataset=messidor", "dataset.strict=true"],
            ["dataset=folder", "dataset.source.root=nowhere"],
            ["paths.runs_dir=/proc/none"],
            ["dataset.size=8"],
            ["blur.size=8"],
            ["blur.size=-3"],
            ["head._target_=os.system"],
            ["frobnicate"],
            ["~logger"],
            ["head.width=abc"],
            ["budget.batch_size=0"],
            ["blur=fspecial_motion"],
            ["run.seed=0,1"],
            ["run.resume="],
            ["--config-dir"],
            ["hydra.run.dir=/proc/none"],
            ["table", "messidor_hier", "more"],
        ],
        lambda words: words[0].partition("=")[0] in PLAIN,
    ),
)
def test_a_wrong_command_ends_with_one_line_and_leaves_nothing(words: list[str], tmp_path: Path) -> None:
    done = in_process(*words, "budget=smoke", "logger=csv", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["~run.seed"], "~run.seed leaves out run.seed, which every run needs; set it instead"),
        (["~budget.photos"], "~budget.photos leaves out budget.photos"),
        (["~optimizer.factory"], "~optimizer.factory leaves out optimizer.factory"),
        (["~dataset.size"], "~dataset.size leaves out dataset.size"),
        (["~run"], "~run leaves out run, which every run needs"),
        (["~budget"], "~budget leaves out budget"),
        (["~blur=hier"], "~blur=hier leaves out blur"),
        (["run=null"], "the configuration lacks run"),
        (["blur="], "blur= names no member of blur; known: box, "),
        (["blur=[]"], "blur=[] names no member of blur"),
        (["blur=[moton]"], "unknown blur 'moton', did you mean 'motion'?"),
        (["blur=moffat", "--cfg", "job"], "unknown blur 'moffat', did you mean 'motion'?"),
        (
            ["--cfg", "job", "--package", "blurr"],
            "--package=blurr is no part of the configuration, did you mean 'blur'?",
        ),
        (["--package", "blur"], "--package goes with --cfg job"),
        (["--resolve"], "--resolve goes with --cfg job"),
        (["seeds=3", "--cfg", "job"], "--multirun (also by seeds=) and --cfg are not used together"),
    ],
)
def test_what_is_left_out_or_unknown_is_named(words: list[str], line: str, tmp_path: Path) -> None:
    done = in_process(*words, *(["budget=smoke"] if "~budget" not in words else []), cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == "" and list(tmp_path.iterdir()) == []
    assert done.stderr.startswith(f"error: {line}") and done.stderr.count("\n") == 1, done.stderr


def test_a_part_of_the_configuration_is_shown(tmp_path: Path) -> None:
    words = ["+experiment=messidor_hier", "blur=taps", "pipeline=direct", "budget=smoke", "--cfg", "job"]
    shown = in_process(*words, "--package", "blur", cwd=tmp_path)
    assert shown.returncode == 0 and "_target_: blurlab.blur.Taps" in shown.stdout, shown.stderr
    assert "\nblur:\n  _target_: blurlab.blur.Taps\n" in in_process(*words, cwd=tmp_path).stdout


@pytest.mark.slow
def test_the_last_job_of_a_long_sweep_is_checked_before_the_first_begins(tmp_path: Path) -> None:
    seeds = ",".join(map(str, range(65)))
    words = ["-m", f"run.seed={seeds},-1", "budget=smoke", "blur=taps", "pipeline=direct", "dataset=bundled"]
    done = in_process(*words, cwd=tmp_path)
    assert done.returncode == 2 and list(tmp_path.iterdir()) == []
    assert "run.seed must be a whole number from 0, got -1" in done.stderr


def blurlab(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command as a user starts it; it is refused, or answered, before anything heavy is imported."""
    command = [sys.executable, "-m", "blurlab", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_a_command_that_does_not_come_first_is_told_apart(tmp_path: Path) -> None:
    done = in_process("run.seed=1", "table", "messidor_hier", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "error: 'table' is a command and comes first: blurlab table ...\n"


def test_a_process_tells_a_users_error_by_its_exit_status(tmp_path: Path) -> None:
    done = blurlab("frobnicate", cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.startswith("error: unknown word 'frobnicate'")


def test_an_error_leaves_a_users_own_files_alone(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    for name in ("thesis.txt", "csv/data.csv", "wandb/notes.md", "stages"):
        (mine / name).parent.mkdir(exist_ok=True)
        (mine / name).write_text("keep")
    done = in_process("dataset.strict=true", f"hydra.run.dir={mine}", "budget=smoke", "logger=csv", cwd=tmp_path)
    assert done.returncode == 2
    left = sorted(str(path.relative_to(mine)) for path in mine.rglob("*") if path.is_file())
    assert left == ["csv/data.csv", "stages", "thesis.txt", "wandb/notes.md"]


def test_help_lists_every_group_without_importing_torch(tmp_path: Path) -> None:
    done = blurlab("--help", cwd=tmp_path)
    assert done.returncode == 0
    assert all(group in done.stdout for group in groups())
    probe = (
        "import sys; from blurlab.cli.entry import help_text; help_text(); "
        "print(bool({'torch', 'hydra'} & {*sys.modules}))"
    )
    seen = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "False"
