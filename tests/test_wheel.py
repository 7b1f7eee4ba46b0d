"""The wheel carries its configuration and starts from any directory."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_the_built_wheel_prints_its_help_in_a_fresh_environment(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    wheel = next(tmp_path.glob("blurlab_toolbox-*.whl"))
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
    assert {"blurlab/deconvolver/weights/patch_prior.safetensors", "blurlab/weights.sha256"} <= {*names}
    home = tmp_path / "env"
    venv.create(home)
    python = home / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(home), "install", "--quiet", "--no-deps", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [python, "-m", "blurlab", "--help"], cwd=elsewhere, capture_output=True, text=True, check=True, env=alone
    )
    assert "messidor_hier" in done.stdout
    conf = subprocess.run(
        [python, "-c", "from blurlab.run.command.names import conf_dir; print(conf_dir())"],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        check=True,
        env=alone,
    )
    assert Path(conf.stdout.strip()).is_relative_to(home)
