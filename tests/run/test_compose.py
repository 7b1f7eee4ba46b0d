"""Every member of every group of the configuration composes, and goes with the others or says why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from blurlab.run.command import engine_check
from blurlab.run.command.check import prepare_job
from blurlab.run.command.compose import check
from blurlab.run.command.member import member
from blurlab.run.command.names import conf_dir, groups, options
from blurlab.run.errors import UsageError


@pytest.mark.parametrize("experiment", options("experiment"))
def test_every_experiment_composes(
    experiment: str, levin_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLURLAB_RUNS", str(tmp_path))
    monkeypatch.setenv("BLURLAB_DATA", str(levin_data))
    (cfg,) = check([f"+experiment={experiment}"])
    assert cfg.run.experiment == experiment


NO_STRENGTH = "no one parameter for its strength"
VARIES = "varies over the image"
VARYING = dict.fromkeys(("field", "zernike_field", "operator_hull"), VARIES)
NOTHING = {
    "taps": "use blur=motion", "none": "neither kinds to tell apart nor a range", **VARYING,
    "gp_trajectory": "neither kinds to tell apart nor a range",
}  # fmt: skip
ANSWERS = {  # pipeline and blur -> what it says where it cannot
    "hierarchical": {
        "none": "no range|kind 'none' and others", "motion": "angle_deg from 0 to 180", "taps": "use pipeline=direct",
        "fspecial_motion": "angle_deg from 0 to 180", "gaussian_anisotropic": NO_STRENGTH,
        "three_kinds": "angle_deg from 0 to 180", "levin": NO_STRENGTH, "trajectory": NO_STRENGTH,
        "photographic": NO_STRENGTH, "gaussian_correlated": NO_STRENGTH, **VARYING,
        "camera_kinds": NO_STRENGTH, "gp_trajectory": NO_STRENGTH, "zernike": NO_STRENGTH,
        "odd_shake": NO_STRENGTH, "levin_mat": NO_STRENGTH, "shaken_and_soft": NO_STRENGTH,
    },
    "direct": {blur: "use blur=taps" for blur in options("blur") if blur != "taps"},
    "likelihood": {
        "taps": "use blur=motion", "gaussian_anisotropic": NO_STRENGTH, "levin": NO_STRENGTH, "trajectory": NO_STRENGTH,
        "photographic": NO_STRENGTH, "gaussian_correlated": NO_STRENGTH, **VARYING,
        "camera_kinds": NO_STRENGTH, "gp_trajectory": NO_STRENGTH, "zernike": NO_STRENGTH,
        "odd_shake": NO_STRENGTH, "levin_mat": NO_STRENGTH, "shaken_and_soft": NO_STRENGTH,
    },
    "photograph": {
        blur: f"must be none|neither kinds|{VARIES}|use blur=motion" for blur in options("blur")
        if blur not in ("hier", "camera_kinds")
    },
    "likelihood_release": {
        blur: f"must be mixtures|that are tried lack|{VARIES}" for blur in options("blur") if blur != "camera_kinds"
    },
    "known": dict.fromkeys(VARYING, "takes one kernel an image"),
    "kernel": VARYING,
    "quotient17": VARYING,
    "quotient": VARYING,
    "blind": dict.fromkeys(VARYING, "takes one kernel an image"),
    "union": dict.fromkeys(VARYING, f"takes one kernel an image|{VARIES}"),
    **{
        pipeline: {blur: "use blur=zernike" for blur in options("blur") if blur != "zernike"}
        for pipeline in ("aberrations", "aberrations_alone", "aberrations_network")
    },
    "regression": NOTHING,
    "regression_refined": {
        **NOTHING, "trajectory": "no image tells", "photographic": "no image tells", "camera_kinds": "no image tells",
        "odd_shake": "no image tells", "shaken_and_soft": "no image tells",
    },
    "grnn": NOTHING,
}  # fmt: skip


def composed(*words: str) -> Any:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return compose("run", overrides=list(words))


@pytest.fixture(scope="module")
def blurs(levin_data: Path) -> dict[str, Any]:
    """The configuration of each blur."""
    return {blur: composed(f"blur={blur}", f"paths.data_dir={levin_data}").blur for blur in options("blur")}


@pytest.mark.slow
@pytest.mark.parametrize("pipeline", options("pipeline"))
def test_every_pipeline_takes_a_blur_or_says_why_not(
    pipeline: str, blurs: dict[str, Any], levin_data: Path, tmp_path: Path
) -> None:
    words = [f"pipeline={pipeline}", f"paths.runs_dir={tmp_path}", f"paths.data_dir={levin_data}"]
    cfg = composed(*words, *(["stage=restore"] if pipeline == "known" else []))
    for blur, node in blurs.items():
        cfg.blur = node
        if blur in ANSWERS[pipeline]:
            with pytest.raises(UsageError, match=ANSWERS[pipeline][blur]):
                prepare_job(cfg)
        else:
            prepare_job(cfg)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("group", "member"),
    [(group, member) for group in groups() if group not in ("experiment", "paths") for member in options(group)],
)
def test_every_member_of_every_group_composes(
    group: str, member: str, levin_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if group in ("launcher", "hparams"):  # whether packages and commands are there is another matter
        monkeypatch.setattr(engine_check, "find_spec", lambda name: name)
        monkeypatch.setattr(engine_check.shutil, "which", lambda name: name)
    monkeypatch.setenv("BLURLAB_RUNS", str(tmp_path))
    monkeypatch.setenv("BLURLAB_DATA", str(levin_data))
    known = ["pipeline=known", "stage=restore"]
    with_it = {
        "direct": ["blur=taps"], "known": ["stage=restore"], "restore": ["pipeline=known"], "bsds500_test": known,
        "yan2016": ["head.window=32", "head.hop=16"],
        "microscopy": known, "chase_db1_test": known,
        "train_restore": ["pipeline=known", "deconvolver=unrolled_dr"], "kernel_quotient": ["pipeline=kernel"],
        "learning_to_deblur": ["pipeline=kernel", "blur=gp_trajectory"],
        "repeated_stage": ["pipeline=kernel", "blur=gp_trajectory"],
        "grow": ["pipeline=kernel", "blur=gp_trajectory", "head=learning_to_deblur", "optimizer=adadelta"],
        "likelihood_release": ["blur=camera_kinds"], "photograph": ["blur=camera_kinds"],
        "answers": ["pipeline=likelihood", "blur=three_kinds"],
        **{name: ["blur=zernike"] for name in ("aberrations", "aberrations_alone", "aberrations_network")},
        "kernels": ["pipeline=aberrations", "blur=zernike"],
        "kernels_trained": ["pipeline=aberrations_alone", "blur=zernike"],
        "robust_camera": ["pipeline=likelihood", "blur=three_kinds"],
        "levin": known, "levin_mat": known,
        **{blur: [*known, "deconvolver=douglas_rachford"] for blur in VARYING},
        "levin09": [*known, "noise=captured", "boundary=captured"],
        "levin09_mat": [*known, "noise=captured", "boundary=captured"],
        "captured": [*known, "noise=captured", "boundary=captured", "dataset=levin09"],
    }.get(member, [])  # fmt: skip
    cannot = {("blur", blur) for blur in ANSWERS["hierarchical"]} - {
        ("blur", blur) for blur in ("levin", "levin_mat", *VARYING)
    }
    if (group, member) in cannot:  # composed, then refused by the pipeline
        with_it = ["pipeline=direct"] if member == "taps" else ["pipeline=likelihood"]
    if member in (
        "gaussian_anisotropic",
        "gaussian_correlated",
        "trajectory",
        "gp_trajectory",
        "odd_shake",
        "photographic",
        "camera_kinds",
        "zernike",
        "shaken_and_soft",
    ):
        with pytest.raises(UsageError, match=NO_STRENGTH):
            check([f"{group}={member}", "pipeline=likelihood"])
        return
    if member in ("gpu", "fsdp", "mps"):
        with pytest.raises(UsageError, match=r"no CUDA device|no Mac with such a device"):
            check([f"{group}={member}"])
        return
    check([*dict.fromkeys([f"{group}={member}", *with_it])])


@pytest.mark.slow
def test_a_variant_is_named_after_the_deconvolver_of_its_job(levin_data: Path, tmp_path: Path) -> None:
    words = [f"paths.runs_dir={tmp_path}", f"paths.data_dir={levin_data}"]
    jobs = check(["+experiment=levin32", "deconvolver=glob(*)", *words])
    assert [cfg.run.variant for cfg in jobs] == options("deconvolver")
    assert "epll" in options("deconvolver") and "hydra" not in jobs[0]
    (cfg,) = check(["+experiment=restoration", "dataset=drive_chase", "deconvolver=wiener", *words])
    assert cfg.run.variant == "drive_chase.wiener"
    (cfg,) = check(["+experiment=levin32", "run.variant=mine", *words])
    assert cfg.run.variant == "mine"


@pytest.mark.slow
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


def test_configuration_lies_where_the_package_is() -> None:
    assert (conf_dir() / "run.yaml").is_file()


@pytest.mark.parametrize("name", options("deconvolver"))
def test_a_member_by_itself_is_what_hydra_composes(name: str) -> None:
    """With the networks and other deconvolvers that its defaults name."""
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = compose("run", [f"deconvolver={name}", "budget=small"])
    assert member("deconvolver", name) == OmegaConf.to_container(cfg.deconvolver, resolve=True)


def test_a_member_that_sets_other_groups_is_none_by_itself() -> None:
    with pytest.raises(UsageError, match="head lenet sets other groups too"):
        member("head", "lenet")
