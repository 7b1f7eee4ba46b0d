"""Make the runs of tests/golden/old_run, which stand for those that users kept: made at revision 47170e8, never again.

    python tests/golden/make_old_run.py FOLDER

Each is a finished run of a tiny network. Left out are places of the machine, logs, the page and ``last.ckpt``, and of
each ``best.ckpt`` the state of the optimizer. ``expected.json`` holds what the code of then found and restored.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from house_members import CHECKOUT
from skimage import data

SMALL = [
    "+experiment=messidor_hier", "budget=smoke", "budget.photos=10", "budget.epochs=15", "budget.steps_per_epoch=20",
    "budget.batch_size=16", "budget.draws_test=4", "budget.risk_strengths_px=[3,6,8]", "budget.risk_errors_px=[-1,0,1]",
    "budget.risk_photos=1", "dataset.size=96", "deconvolver=wiener", "head.width=2", "head.hidden=8",
    "head.window=16", "head.hop=8", "run.progress=false", "logger=csv", "trainer=cpu",
]  # fmt: skip
RUNS = {"hierarchical": ["pipeline.step_px=1"], "regression": ["pipeline=regression", "blur=motion", "noise=gaussian"]}
KEPT = [".hydra/config.yaml", ".hydra/overrides.yaml", "data.json", "record.json", "per_image.csv", "stages"]
KEPT_OF = {"hierarchical": [*KEPT, "examples"], "regression": KEPT}
"""Of each run; its page, which a resumed run makes anew, shows the examples."""
LEFT_OUT = ("optimizer_states", "lr_schedulers", "loops", "callbacks", "current_model_state", "averaging_state")


def photograph() -> np.ndarray:
    """A part of scikit-image's ``camera`` (120, 160, 1), 8 bits, moved by 9 px along its rows."""
    sharp = data.camera()[100:220, 150:318] / 255
    moved = np.mean([sharp[:, start : start + 160] for start in range(9)], axis=0)
    noise = 0.004 * np.random.default_rng(0).standard_normal(moved.shape)
    return ((moved + noise).clip(0, 1) * 255).round().astype(np.uint8)[..., None]


def found(run: Path) -> dict[str, Any]:
    """What a run finds in that photograph, and the mean and the standard deviation of what it restores."""
    from blurlab.api import Deblurrer

    restored, blur = Deblurrer(run).deblur(photograph().astype(np.float32) / 255)
    numbers = {name: float(getattr(blur, name)) for name in ("probability", "strength_px", "kernel_px", "angle_deg")}
    psf = [float(blur.psf.max()), float(np.square(blur.psf).sum())]
    return {"kind": blur.kind, **numbers, "psf": psf, "restored": [float(restored.mean()), float(restored.std())]}


def make(name: str, folder: Path) -> None:
    """Run it, and keep what belongs to no machine."""
    with tempfile.TemporaryDirectory() as place:
        env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(CHECKOUT), "NO_ALBUMENTATIONS_UPDATE": "1"}
        env |= {"BLURLAB_CACHE": f"{place}/cache", "BLURLAB_DATA": f"{place}/data"}
        words = [sys.executable, "-m", "blurlab", *SMALL, *RUNS[name], "hydra.run.dir=run"]
        subprocess.run(words, cwd=place, env=env, check=True)
        for kept in KEPT_OF[name]:
            (folder / name / kept).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (Path(place) / "run" / kept).is_dir() else shutil.copyfile
            copy(Path(place) / "run" / kept, folder / name / kept)
    for last in folder.glob(f"{name}/stages/*/last.ckpt"):
        last.unlink()
    for best in folder.glob(f"{name}/stages/*/best.ckpt"):
        state = torch.load(best, map_location="cpu", weights_only=True)
        torch.save({key: value for key, value in state.items() if key not in LEFT_OUT}, best)
    (folder / name / "expected.json").write_text(json.dumps(found(folder / name), indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("name the folder to write to")
    for each in RUNS:
        make(each, Path(sys.argv[1]))
