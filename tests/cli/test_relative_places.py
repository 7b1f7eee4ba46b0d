"""A run that was started with relative places goes on from any folder."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from cli_run import Ended, in_own_process
from omegaconf import OmegaConf
from PIL import Image

TINY = [
    "blur=taps", "blur.taps=9", "pipeline=direct", "budget=smoke", "budget.epochs=1", "budget.steps_per_epoch=2",
    "budget.batch_size=4", "budget.draws_val=1", "dataset=folder", "dataset.size=48", "head.width=2", "head.hidden=8",
    "head.window=16", "head.hop=8", "~stage.fit_parts", "~stage.calibrate", "~stage.evaluate", "~stage.report",
    "logger=csv", "run.progress=false", "trainer=cpu",
]  # fmt: skip


def blurlab(*words: str, cwd: Path) -> Ended:
    env = {**os.environ, "BLURLAB_CACHE": str(cwd.parent / "cache")}
    env.pop("BLURLAB_DATA", None)
    return in_own_process(*words, cwd=cwd, env=env)


@pytest.mark.slow
def test_relative_places_mean_the_folder_of_the_start(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    (here / "été, 1").mkdir(parents=True)
    there.mkdir()
    rng = np.random.default_rng(0)
    for number in range(10):
        pixels = rng.integers(0, 256, (70, 70), dtype=np.uint8)
        Image.fromarray(pixels).save(here / "été, 1" / f"{number}.png")
    done = blurlab(*TINY, "dataset.source.root='été, 1'", "hydra.run.dir=run", cwd=here)
    assert done.returncode == 0, done.stderr
    saved = OmegaConf.load(here / "run" / ".hydra" / "overrides.yaml")
    assert f"paths.data_dir={here}/data" in saved and f"dataset.source.root='{here}/été, 1'" in saved
    for cwd, name in ((there, str(here / "run")), (tmp_path, "here/run"), (here / "run", ".")):
        again = blurlab(f"run.resume={name}", cwd=cwd)
        assert again.returncode == 0, again.stderr
        assert "train_taps: finished earlier" in again.stdout
    assert sorted(path.name for path in there.iterdir()) == []
