"""Whether answers can be trusted: the figures of items that were named, and the stage that makes them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch
from cli_run import in_process
from test_summary import made

from blurlab.blur import Defocus, pad_to_odd
from blurlab.dataset import Degrade
from blurlab.deconvolver import Wiener
from blurlab.noise import Gaussian
from blurlab.pipeline import Likelihood, Pipeline
from blurlab.pipeline.estimate import by_kernel
from blurlab.run.command.compose import check
from blurlab.run.errors import UsageError
from blurlab.run.record.answers import answers, outcomes, reliability_table
from blurlab.run.record.rows import Item
from blurlab.run.stage.kernels import PSF_SNR_CEILING_DB, restore_items


def restored(kind: str, found: str, gain: float) -> Item:
    return made(kind, 3.0, found, restorations={"estimated": {"isnr": gain}})


ITEMS = [
    made("none", 0.0, "none", probability=0.95),
    made("none", 0.0, "motion", probability=0.85),
    made("none", 0.0, "motion", probability=0.34, answered=False),
    made("motion", 5.0, "motion", probability=0.85),
    made("defocus", 2.5, "motion", probability=0.95),
]


def test_shares_count_what_their_names_say() -> None:
    found = {name: entry["value"] for name, entry in answers(ITEMS).items()}
    assert found["answered"] == pytest.approx(4 / 5)
    assert found["kind_accuracy_answered"] == pytest.approx(2 / 4)
    assert found["sharp_called_blurred"] == pytest.approx(1 / 3)
    assert found["calibration_error"] == pytest.approx((2 * abs(0.5 - 0.85) + 2 * abs(0.5 - 0.95)) / 4)
    silent = answers([made("motion", 5.0, "motion", answered=False)])
    assert silent["answered"]["value"] == 0 and set(silent) == {"answered", "kind_accuracy_answered"}


def test_the_table_has_the_bins_that_hold_answers() -> None:
    table = reliability_table(ITEMS)
    assert [(row["low"], row["high"], row["n"], row["right"]) for row in table] == [
        (0.8, 0.9, 2, 0.5),
        (0.9, 1.0, 2, 0.5),
    ]


def test_outcomes_are_of_restored_items_and_gains_of_blurred_ones() -> None:
    items = [
        *ITEMS,
        restored("motion", "motion", 3.0),
        restored("motion", "defocus", -0.2),
        restored("none", "motion", -9.0),
    ]
    found = {name: entry["value"] for name, entry in outcomes(items, 0).items()}
    assert found["restored_better"] == pytest.approx(1 / 3) and found["restored_not_worse"] == pytest.approx(2 / 3)
    assert found["isnr"] == pytest.approx(1.4) and found["isnr/motion"] == pytest.approx(1.4)
    assert found["isnr/none"] == pytest.approx(-9.0)
    assert outcomes(ITEMS, 0) == {}


def test_a_pipeline_that_names_no_blur_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="names no blur"):
        check(["stage=answers", "pipeline=kernel", "blur=trajectory", "run.resume=null", f"paths.runs_dir={tmp_path}"])


@pytest.mark.slow
def test_the_stage_identifies_and_restores_as_the_tool_does(tmp_path: Path) -> None:
    words = ["+experiment=camera_bsds", "dataset=bundled", "dataset.size=96", "dataset.channel=rgb", "budget=smoke"]
    words += [
        "budget.photos=6",
        "budget.draws_restore=3",
        "run.progress=false",
        "logger=csv",
        "deconvolver.iterations=3",
    ]
    done = in_process(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "runs" / "camera_bsds").iterdir()
    record = json.loads((folder / "record.json").read_text())
    names = {"kind_accuracy_answered", "answered", "calibration_error", "restored_better", "restored_not_worse", "isnr"}
    assert names <= set(record["metrics"])
    assert sum(map(sum, record["confusion"]["type"]["matrix"])) == record["metrics"]["answered"]["n"]
    assert sum(row["n"] for row in record["reliability"]) == record["metrics"]["calibration_error"]["n"]
    with (folder / "per_image.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == record["metrics"]["answered"]["n"] and {row["answered"] for row in rows} <= {"0", "1"}
    left = [row for row in rows if row["answered"] == "0" or row["found_kind"] == "none"]
    assert all(row.get("isnr_estimated", "") == "" for row in left)


def test_an_estimate_may_have_a_larger_kernel_than_the_truth() -> None:
    family = Defocus(2.0)
    sharp = torch.rand(1, 1, 40, 44, generator=torch.Generator().manual_seed(0))
    truth = Degrade(family, Gaussian(sigma=0.01), "valid")(sharp, generator=torch.Generator().manual_seed(1))
    every, blurred = torch.arange(1), torch.ones(1, dtype=torch.bool)
    used = {
        "oracle": (every, by_kernel(truth.psf, blurred)),
        "estimated": (every, by_kernel(pad_to_odd(truth.psf, 15), blurred)),
    }
    item = made("defocus", 4.0, "defocus")
    restore_items(Pipeline(Likelihood(family), {}, {}, Wiener()), truth, used, [item])
    assert item.figure("psf_snr", "estimated") == PSF_SNR_CEILING_DB
    assert item.figure("isnr", "estimated") == pytest.approx(item.figure("isnr", "oracle"), abs=0.1)
