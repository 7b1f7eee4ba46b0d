"""The paper's network from training to record, and on to a larger kernel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from rich.console import Console

from blurlab.blur import GPTrajectory
from blurlab.head import KernelSquares, LearningToDeblur
from blurlab.learning import load_net
from blurlab.pipeline import FreeKernel
from blurlab.pipeline.shipped import save_nets
from blurlab.run.command.compose import check
from blurlab.run.command.job import run
from blurlab.run.errors import UsageError

TINY = [
    "+experiment=schuler2016", "dataset=bundled", "dataset.size=48", "blur.unit_px=9", "head.pairs=[1,1]",
    "head.filters=6", "head.hidden=6", "stage.train.growing.shares=[0.5]", "deconvolver=wiener", "budget=smoke",
    "budget.epochs=2", "budget.steps_per_epoch=2", "budget.batch_size=4", "budget.draws_val=1", "budget.draws_test=1",
    "run.progress=false", "logger=csv", "trainer=cpu",
]  # fmt: skip


def config(folder: Path, *words: str) -> object:
    places = {"runs_dir": "runs", "cache_dir": "cache", "data_dir": "none", "experiments_dir": "kept"}
    (cfg,) = check([*TINY, *(f"paths.{name}={folder / place}" for name, place in places.items()), *words])
    return cfg


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("schuler")
    run(config(folder), folder / "run", Console(quiet=True))
    return folder / "run"


def test_a_run_trains_every_stage_and_measures_kernels(finished: Path) -> None:
    record = json.loads((finished / "record.json").read_text())
    assert record["training"]["kernel"]["steps"] == 4
    assert {"psf_snr_estimated", "psf_snr_gain"} <= set(record["metrics"])
    last = torch.load(finished / "stages" / "train_kernel" / "last.ckpt", weights_only=True)
    assert last["state_dict"]["net.in_use"].tolist() == [2] and last["mean_loss"] > 0


@pytest.mark.slow
def test_a_run_of_larger_kernels_goes_on_from_it(finished: Path, tmp_path: Path) -> None:
    start = finished / "stages" / "train_kernel" / "best.ckpt"
    words = [f"stage.train.start={start}", "blur.unit_px=13", "head.sides_px=[9,13]", "optimizer.factory.lr=1e-12"]
    run(config(tmp_path, *words), tmp_path / "run", Console(quiet=True))
    net = LearningToDeblur(13**2, pairs=(1, 1), filters=6, hidden=6, sides_px=(9, 13))
    load_net(net, tmp_path / "run" / "stages" / "train_kernel" / "best.ckpt")
    before = torch.load(start, weights_only=True)["state_dict"]
    torch.testing.assert_close(net.scales[0][0].filters.detach(), before["net.scales.0.0.filters"], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["stage.train.growing.shares=[0.3,0.5]"], "must be 1 for a head of 2 stages"),
        (["stage.train.start=nowhere.ckpt"], "nowhere.ckpt is no file"),
        (["optimizer=adamw"], "set optimizer.ema_decay=0"),
    ],
)
def test_what_cannot_grow_is_refused_before_the_run(tmp_path: Path, words: list[str], line: str) -> None:
    with pytest.raises(UsageError, match=line):
        config(tmp_path, *words)


def test_another_head_does_not_grow(tmp_path: Path) -> None:
    words = [word for word in TINY if not word.startswith("head.")]
    with pytest.raises(UsageError, match="is for head=learning_to_deblur, not KernelQuotient"):
        check([*words, "head=kernel_quotient", f"paths.runs_dir={tmp_path}"])


def test_weights_estimate_kernels_of_their_own_size_without_training(tmp_path: Path) -> None:
    torch.manual_seed(0)

    def head(num_classes: int) -> LearningToDeblur:
        return LearningToDeblur(num_classes, pairs=(1, 1), filters=6, hidden=6, filter_px=5)

    net, path = head(81).eval(), tmp_path / "some.safetensors"
    save_nets({"kernel": net}, path, {})
    pipeline = FreeKernel(GPTrajectory(17), KernelSquares, size=9, head=head, weights=str(path))
    y = torch.rand(2, 1, 40, 40)
    estimate = pipeline.identify(y, {}, {})
    assert pipeline.tasks == () and estimate.psf.shape == (2, 1, 9, 9)
    expected = net(y).exp().reshape(2, 1, 9, 9).detach()
    torch.testing.assert_close(estimate.psf.detach(), expected / expected.sum((2, 3), keepdim=True), rtol=0, atol=5e-3)
    with pytest.raises(ValueError, match="holds another network"):
        FreeKernel(GPTrajectory(17), KernelSquares, size=9, head=LearningToDeblur, weights=str(path))
    with pytest.raises(ValueError, match="give the head"):
        FreeKernel(GPTrajectory(17), size=9, weights=str(path))
    with pytest.raises(ValueError, match=r"set blur\.size=9"):
        FreeKernel(GPTrajectory(17), size=9)
