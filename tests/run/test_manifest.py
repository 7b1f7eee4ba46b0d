"""A sweep's folder: what its jobs are, how far each has come, and the words that go on with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blurlab.run.command.compose import check, job_words
from blurlab.run.command.manifest import FILE, Manifest, SweptJob, progress_of, read_manifest, split_done
from blurlab.run.command.resume import GO_ON, with_resume
from blurlab.run.errors import UsageError

JOBS = (SweptJob("0", ("budget=smoke", "blur.taps=3")), SweptJob("1", ("budget=smoke", "blur.taps=5")))
SWEPT = Manifest(("budget=smoke", "blur.taps=3,5"), JOBS)


def test_a_sweep_is_read_as_it_was_written(tmp_path: Path) -> None:
    SWEPT.write(tmp_path / "new")
    assert read_manifest(tmp_path / "new") == SWEPT


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"words": [], "search": [], "jobs": [{"name": "0"}]}'])
def test_a_damaged_sweep_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(UsageError, match=r"sweep\.json is damaged"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("name", ["../x", "/etc", "a/../../x", ""])
def test_jobs_lie_in_the_sweeps_folder(name: str, tmp_path: Path) -> None:
    Manifest((), (SweptJob(name, ()),)).write(tmp_path)
    with pytest.raises(UsageError, match="outside the sweep's"):
        read_manifest(tmp_path)


def test_how_far_a_job_has_come(tmp_path: Path) -> None:
    for name in ("stopped", "failed", "pruned", "half", "torn"):
        (tmp_path / name).mkdir()
    (tmp_path / "failed" / "error.txt").write_text("no space\n\nTraceback ...")
    (tmp_path / "pruned" / "pruned.txt").write_text("ended early after epoch 2\n")
    (tmp_path / "torn" / "record.json").write_text("{")
    notes = {name: progress_of(tmp_path / name).note for name in ("none", "stopped", "failed", "pruned", "torn")}
    assert notes == {
        "none": "not begun", "stopped": "stopped", "failed": "no space", "pruned": "ended early after epoch 2",
        "torn": "stopped: its record is not whole",
    }  # fmt: skip
    jobs = [SweptJob(name, ()) for name in ("failed", "pruned")]
    assert split_done(tmp_path, jobs) == (jobs[1:], jobs[:1])  # a failed job is tried again


def test_a_sweep_goes_on_with_its_words_on_any_engine(tmp_path: Path) -> None:
    SWEPT.write(tmp_path)
    words = with_resume([f"run.resume={tmp_path}", "launcher=joblib", "hydra.launcher.n_jobs=2"])
    assert words[:2] == list(SWEPT.words) and words[-1] == GO_ON
    assert f"hydra.sweep.dir='{tmp_path}'" in words and "launcher=joblib" in words
    assert [list(one)[1] for one in job_words(words)] == ["blur.taps=3", "blur.taps=5"]
    with pytest.raises(UsageError, match=r"blur\.taps=7 beside run\.resume: a sweep keeps its settings"):
        with_resume([f"run.resume={tmp_path}", "blur.taps=7"])


EVIL = "hydra.callbacks.x={_target_: os.system, command: id}"


@pytest.mark.parametrize(
    ("words", "job", "search"),
    [
        ((EVIL,), (), ()),
        (("budget=smoke",), (EVIL,), ()),
        (("blur={_target_: os.system}",), (), ()),
        (("budget=smoke",), ("blur.taps=3", "hydra.launcher._target_=os.system"), ()),
        (("budget=smoke,evil",), (), ()),
        (("budget=smoke",), (), ("hydra.sweeper._target_=os.system",)),
        (("budget=smoke",), (), ("hydra.sweeper.storage=postgresql://far",)),
        (("budget=smoke",), (), ("hydra.sweeper.space.hydra.run.dir={low: 1, high: 2}x",)),
    ],
)
def test_a_foreign_sweep_may_name_settings_alone(
    words: tuple[str, ...], job: tuple[str, ...], search: tuple[str, ...], tmp_path: Path
) -> None:
    Manifest(words, (SweptJob("0", job),), search).write(tmp_path)
    with pytest.raises(UsageError):
        with_resume([f"run.resume={tmp_path}"])


def test_launchers_say_in_a_line_what_is_lacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from blurlab.run.command import engine_check

    words = ["budget=smoke", "dataset=bundled", f"paths.runs_dir={tmp_path}"]
    monkeypatch.setattr(engine_check, "find_spec", lambda name: None)
    for launcher, line in (
        ("joblib", r"launcher=joblib needs joblib: pip install 'blurlab-toolbox\[sweeps\]'"),
        ("submitit_local", "launcher=submitit_local needs submitit"),
        ("ray", r"launcher=ray needs ray: pip install 'blurlab-toolbox\[ray\]'"),
    ):
        with pytest.raises(UsageError, match=line):
            check([*words, f"launcher={launcher}"])
    with pytest.raises(UsageError, match=r"hparams= needs optuna: pip install 'blurlab-toolbox\[sweeps\]'"):
        check([*words, "hparams=optimizer"])
    monkeypatch.setattr(engine_check, "find_spec", lambda name: name)
    monkeypatch.setattr(engine_check.shutil, "which", lambda name: None)
    with pytest.raises(UsageError, match=r"launcher=slurm needs Slurm's sbatch and srun, not found") as told:
        check([*words, "launcher=slurm"])
    assert "\n" not in str(told.value)
    with pytest.raises(UsageError, match="a sweep is blurlab's own"):
        check([*words, "hydra/sweeper=basic"])


def test_the_words_of_a_sweep_are_kept_as_text(tmp_path: Path) -> None:
    SWEPT.write(tmp_path)
    assert json.loads((tmp_path / FILE).read_text())["jobs"][1] == {"name": "1", "words": list(JOBS[1].words)}
