"""A kernel without a name: its estimate, and a whole run from training to record."""

from __future__ import annotations

import csv
import json
from functools import partial
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch import nn

from blurlab.blur import Trajectory
from blurlab.core.rng import generator
from blurlab.deconvolver import Wiener
from blurlab.head import KernelQuotient, KernelSquares, RepeatedStage
from blurlab.head.repeated_stage import MARGIN_PX
from blurlab.metric import psf_snr
from blurlab.physics import Convolution
from blurlab.pipeline import Blind, FreeKernel, Pipeline
from blurlab.run.command.compose import check
from blurlab.run.command.job import run
from blurlab.run.errors import UsageError

FAMILY = Trajectory([0.5, 1], 12, size=13)


class Tells(nn.Module):
    """Outputs whose softmax are these kernels."""

    def __init__(self, psf: torch.Tensor) -> None:
        super().__init__()
        self.output = psf.clamp_min(1e-12).log().flatten(1)

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        return self.output[: len(y)]


def scenes(count: int) -> torch.Tensor:
    """Discs of random place, size and brightness, one over the other."""
    draw = generator("scenes")
    at = torch.arange(64.0)
    x = torch.zeros(count, 1, 64, 64)
    for _ in range(60):
        row, column = 64 * torch.rand(2, count, 1, 1, 1, generator=draw)
        radius, value = (
            2 + 12 * torch.rand(count, 1, 1, 1, generator=draw),
            torch.rand(count, 1, 1, 1, generator=draw),
        )
        x = torch.where((at[:, None] - row) ** 2 + (at - column) ** 2 < radius**2, value, x)
    return x


def test_the_estimate_is_the_kernel_and_nothing_is_named() -> None:
    psf = FAMILY.sample(3, generator=generator("kernels")).psf
    y = scenes(3)
    y[1] = 0.5  # tells nothing
    pipeline = Pipeline(FreeKernel(FAMILY), {"kernel": Tells(psf[[0, 2]])}, {}, Wiener())
    assert pipeline.identifier.scorer is None
    done = pipeline(y, 0.01)
    estimate = done.estimate
    assert estimate.label is None and estimate.blurred.tolist() == [True, False, True]
    torch.testing.assert_close(estimate.psf[[0, 2]], psf[[0, 2]], rtol=1e-3, atol=1e-5)
    assert torch.equal(done.image[1], y[1]) and not torch.equal(done.image[0], y[0])
    torch.testing.assert_close(done.image[[0, 2]], Wiener()(y[[0, 2]], estimate.psf[[0, 2]], 0.01).image)


def test_one_network_is_told_the_side_of_each_kernel() -> None:
    head = partial(RepeatedStage, pairs=4)
    found = FreeKernel(FAMILY, KernelSquares, head=head, weights="quotient")
    told = found.told_size(9)
    y = scenes(1)
    assert told.tasks == () and told.identify(y, {}, {}).psf.shape[-1] == 9 + MARGIN_PX
    assert found.told_size(3).identify(y, {}, {}).psf.shape[-1] == 5 + MARGIN_PX  # the smallest
    assert found.identify(y, {}, {}).psf.shape[-1] == FAMILY.size  # as it was
    named = FreeKernel(FAMILY, KernelSquares, size=11, head=head, weights="quotient")
    assert named.told_size(9).identify(y, {}, {}).psf.shape[-1] == 11
    with pytest.raises(ValueError, match="kernels of any side"):
        FreeKernel(FAMILY).of_side(9)


def test_the_start_of_a_blind_method_is_told_the_side_too() -> None:
    start = partial(FreeKernel, target=KernelSquares, head=RepeatedStage, weights="quotient")
    told = Blind(FAMILY, start=start).told_size(7)
    assert isinstance(told.start, FreeKernel) and told.start.target.size == 7 + MARGIN_PX
    named = Blind(FAMILY, size=21, start=start).told_size(7)
    assert isinstance(named.start, FreeKernel) and named.start.target.size == 21 + MARGIN_PX
    with pytest.raises(ValueError, match="odd"):
        FreeKernel(FAMILY, KernelSquares, head=RepeatedStage, weights="quotient").told_size(8)


@pytest.mark.slow
def test_the_head_learns_kernels_that_it_can_see() -> None:
    torch.manual_seed(0)
    identifier, draw = FreeKernel(FAMILY), generator("learn")
    (task,) = identifier.tasks
    psf = FAMILY.sample(8, generator=draw).psf
    y = Convolution(psf, "valid").A(scenes(8))
    net = KernelQuotient(len(task.target), channels=(8, 16), refine=8)
    optimizer = torch.optim.AdamW(net.parameters(), lr=5e-3)
    for _ in range(60):
        read = task.target.read(net(y))
        loss = (read - psf).square().sum((1, 2, 3)) / psf.square().sum((1, 2, 3))
        optimizer.zero_grad()
        loss.mean().backward()
        optimizer.step()
    with torch.no_grad():
        found = identifier.identify(y, {"kernel": net}, {}).psf
    constant = psf.mean(0, keepdim=True).expand_as(psf)
    assert float((psf_snr(found, psf) - psf_snr(constant, psf)).mean()) > 3


TINY = [
    "+experiment=free_kernel", "dataset=bundled", "dataset.size=48", "blur.length_px=8", "blur.size=9",
    "head.channels=[4,8]", "head.refine=4", "deconvolver=wiener", "budget=smoke", "budget.epochs=1",
    "budget.steps_per_epoch=2", "budget.batch_size=4", "budget.draws_val=1", "budget.draws_test=1",
    "run.progress=false", "logger=csv", "trainer=cpu",
]  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("free")
    run(config(folder), folder / "run", Console(quiet=True))
    return folder / "run"


def config(folder: Path, *words: str) -> object:
    places = {"runs_dir": "runs", "cache_dir": "cache", "data_dir": "none", "experiments_dir": "kept"}
    (cfg,) = check([*TINY, *(f"paths.{name}={folder / place}" for name, place in places.items()), *words])
    return cfg


@pytest.mark.slow
def test_a_run_measures_kernels_beside_the_constant_one_and_names_nothing(finished: Path) -> None:
    record = json.loads((finished / "record.json").read_text())
    metrics = record["metrics"]
    assert {"psf_snr_estimated", "psf_snr_constant", "psf_snr_gain", "isnr_estimated", "isnr_oracle"} <= set(metrics)
    gain = metrics["psf_snr_estimated"]["value"] - metrics["psf_snr_constant"]["value"]
    assert metrics["psf_snr_gain"]["value"] == pytest.approx(gain, abs=1e-6)
    assert not any("accuracy" in name for name in metrics) and "confusion" not in record
    assert record["examples"][0]["estimated"] == "a kernel of 9x9 px"
    with (finished / "per_image.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    mean = sum(float(row["psf_snr_estimated"]) for row in rows) / len(rows)
    assert mean == pytest.approx(metrics["psf_snr_estimated"]["value"], abs=1e-4)
    assert not any(name.startswith("found") for name in rows[0]) and (finished / "report.html").is_file()


@pytest.mark.slow
def test_training_logs_the_figure_of_a_kernel_by_its_name(finished: Path) -> None:
    (log,) = finished.rglob("metrics.csv")
    names = log.read_text().splitlines()[0].split(",")
    assert {"val_psf_snr", "val_loss"} <= set(names) and "val_accuracy" not in names


def test_what_names_no_blur_is_not_tried_on_other_conditions(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="this pipeline names no blur"):
        config(tmp_path, "stage=robust")
