"""Items restored with a known kernel, or with a known and an estimated one: stage, record, resume, refusals."""

from __future__ import annotations

import csv
import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fast_set import slow_where
from PIL import Image
from rich.console import Console

from blurlab.blur import pad_to_odd
from blurlab.core.image_io import read_image
from blurlab.deconvolver import TV
from blurlab.metric import align, psnr
from blurlab.report import write_report_md
from blurlab.run.command.compose import check
from blurlab.run.command.job import run
from blurlab.run.errors import UsageError
from blurlab.run.stage import restore as restoration

LEVIN = ["+experiment=levin32", "dataset.size=56"]
QUICK = ["budget=smoke", "run.progress=false", "logger=csv", "trainer=cpu"]


def config(data: Path, folder: Path, *words: str) -> Any:
    places = {
        "data_dir": data,
        "runs_dir": folder / "runs",
        "experiments_dir": folder / "kept",
    }
    (cfg,) = check([*words, *QUICK, *(f"paths.{name}={place}" for name, place in places.items())])
    return cfg


def started(data: Path, folder: Path, *words: str) -> dict[str, Any]:
    cfg = config(data, folder, *words)
    return json.loads(run(cfg, folder / "run", Console(quiet=True)).read_text())


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "run" / "per_image.csv").open() as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def levin(levin_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("levin")
    started(levin_data, folder, *LEVIN, "deconvolver=tv", "run.keep=true")
    return folder


def test_every_capture_has_its_line_and_the_mean_is_the_records(levin: Path) -> None:
    rows = rows_of(levin)
    assert [(row["photo"], row["kind"]) for row in rows] == [
        (f"gt/im{i}.png", f"kernel{k}") for i in range(1, 5) for k in range(1, 9)
    ]
    kept = json.loads((levin / "run" / "record.json").read_text())
    for name in ("psnr", "ssim", "isnr"):
        mean = sum(float(row[name]) for row in rows) / 32
        assert kept["metrics"][name]["value"] == pytest.approx(mean, abs=1e-4)
        assert kept["metrics"][name]["n"] == 32
    assert kept["metrics"]["isnr"]["value"] > 3
    assert kept["metrics"]["restore_s"]["value"] > 0
    assert kept["limit"]["psnr"]["value"] == kept["metrics"]["psnr_oracle_wiener"]["value"]
    assert not any(name.endswith(("estimated", "border16")) for name in kept["metrics"])


def test_the_record_says_that_nothing_was_trained_and_the_blur_is_a_cameras(levin: Path) -> None:
    kept = json.loads((levin / "kept" / "nonblind" / "results" / "smoke" / "levin32.tv.json").read_text())
    assert [kept["dataset"][key] for key in ("name", "train", "val", "test")] == ["levin09", 0, 0, 4]
    assert kept["blur"]["folder"] == "${paths.data_dir}/levin09/gt"  # no path of this machine
    assert kept["variant"] == "tv" and kept["boundary"] == {"data": "captured", "solver": "unknown"}
    assert kept["noise"] == {"_target_": "blurlab.noise.Captured"} and not kept["inverse_crime"]


def test_a_line_is_what_the_parts_give_with_the_turned_kernel_and_the_sigma_measured(
    levin: Path, levin_data: Path
) -> None:
    files = levin_data / "levin09"
    kernel = torch.from_numpy(read_image(files / "gt" / "kernel3.png")[..., 0].copy()).flip(0, 1)
    x, y = (
        torch.from_numpy(read_image(files / name).transpose(2, 0, 1))[None]
        for name in ("gt/im2.png", "im2_kernel3_img.png")
    )
    image = TV()(y, pad_to_odd(kernel / kernel.sum(), 7)[None, None]).image
    moved = align(image, x)
    row = next(row for row in rows_of(levin) if row["photo"] == "gt/im2.png" and row["kind"] == "kernel3")
    assert float(row["psnr"]) == pytest.approx(float(psnr(moved.x_hat, moved.x)), abs=1e-3)
    assert [float(row["shift_down_px"]), float(row["shift_right_px"])] == moved.shift_px[0].tolist()


def test_pictures_are_corners_on_the_page_without_an_estimated_kernel(levin: Path) -> None:
    kept = json.loads((levin / "run" / "record.json").read_text())
    assert len(kept["examples"]) == restoration.PICTURES
    assert len({example["photo"] for example in kept["examples"]}) == 4
    for example in kept["examples"]:
        assert np.asarray(Image.open(levin / "run" / example["oracle"])).shape == (56, 56)
    page = (levin / "run" / "report.html").read_text()
    assert page.count("data:image/png") == 3 * restoration.PICTURES
    assert (
        "true kernel: kernel1" in page and "estimated" not in page.split("and restored</h2>")[1].split("</section>")[0]
    )


@pytest.mark.slow
def test_a_killed_stage_goes_on_with_the_next_item(
    levin: Path, levin_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, whole = [], restoration.restore_one

    def until(last: int) -> None:
        def restore_one(context: Any, items: Any, index: int, *rest: Any) -> Any:
            if index == last:
                raise KeyboardInterrupt
            made.append(index)
            return whole(context, items, index, *rest)

        monkeypatch.setattr(restoration, "restore_one", restore_one)

    until(11)
    with pytest.raises(KeyboardInterrupt):
        started(levin_data, tmp_path, *LEVIN)
    with (tmp_path / "run" / "stages" / "restore" / restoration.DONE).open("a") as lines:
        lines.write('{"figures": {"photo": ')  # as a kill in the middle of a write leaves it
    until(-1)
    started(levin_data, tmp_path, *LEVIN)
    assert made == list(range(32))
    plain = [{key: value for key, value in row.items() if key != "restore_s"} for row in rows_of(tmp_path)]
    assert plain == [{key: value for key, value in row.items() if key != "restore_s"} for row in rows_of(levin)]


@pytest.mark.slow
def test_one_record_a_deconvolver_and_one_table_best_first(levin: Path, levin_data: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept" / "nonblind"
    shutil.copytree(levin / "kept", tmp_path / "kept")
    started(levin_data, tmp_path, *LEVIN, "deconvolver=wiener", "run.keep=true")
    assert sorted(file.name for file in kept.rglob("*.json")) == ["levin32.tv.json", "levin32.wiener.json"]
    (kept / "published.csv").write_text("experiment,variant,metric,value,n,unit,source,note\n")
    table = write_report_md(kept).read_text().split("<details>")[1]
    psnr_db = {
        name: json.loads((kept / "results" / "smoke" / f"levin32.{name}.json").read_text())["metrics"]["psnr"]["value"]
        for name in ("tv", "wiener")
    }
    best, other = sorted(psnr_db, key=lambda name: -psnr_db[name])
    assert table.index(f"| [{best}](") < table.index(f"| [{other}](")
    assert "PSNR (dB)" in table and "Time to restore one image" in table


@pytest.mark.slow
def test_photographs_degraded_here_have_frame_and_inside_and_every_kernel_of_the_folder(
    levin_data: Path, tmp_path: Path
) -> None:
    for i in range(12):
        pixels = np.random.default_rng(i).integers(0, 256, (9, 12, 3), dtype=np.uint8)
        path = tmp_path / "data" / "bsds500" / "test" / f"{100 + i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).resize((96, 72), Image.Resampling.BICUBIC).save(path)
    (tmp_path / "data" / "levin09").symlink_to(levin_data / "levin09")
    words = ["+experiment=bsds_levin", "dataset.test_source.count=10", "dataset.size=48", "deconvolver=wiener"]
    kept = started(tmp_path / "data", tmp_path, *words)
    rows = rows_of(tmp_path)
    assert len(rows) == len({row["photo"] for row in rows}) == 10 and len({row["kind"] for row in rows}) > 3
    assert {float(row["sigma"]) for row in rows} == {0.01}
    assert {"isnr_border16", "isnr_interior", "psnr_oracle_wiener"} <= kept["metrics"].keys()
    whole, frame, inside = (float(rows[0][name]) for name in ("isnr", "isnr_border16", "isnr_interior"))
    assert min(frame, inside) <= whole <= max(frame, inside)


def test_the_pairs_of_a_set_of_captures_are_degraded_here_where_noise_and_border_are_not_the_cameras(
    levin_data: Path, tmp_path: Path
) -> None:
    words = ["+experiment=levin_synthetic", "dataset.size=50", "deconvolver=wiener"]
    kept = started(levin_data, tmp_path / "png", *words)
    rows = rows_of(tmp_path / "png")
    assert [(row["photo"], row["kind"]) for row in rows] == [
        (f"gt/im{i}.png", f"kernel{k}") for i in range(1, 5) for k in range(1, 9)
    ]
    assert {float(row["sigma"]) for row in rows} == {0.01}
    assert "isnr_border16" in kept["metrics"] and kept["boundary"] == {"data": "valid", "solver": "unknown"}
    started(levin_data, tmp_path / "mat", *words, "dataset=levin09_mat", "blur=levin_mat")
    double = rows_of(tmp_path / "mat")
    assert [row["photo"] for row in double] == [f"mat/im0{i}_ker0{k}.mat" for i in range(1, 5) for k in range(1, 9)]
    for one, other in zip(rows, double, strict=True):  # the same blur of the same picture; the noise differs
        assert float(one["psnr_blurred"]) == pytest.approx(float(other["psnr_blurred"]), abs=0.3)


@pytest.mark.slow
def test_with_a_pipeline_the_same_items_have_the_estimated_kernel_beside_the_true_one(tmp_path: Path) -> None:
    words = ["+experiment=restoration", "dataset=bundled", "dataset.size=96", "budget.draws_restore=3"]
    kept = started(tmp_path, tmp_path, *words)
    assert kept["variant"] == f"{kept['dataset']['name']}.tv"
    assert {"isnr_oracle", "isnr_estimated", "ssim_oracle", "ssim_estimated", "restore_s"} <= kept["metrics"].keys()
    assert kept["limit"]["isnr_estimated"]["value"] == kept["metrics"]["isnr_oracle"]["value"]
    rows = rows_of(tmp_path)
    assert rows and all(row["kind"] in ("defocus", "motion") for row in rows)
    assert all(math.isfinite(float(row["isnr_estimated"])) for row in rows)
    assert {"oracle", "estimated_image", "estimated"} <= kept["examples"][0].keys()


@pytest.mark.parametrize(
    ("words", "line"),
    slow_where(
        [
            ([*LEVIN, "noise=gaussian"], "is a camera's own, noise=Gaussian is not"),
            ([*LEVIN, "boundary=valid"], "is a camera's own, boundary=valid is not"),
            (["boundary=captured"], "boundary=captured is a camera's own"),
            ([*LEVIN, "stage=default"], "identifies nothing, but these stages ask it"),
            ([*LEVIN, "pipeline=likelihood", "blur=motion", "stage=default"], "can be restored, not identified"),
            (
                ["+experiment=bsds_levin", "pipeline=hierarchical", "blur=hier"],
                "name a finished run by stage.restore.run=",
            ),
            (["dataset=bsds500_test"], "no photographs to train on"),
        ],
        lambda case: "boundary=valid" in case[0] or case[0][0] == "dataset=bsds500_test",
    ),
)
def test_what_does_not_go_together_is_refused_before_the_run(
    words: list[str], line: str, levin_data: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=line):
        config(levin_data, tmp_path, *words)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["blur=taps", "blur.taps=3"],
            "was taken through kernel1, and this run's blurs are none, taps; use blur=levin",
        ),
        (["stage.restore.run=nowhere"], "nowhere is no run directory"),
        (["dataset.size=60"], "none of 4 photographs can be used"),
    ],
)
def test_what_only_the_data_show_is_refused_by_the_run(
    words: list[str], line: str, levin_data: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=line):
        started(levin_data, tmp_path, *LEVIN, *words)


HALF = [b"{}\n", b"3\n", b"\xff\xfe\n", b"\0\0\0", b'{"item": {"blur": 3}, "example": null}\n']


@pytest.mark.parametrize("left", HALF)
def test_lines_that_a_kill_left_half_written_are_done_again(left: bytes, tmp_path: Path) -> None:
    whole = b'{"item": null, "example": null}\n'
    (tmp_path / restoration.DONE).write_bytes(whole + left)
    assert len(restoration.so_far(tmp_path / restoration.DONE)) == 1
    assert (tmp_path / restoration.DONE).read_bytes() == whole


@pytest.mark.parametrize("damage", ["", "[]", '{"name": "dri'])
def test_a_damaged_note_of_the_photographs_of_another_run_is_named(damage: str, tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text(damage)
    with pytest.raises(UsageError, match=r"data\.json is damaged; put it back, or name another run"):
        restoration._same_photographs(tmp_path, context=None)  # type: ignore[arg-type]  # the file is read first


FIELD = ["blur=field", "pipeline=known", "stage=restore", "dataset=bundled", "dataset.size=48", "~stage.report"]


@pytest.mark.slow
def test_a_blur_that_varies_over_the_image_is_restored(tmp_path: Path) -> None:
    solver = ["deconvolver=douglas_rachford", "deconvolver.iterations=10", "budget.draws_restore=1"]
    kept = started(tmp_path, tmp_path, *FIELD, *solver)
    assert kept["metrics"]["isnr"]["value"] > 1
    assert "psnr_oracle_wiener" not in kept["metrics"]
    assert {row["kind"] for row in rows_of(tmp_path)} == {"defocus_field"}


@pytest.mark.slow
def test_a_network_is_trained_on_the_operators_of_a_blur_that_varies(tmp_path: Path) -> None:
    words = [
        *(word for word in FIELD if word != "stage=restore"), "stage=train_restore", "deconvolver=unrolled_dr",
        "deconvolver.weights=null", "deconvolver.net.iterations=2", "deconvolver.net.denoiser.channels=[4,8]",
        "budget.epochs=1", "budget.steps_per_epoch=2", "budget.batch_size=1", "budget.draws_val=1",
        "budget.draws_restore=1", "blur.kernels=2", "dataset.size=48",
    ]  # fmt: skip
    with pytest.raises(UsageError, match="kernel_error is one of kernels, and the blur varies over the image"):
        config(tmp_path, tmp_path, *words, "stage.train.kernel_error={_target_: blurlab.learning.KernelError}")
    kept = started(tmp_path, tmp_path, *words)
    assert kept["training"]["deconvolver"]["steps"] == 2 and kept["metrics"]["isnr"]["value"] > 0


def test_a_deconvolver_of_one_kernel_an_image_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the blur varies over the image, and TV takes one kernel an image; use"):
        config(tmp_path, tmp_path, *FIELD, "deconvolver=tv")
