"""A kernel estimated without a network: what the member hands on, and a whole run to its record."""

from __future__ import annotations

import csv
import json
from functools import partial
from pathlib import Path

import pytest
import torch
from rich.console import Console

from blurlab.blind import blind_kernel
from blurlab.blur import BlurFamily, Motion, recorded_kernels
from blurlab.core.rng import generator
from blurlab.dataset import Degrade
from blurlab.deconvolver import Wiener
from blurlab.metric import kernel_correlation
from blurlab.noise import Gaussian
from blurlab.physics import Convolution
from blurlab.pipeline import Blind, FreeKernel, Identifier, Pipeline, Task
from blurlab.pipeline.estimate import by_kernel
from blurlab.run.command.compose import check
from blurlab.run.command.job import run
from blurlab.run.record.blind import blind_figures, kernel_side

FAMILY = Motion([3, 5], 30)


def texture(channels: int) -> torch.Tensor:
    x = torch.rand(2, channels, 24, 24, generator=generator("texture")).repeat_interleave(2, 2).repeat_interleave(2, 3)
    return Convolution(torch.full((1, 1, 1, 3), 1 / 3), "reflect").A(x)


@pytest.mark.slow
def test_each_image_gets_its_own_kernel_and_a_flat_one_none() -> None:
    y = texture(3)
    y = torch.cat([y, torch.full_like(y[:1], 0.5)])
    done = Pipeline(Blind(FAMILY, size=5), {}, {}, Wiener())(y, 0.01)
    assert done.estimate.label is None and done.estimate.blurred.tolist() == [True, True, False]
    for image, psf in zip(y[:2], done.estimate.psf, strict=False):
        torch.testing.assert_close(psf[0], blind_kernel(image.mean(0), 5))
    assert torch.equal(done.image[2], y[2]) and not torch.equal(done.image[0], y[0])


class Told(Identifier):
    """Says the same kernel of every image."""

    def __init__(self, family: BlurFamily, psf: torch.Tensor) -> None:
        super().__init__(family)
        self.told = psf

    @property
    def tasks(self) -> tuple[Task, ...]:
        return ()

    def identify(self, y, nets, risks):  # type: ignore[no-untyped-def]
        return by_kernel(self.told.expand(len(y), 1, -1, -1), torch.ones(len(y), dtype=torch.bool))


@pytest.mark.slow
def test_another_methods_kernel_is_a_start_and_the_judge_chooses() -> None:
    line = torch.zeros(1, 1, 9, 9)
    line[..., 4, 2:7] = 0.2
    y = Convolution(line, "valid").A(texture(1))
    alone = Blind(FAMILY, size=7).identify(y, {}, {}).psf
    joined = Blind(FAMILY, size=7, start=partial(Told, psf=line)).identify(y, {}, {}).psf
    truth = line[..., 1:8, 1:8].expand(2, 1, 7, 7)
    assert joined.shape == (2, 1, 7, 7)
    assert bool((kernel_correlation(joined, truth) >= kernel_correlation(alone, truth) - 0.02).all())
    found = blind_kernel(y[0, 0], 7, starts=[truth[0, 0]])
    torch.testing.assert_close(joined[0, 0], found)


def test_a_start_that_has_to_be_trained_is_refused() -> None:
    with pytest.raises(ValueError, match="must not need a training"):
        Blind(FAMILY, size=5, start=FreeKernel)


def test_the_size_is_an_option_or_is_told() -> None:
    with pytest.raises(ValueError, match=r"give an odd pipeline.size"):
        Blind(FAMILY).identify(texture(1), {}, {})
    with pytest.raises(ValueError, match="size must be odd"):
        Blind(FAMILY, size=4)
    untold = Blind(FAMILY)
    assert untold.told_size(7).size == 7 and untold.size is None
    assert Blind(FAMILY, size=5).told_size(7).size == 5


def test_the_side_that_is_told_is_that_of_the_kernel_drawn(levin_data: Path) -> None:
    kernels = recorded_kernels(levin_data / "levin09" / "gt", r"kernel\d\.png")
    for family, sides in ((kernels, {3, 5, 7}), (Motion([2, 9], [0, 180]), {3, 5, 7, 9})):
        truth = Degrade(family, Gaussian(0.01), "reflect")(
            texture(1)[:1].expand(24, -1, -1, -1), generator=generator("kernels"), item=torch.arange(24)
        )
        told = [kernel_side(family, truth.take(torch.tensor([row]))) for row in range(24)]
        for side, psf in zip(told, truth.psf[:, 0], strict=True):
            margin = (psf.shape[-1] - side) // 2
            inside = psf[margin : psf.shape[-1] - margin, margin : psf.shape[-1] - margin]
            assert float(inside.sum()) == pytest.approx(1, abs=1e-5)
        assert {*told} == sides


def test_a_true_kernel_has_the_figures_of_a_true_kernel(levin_data: Path) -> None:
    family = recorded_kernels(levin_data / "levin09" / "gt", r"kernel\d\.png")
    truth = Degrade(family, Gaussian(0.01), "reflect")(
        texture(1)[:1], generator=generator("kernels"), item=torch.arange(1)
    )
    images = {"oracle": truth.x + 0.1, "estimated": truth.x + 0.2}
    found = blind_figures(truth, images, 2 * truth.psf, blind_s=3.0, side_px=7)
    assert found == pytest.approx(
        {"error_ratio": 4, "norm_ratio": 2, "kernel_correlation": 1, "kernel_side_px": 7, "blind_s": 3}, rel=1e-4
    )


@pytest.mark.slow
def test_a_run_records_the_ratios_of_its_lines_by_size_of_kernel(levin_data: Path, tmp_path: Path) -> None:
    words = [
        "+experiment=levin32_blind", "dataset.size=56", "deconvolver=wiener", "pipeline.refinements=0", "budget=smoke",
        "run.progress=false", "run.keep=true", "logger=csv", "trainer=cpu", f"paths.data_dir={levin_data}",
        f"paths.runs_dir={tmp_path / 'runs'}", f"paths.experiments_dir={tmp_path / 'kept'}",
    ]  # fmt: skip
    (cfg,) = check(words)
    run(cfg, tmp_path / "run", Console(quiet=True))
    kept = tmp_path / "kept" / "schuler2016" / "results" / "smoke" / "levin32_blind.blind.wiener.json"
    metrics = {name: entry["value"] for name, entry in json.loads(kept.read_text())["metrics"].items()}
    with (tmp_path / "run" / "per_image.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 32
    ratios = [float(row["error_ratio_estimated"]) for row in rows]
    for row, ratio in zip(rows, ratios, strict=True):
        lost = float(row["psnr_oracle"]) - float(row["psnr_estimated"])
        assert 10 ** (lost / 10) == pytest.approx(ratio, rel=1e-3)
    assert metrics["error_ratio_mean"] == pytest.approx(sum(ratios) / 32, rel=1e-4)
    for limit in (2, 3, 5):
        assert metrics[f"error_ratio_le_{limit}"] == pytest.approx(sum(ratio <= limit for ratio in ratios) / 32)
    assert metrics["psnr"] == pytest.approx(metrics["psnr_estimated"])
    some = [float(row["error_ratio_estimated"]) for row in rows if row["kernel_side_px_estimated"] in ("7", "7.0")]
    assert some and metrics["error_ratio_mean/7"] == pytest.approx(sum(some) / len(some), rel=1e-4)
    assert 0 < metrics["kernel_correlation"] < 1 and metrics["blind_s"] > 0 and metrics["norm_ratio_mean"] > 0
