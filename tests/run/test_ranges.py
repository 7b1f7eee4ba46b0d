"""Settings out of their range, or of another type, are refused before anything is read or written."""

from __future__ import annotations

import math
from typing import Any

import pytest
from fast_set import slow_where
from omegaconf import OmegaConf

from blurlab.run.command.compose import check
from blurlab.run.command.names import conf_dir
from blurlab.run.command.ranges import RANGES, check_ranges
from blurlab.run.errors import UsageError
from blurlab.run.setup.build import build


def scalars(group: str) -> set[str]:
    """Keys of a group, or of ``run``, whose values are no nodes."""
    files = [conf_dir() / "run.yaml"] if group == "run" else (conf_dir() / group).glob("*.yaml")
    nodes = [OmegaConf.to_container(OmegaConf.load(path), resolve=False) for path in files]
    nodes = [node["run"] for node in nodes] if group == "run" else nodes
    plain = [
        {key for key, value in node.items() if not isinstance(value, dict) and key not in ("defaults", "_target_")}
        for node in nodes
    ]
    with_null = {"source", "val_source", "test_source", "fallback"}  # nodes or null
    return set().union(*plain) - with_null


@pytest.mark.parametrize("group", ["run", "paths", "budget", "dataset", "optimizer", "boundary"])
def test_every_setting_that_belongs_to_no_class_has_a_rule(group: str) -> None:
    assert scalars(group) and scalars(group) <= {key.partition(".")[2] for key in RANGES if key.startswith(f"{group}.")}


RESTORER = ["stage=train_restore", "pipeline=known", "deconvolver=unrolled_dr"]
NO_COUNT = [-1, 1.5, "abc", None, True, math.nan, math.inf, []]
WRONG: dict[str, list[Any]] = {
    "run.experiment": [None, "", "../../../x", "a/b", ".hidden", "..", 3, ["a"], "x" * 151, "a\nb", "a\\b"],
    "run.variant": [None, "", "../x", 3],
    "run.paper": ["", "../x", 3],
    "run.seed": [-1, 1.5, None, "abc", True, 2**32],
    "run.keep": ["yes", None, 1],
    "run.progress": ["no", None],
    "run.resume": ["", 3],
    "paths.data_dir": [None, "", 3],
    "budget.name": [None, "a/b"],
    **{
        f"budget.{key}": [0, *NO_COUNT]
        for key in ("epochs", "steps_per_epoch", "batch_size", "draws_val", "draws_test", "draws_robust")
    },
    "budget.photos": [0, 1, 2, *NO_COUNT],
    "budget.draws_restore": NO_COUNT,
    "budget.pretrain_epochs": NO_COUNT,
    "budget.workers": [*NO_COUNT, 10**6],
    "budget.patterns": [1, *NO_COUNT],
    "budget.risk_strengths_px": [[100], [-5], 3, "abc", [], ["abc"], [math.nan], [True], None],
    "budget.risk_errors_px": [[100], [], [-1, 1], 0, "abc", [0, "abc"], None],
    "dataset.name": [None, "", "a/b"],
    "dataset.size": [0, *NO_COUNT],
    "dataset.channel": ["red", None, 3],
    "dataset.cut": ["middle", None],
    "dataset.strict": ["maybe", None, 1],
    "dataset.stops": ["maybe", None, 1],
    "dataset.scale": ["abc", 0.5, [1, 0.5], [0, 1], [0.5], [0.5, 1.5]],
    "boundary.data": ["mirror", None],
    "optimizer.factory.lr": [0, 0.0, -0.1, None, "abc", math.nan, math.inf, True],
    "optimizer.ema_decay": [2, 1, -0.1, None, "abc", math.nan],
    "optimizer.gradient_clip": [-1, 0, "abc", math.inf, True],
}


@pytest.mark.parametrize("key", WRONG)
def test_a_setting_out_of_its_range_is_named(key: str) -> None:
    for value in WRONG[key]:
        setting = value
        for part in reversed(key.split(".")):
            setting = {part: setting}
        with pytest.raises(UsageError, match=rf"{key} must be .*, got ") as caught:
            check_ranges(setting)
        assert "\n" not in str(caught.value)


OPTIONS = {"hop", "class_share", "step_px", "weak_share", "blur.include_none", "pipeline.weak_share", "unknown"}
COVERED = {*WRONG, *OPTIONS} - {"run.variant"}
"""First words of the messages of rules that the test above tries, and of options that a class refuses as it does those
of other cases."""


@pytest.mark.parametrize(
    ("words", "line"),
    slow_where(
        [
            (["budget.risk_strengths_px=[100]"], "budget.risk_strengths_px must be a list"),
            (["budget.risk_strengths_px=abc"], "budget.risk_strengths_px must be a list"),
            (["budget.photos=1"], "budget.photos must be a whole number from 3, got 1"),
            (["optimizer.factory.lr=0"], "optimizer.factory.lr must be a number above 0, got 0"),
            (["optimizer.ema_decay=2"], "optimizer.ema_decay must be a number from 0, less than 1, got 2"),
            (["run.variant=null"], "run.variant must be a name"),
            (["run.experiment=../../../x"], "run.experiment must be a name"),
            (["dataset.name=null"], "dataset.name must be a name"),
            (["dataset.strict=maybe"], "dataset.strict must be true or false, got 'maybe'"),
            (["run.keep=1"], "run.keep must be true or false, got 1"),
            (["noise.sigma=???"], r"noise.sigma has no value \(\?\?\?\); give it one"),
            (["noise.sigma=true"], "noise.sigma must be a number, got true"),
            (["noise.sigma=nan"], "noise.sigma must be a number, got nan"),
            (["head.hop=1.5"], "hop of Compact must be a whole number, got 1.5"),
            (["head.hop=.inf"], "hop of Compact must be a whole number|hop must be"),
            (["head.dropout=abc"], "head.dropout stands in none of the chosen files"),
            (["blur=taps", "pipeline=direct", "blur.include_none=yes1"], "blur.include_none must be true or false"),
            (["pipeline=grnn", "pipeline.weak_share=abc"], "pipeline.weak_share must be a number"),
            (
                ["noise=gaussian", "noise._target_=blurlab.blur.Motion", "~noise.sigma", "~noise.bsnr_db"],
                "length_px|noise",
            ),
            (["augment._target_=blurlab.noise.NoNoise"], "unknown option 'name'|augment must be a Corruption"),
            (
                ["pipeline=likelihood", "blur=three_kinds", "blur.members.gaussian.sigma_px=[1,300]"],
                "a kernel of 2401 px",
            ),
            (["stage=train_restore", "pipeline=known"], "TV has nothing to train"),
            (["stage.train=null"], "no stage before trains them"),
            (["stage=restore"], "trains none; name a finished run"),
            (["stage=restore", "pipeline=known", "budget.draws_restore=0"], "budget.draws_restore must be 1 or more"),
            (
                ["stage=restore", "pipeline=known", "deconvolver=unrolled_dr", "deconvolver.weights=null"],
                "has no weights",
            ),
            (
                ["dataset=levin09", "noise=captured", "boundary=captured", "blur=hier", "pipeline=likelihood"],
                "not identified",
            ),
            (["pipeline.class_share=-1"], "class_share must be above 0 and at most 1, got -1"),
            (["pipeline.step_px=-1"], "step_px must be above 0"),
            (["pipeline.candidate_step_px=1e-9"], "candidate_step_px must be above 0"),
            (["pipeline.weak_share=1.5"], "weak_share must be in"),
            (["dataset.size=48"], "dataset.size=48 does not suit the head: .* at least window=64"),
            (["dataset.size=63", "head=lenet"], "dataset.size=63 does not suit the head: .*input_size=64"),
            (["head.window=128", "dataset.size=96"], "dataset.size=96 does not suit the head"),
            (["head.hidden=0"], "width and hidden must be at least 1, got 8 and 0"),
            (["stage=robust", "stage.robustness.conditions.8.factor=1e9"], "factor must be above 0 and at most 16"),
            (["stage=restore", "stage.restore.run=nowhere"], "nowhere is no run directory"),
            (
                [*RESTORER, "stage.train.loss._target_=blurlab.noise.NoNoise"],
                "stage.train.loss cannot take two batches",
            ),
            ([*RESTORER, "stage.train.kernel_error={_target_: blurlab.learning.L1}"], "must be a KernelError or null"),
            (["stage=null"], "stage=null names no member of stage; known: answers, classify, default"),
            (
                [
                    "stage.train=null",
                    "stage.fit_parts=null",
                    "stage.calibrate=null",
                    "stage.evaluate=null",
                    "stage.report=null",
                ],
                "no stage is left to do",
            ),
            (["dataset=bsds500_test"], "has no photographs to train on"),
        ],
        lambda case: case[1].split()[0] in COVERED,
    ),
)
def test_what_would_end_a_run_later_is_found_before_it(words: list[str], line: str, tmp_path: Any) -> None:
    with pytest.raises(UsageError, match=line) as caught:
        check([*words, "budget=smoke", f"paths.runs_dir={tmp_path}", f"paths.cache_dir={tmp_path}"])
    assert "\n" not in str(caught.value) and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"window": 64.0}, "window of Compact must be a whole number, got 64.0"),
        ({"width": True}, "width of Compact must be a whole number, got True"),
        ({"dropout": "abc"}, "dropout of Compact must be a number, got 'abc'"),
        ({"dropout": math.nan}, "dropout of Compact must be a number, got nan"),
        ({"dropout": math.inf}, "dropout of Compact must be a number, got inf"),
        ({"windw": 64}, "unknown option 'windw' of Compact, did you mean 'window'?"),
    ],
)
def test_an_option_is_held_against_the_type_in_the_signature(options: dict[str, Any], line: str) -> None:
    with pytest.raises(UsageError, match=line.replace("?", r"\?")):
        build({"_target_": "blurlab.head.Compact", "num_classes": 2, **options})


def test_of_an_error_of_torch_the_message_alone_is_shown() -> None:
    with pytest.raises(UsageError, match="Overflow") as caught:
        build({"_target_": "blurlab.head.Compact", "num_classes": 2, "width": 10**30})
    assert "\n" not in str(caught.value) and "frame" not in str(caught.value)
