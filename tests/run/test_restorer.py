"""A deconvolver's network trained by a run: weights, record, resume, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from PIL import Image
from rich.console import Console
from scipy import ndimage

from blurlab.api import Deblurrer
from blurlab.deconvolver import Learned, load_weights
from blurlab.learning import Diverged
from blurlab.run.command.compose import check
from blurlab.run.command.job import run
from blurlab.run.errors import UsageError
from blurlab.run.setup.build import build
from blurlab.run.stage import train_restore as restorer

WORDS = [
    "dataset=folder", "dataset.size=48", "blur=motion", "blur.length_px=[3,7]", "noise=gaussian", "pipeline=known",
    "stage=train_restore", "deconvolver=unrolled_dr", "deconvolver.weights=null", "deconvolver.net.iterations=2",
    "deconvolver.net.denoiser.channels=[4,8]", "budget=smoke", "budget.epochs=2", "budget.steps_per_epoch=3",
    "budget.batch_size=2", "budget.draws_val=1", "budget.draws_restore=1", "run.progress=false", "logger=csv",
    "trainer=cpu",
]  # fmt: skip


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photographs")
    rng = np.random.default_rng(0)
    for number in range(6):
        plane = ndimage.gaussian_filter(rng.standard_normal((64, 64)), 1.5)
        plane = np.round((0.5 + plane / (5 * plane.std())).clip(0, 1) * 255).astype(np.uint8)
        Image.fromarray(plane).save(folder / f"{number}.png")
    return folder


def config(photographs: Path, folder: Path, *words: str) -> Any:
    places = {"data_dir": photographs, "runs_dir": folder / "runs"}
    (cfg,) = check([*WORDS, *(f"paths.{name}={place}" for name, place in places.items()), *words])
    return cfg


@pytest.mark.slow
def test_weights_are_trained_kept_used_and_not_trained_twice(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cfg = config(photographs, tmp_path)
    record = json.loads(run(cfg, tmp_path / "run", Console(quiet=True)).read_text())
    assert record["training"]["deconvolver"]["steps"] == 6
    assert record["metrics"]["psnr"]["n"] == record["dataset"]["test"]
    weights = tmp_path / "run" / "stages" / restorer.NAME / restorer.WEIGHTS
    trained, fresh = (build(cfg.deconvolver.net) for _ in range(2))
    load_weights(trained, str(weights))
    assert not torch.equal(trained.denoisers[0].last.weight, fresh.denoisers[0].last.weight)
    assert record["training"]["deconvolver"]["weights"] == sum(one.numel() for one in fresh.parameters())

    (tmp_path / "run" / ".hydra").mkdir()
    OmegaConf.save(cfg, tmp_path / "run" / ".hydra" / "config.yaml", resolve=True)
    used = Deblurrer(tmp_path / "run").trained.pipeline.deconvolver
    assert isinstance(used, Learned)
    assert all(torch.equal(one, other) for one, other in zip(used.net.parameters(), trained.parameters(), strict=True))
    kept = weights.rename(tmp_path / "kept")
    with pytest.raises(UsageError, match=rf"is not finished \({weights} is missing\); run.resume="):
        Deblurrer(tmp_path / "run")
    kept.rename(weights)

    (tmp_path / "run" / "stages" / "restore" / "finished.json").unlink()
    (tmp_path / "run" / "stages" / "restore" / "items.jsonl").unlink()
    monkeypatch.setattr(restorer, "fit_or_resume", lambda *_: pytest.fail("trained again"))
    again = json.loads(run(cfg, tmp_path / "run", Console(quiet=True)).read_text())
    assert again["metrics"]["psnr"]["value"] == pytest.approx(record["metrics"]["psnr"]["value"], abs=1e-4)


@pytest.mark.slow
def test_training_goes_on_where_it_stopped(photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = restorer.Restoration.training_step
    seen: list[int] = []

    def stopping(self: Any, batch: Any, batch_idx: int) -> Any:
        seen.append(self.global_step)
        if len(seen) == 5:
            raise KeyboardInterrupt
        return whole(self, batch, batch_idx)

    cfg = config(photographs, tmp_path)
    monkeypatch.setattr(restorer.Restoration, "training_step", stopping)
    with pytest.raises(KeyboardInterrupt):
        run(cfg, tmp_path / "run", Console(quiet=True))
    run(cfg, tmp_path / "run", Console(quiet=True))
    assert seen == [0, 1, 2, 3, 4, 3, 4, 5]  # the second epoch began again


@pytest.mark.slow
def test_a_training_that_diverges_leaves_no_weights(photographs: Path, tmp_path: Path) -> None:
    with pytest.raises(
        Diverged, match=r"training train_deconvolver diverged: .* smaller optimizer.factory.lr than 1e\+30"
    ):
        run(config(photographs, tmp_path, "optimizer.factory.lr=1e30"), tmp_path / "run", Console(quiet=True))
    assert not (tmp_path / "run" / "stages" / restorer.NAME / restorer.WEIGHTS).exists()


def test_what_has_no_network_is_refused(photographs: Path, tmp_path: Path) -> None:
    cfg = config(photographs, tmp_path)
    cfg.deconvolver = {"_target_": "blurlab.deconvolver.TV"}
    with pytest.raises(UsageError, match="TV has nothing to train; choose deconvolver=unrolled_dr"):
        run(cfg, tmp_path / "run", Console(quiet=True))
    assert not (tmp_path / "run").exists()


def test_a_wrong_recipe_is_said_before_anything_is_read(photographs: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown schedule 'cosin'"):
        config(photographs, tmp_path, "optimizer.schedule=cosin")


def test_a_network_without_weights_restores_nothing(photographs: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the network UnrolledDR has no weights"):
        config(photographs, tmp_path, "stage=restore")


@pytest.mark.parametrize("experiment", ["train_unrolled_dr", "gilbert2019"])
def test_a_budget_says_how_long_a_network_is_trained(experiment: str) -> None:
    with initialize_config_dir(str(Path(__file__).parents[2] / "conf"), version_base=None):
        cfg = compose("run", [f"+experiment={experiment}", "budget=smoke"])
        smoke = compose("run", ["budget=smoke"]).budget
    assert (cfg.budget.epochs, cfg.budget.steps_per_epoch) == (smoke.epochs, smoke.steps_per_epoch)
