"""What a command line may say, and the one line it gets where it is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cli_run import in_own_process, in_process

from blurlab.run.command.compose import check, with_budget
from blurlab.run.command.names import conf_dir, groups, options
from blurlab.run.command.resume import with_resume
from blurlab.run.errors import UsageError


@pytest.mark.parametrize("experiment", options("experiment"))
def test_every_experiment_composes(experiment: str, levin_data: Path, tmp_path: Path) -> None:
    (cfg,) = check([f"+experiment={experiment}", f"paths.runs_dir={tmp_path}", f"paths.data_dir={levin_data}"])
    assert cfg.run.experiment == experiment


NO_STRENGTH = "no one parameter for its strength"
VARIES = "varies over the image"
NOTHING = {
    "taps": "use blur=motion", "none": "neither kinds to tell apart nor a range", "field": VARIES,
    "gp_trajectory": "neither kinds to tell apart nor a range",
}  # fmt: skip
ANSWERS = {  # pipeline and blur -> what it says where it cannot
    "hierarchical": {
        "none": "no range|kind 'none' and others", "motion": "angle_deg from 0 to 180", "taps": "use pipeline=direct",
        "fspecial_motion": "angle_deg from 0 to 180", "gaussian_anisotropic": NO_STRENGTH,
        "three_kinds": "angle_deg from 0 to 180", "levin": NO_STRENGTH, "trajectory": NO_STRENGTH,
        "photographic": NO_STRENGTH, "gaussian_correlated": NO_STRENGTH, "field": VARIES,
        "camera_kinds": NO_STRENGTH, "gp_trajectory": NO_STRENGTH,
    },
    "direct": {blur: "use blur=taps" for blur in options("blur") if blur != "taps"},
    "likelihood": {
        "taps": "use blur=motion", "gaussian_anisotropic": NO_STRENGTH, "levin": NO_STRENGTH, "trajectory": NO_STRENGTH,
        "photographic": NO_STRENGTH, "gaussian_correlated": NO_STRENGTH, "field": VARIES,
        "camera_kinds": NO_STRENGTH, "gp_trajectory": NO_STRENGTH,
    },
    "photograph": {
        blur: f"must be none|neither kinds|{VARIES}|use blur=motion" for blur in options("blur")
        if blur not in ("hier", "camera_kinds")
    },
    "likelihood_release": {
        blur: f"must be mixtures|that are tried lack|{VARIES}" for blur in options("blur") if blur != "camera_kinds"
    },
    "known": {"field": "takes one kernel an image"},
    "kernel": {"field": VARIES},
    "quotient17": {"field": VARIES},
    "blind": {"field": "takes one kernel an image"},
    "regression": NOTHING,
    "regression_refined": {
        **NOTHING, "trajectory": "no image tells", "photographic": "no image tells", "camera_kinds": "no image tells",
    },
    "grnn": NOTHING,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", options("pipeline"))
@pytest.mark.parametrize("blur", options("blur"))
def test_every_pipeline_takes_a_blur_or_says_why_not(
    pipeline: str, blur: str, levin_data: Path, tmp_path: Path
) -> None:
    words = [f"pipeline={pipeline}", f"blur={blur}", f"paths.runs_dir={tmp_path}", f"paths.data_dir={levin_data}"]
    words += ["stage=restore"] if pipeline == "known" else []
    if blur in ANSWERS[pipeline]:
        with pytest.raises(UsageError, match=ANSWERS[pipeline][blur]):
            check(words)
    else:
        check(words)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("group", "member"),
    [(group, member) for group in groups() if group not in ("experiment", "paths") for member in options(group)],
)
def test_every_member_of_every_group_composes(group: str, member: str, levin_data: Path, tmp_path: Path) -> None:
    if group == "launcher" and member != "local":
        pytest.skip("the launcher is an extra that need not be installed")
    places = [f"paths.runs_dir={tmp_path}", f"paths.data_dir={levin_data}"]
    known = ["pipeline=known", "stage=restore"]
    with_it = {
        "direct": ["blur=taps"], "known": ["stage=restore"], "restore": ["pipeline=known"], "bsds500_test": known,
        "train_restore": ["pipeline=known", "deconvolver=unrolled_dr"], "kernel_quotient": ["pipeline=kernel"],
        "learning_to_deblur": ["pipeline=kernel", "blur=gp_trajectory"],
        "grow": ["pipeline=kernel", "blur=gp_trajectory", "head=learning_to_deblur", "optimizer=adadelta"],
        "likelihood_release": ["blur=camera_kinds"], "photograph": ["blur=camera_kinds"],
        "answers": ["pipeline=likelihood", "blur=three_kinds"],
        "robust_camera": ["pipeline=likelihood", "blur=three_kinds"],
        "levin": known, "field": [*known, "deconvolver=douglas_rachford"],
        "levin09": [*known, "noise=captured", "boundary=captured"],
        "captured": [*known, "noise=captured", "boundary=captured", "dataset=levin09"],
    }.get(member, [])  # fmt: skip
    cannot = {("blur", blur) for blur in ANSWERS["hierarchical"]} - {("blur", "levin"), ("blur", "field")}
    if (group, member) in cannot:  # composed, then refused by the pipeline
        with_it = ["pipeline=direct"] if member == "taps" else ["pipeline=likelihood"]
    if member in (
        "gaussian_anisotropic",
        "gaussian_correlated",
        "trajectory",
        "gp_trajectory",
        "photographic",
        "camera_kinds",
    ):
        with pytest.raises(UsageError, match=NO_STRENGTH):
            check([f"{group}={member}", "pipeline=likelihood"])
        return
    if member == "gpu":
        with pytest.raises(UsageError, match="no CUDA device"):
            check([f"{group}={member}", f"paths.runs_dir={tmp_path}"])
        return
    words = [f"{group}={member}", *with_it, *places]
    check([*dict.fromkeys(words)])


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["+typo=1"], "unknown key 'typo'"),
        (["+noise.sigmaa=0.1"], "unknown key 'noise.sigmaa', did you mean 'sigma'"),
        (["typo=1"], "unknown key 'typo'"),
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
        (["optimizer.factory.lr=-1"], "Invalid learning rate"),
        (["+experiment=messidor_binary", "blur.taps=20,x"], "blur.taps must be a number, got 'x'"),
    ],
)
def test_a_wrong_word_gets_one_line_that_helps(words: list[str], line: str) -> None:
    with pytest.raises(UsageError, match=line) as caught:
        check(words)
    assert "\n" not in str(caught.value)


def test_a_variant_is_named_after_the_deconvolver_of_its_job(levin_data: Path, tmp_path: Path) -> None:
    words = [f"paths.runs_dir={tmp_path}", f"paths.data_dir={levin_data}"]
    jobs = check(["+experiment=levin32", "deconvolver=glob(*)", *words])
    assert [cfg.run.variant for cfg in jobs] == options("deconvolver")
    assert "epll" in options("deconvolver") and "hydra" not in jobs[0]
    (cfg,) = check(["+experiment=restoration", "dataset=drive_chase", "deconvolver=wiener", *words])
    assert cfg.run.variant == "drive_chase.wiener"
    (cfg,) = check(["+experiment=levin32", "run.variant=mine", *words])
    assert cfg.run.variant == "mine"


def test_every_job_of_a_sweep_is_checked(tmp_path: Path) -> None:
    words = ["+experiment=messidor_binary", "blur.taps=20,10,3", "budget=smoke", f"paths.runs_dir={tmp_path}"]
    assert [cfg.blur.taps for cfg in check(words)] == [20, 10, 3]
    assert len(check(["deconvolver=glob(*)", f"paths.runs_dir={tmp_path}"])) == len(options("deconvolver"))
    with pytest.raises(UsageError, match="unknown head 'typo'"):
        check(["head=compact,typo", f"paths.runs_dir={tmp_path}"])


def test_a_users_own_folder_of_configuration_is_searched(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\nrun: {experiment: mine}\n")
    (cfg,) = check(["+experiment=mine", f"paths.runs_dir={tmp_path}"], str(tmp_path))
    assert cfg.run.experiment == "mine"


def test_budget_is_small_without_a_cuda_device_and_never_overrides_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert with_budget(["seed=1"])[0] == ["seed=1", "budget=small"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert with_budget(["budget=auto"])[0] == ["budget=full"]
    assert with_budget(["budget=smoke"]) == (["budget=smoke"], "")


def test_resume_replays_the_saved_command_line(tmp_path: Path) -> None:
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "overrides.yaml").write_text("- +experiment=messidor_hier\n- budget=smoke\n")
    words = with_resume([f"run.resume={tmp_path}"])
    assert words[:2] == ["+experiment=messidor_hier", "budget=smoke"]
    assert words[-1] == f"hydra.run.dir='{tmp_path}'"


def test_resume_refuses_other_settings(tmp_path: Path) -> None:
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "overrides.yaml").write_text("- budget=smoke\n")
    with pytest.raises(UsageError, match=r"noise.sigma=0.1 beside run.resume"):
        with_resume([f"run.resume={tmp_path}", "noise.sigma=0.1"])
    assert "run.keep=true" in with_resume([f"run.resume={tmp_path}", "run.keep=true"])


def test_resume_of_a_directory_that_no_run_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run directory"):
        with_resume([f"run.resume={tmp_path}"])


def test_an_unwritable_output_directory_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        check([f"paths.runs_dir={file}/runs"])
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    "words",
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


def test_a_process_tells_a_users_error_by_its_exit_status(tmp_path: Path) -> None:
    done = in_own_process("frobnicate", cwd=tmp_path)
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
    done = in_own_process("--help", cwd=tmp_path)
    assert done.returncode == 0
    assert all(group in done.stdout for group in groups())
    probe = (
        "import sys; from blurlab.cli.entry import help_text; help_text(); "
        "print(bool({'torch', 'hydra'} & {*sys.modules}))"
    )
    seen = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "False"


def test_configuration_lies_where_the_package_is() -> None:
    assert (conf_dir() / "run.yaml").is_file()
