"""Files about the package say the same: version, names of extras, pinned torch, what the image needs."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import yaml

from blurlab import __version__
from blurlab.cli.bounds import DISTRIBUTION

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_citation_is_of_this_version() -> None:
    cited = yaml.safe_load(text("CITATION.cff"))
    assert cited["version"] == __version__ == PROJECT["version"] and cited["license"] == PROJECT["license"]
    assert cited["cff-version"] == "1.2.0" and cited["title"] == "blurlab" and cited["authors"] and cited["message"]


def test_the_distribution_has_one_name_and_the_extras_that_are_named_exist() -> None:
    assert PROJECT["name"] == DISTRIBUTION
    every = [*(ROOT / "blurlab").rglob("*.py"), *(ROOT / "conf").rglob("*.yaml"), *ROOT.glob("*.md")]
    named = [found for path in every for found in re.findall(r"(blurlab[\w-]*)\[([a-z]+)\]", path.read_text("utf-8"))]
    assert named and {name for name, _ in named} == {DISTRIBUTION}
    assert {extra for _, extra in named} <= {*PROJECT["optional-dependencies"]}


def test_the_image_installs_what_the_makefile_does() -> None:
    torch = re.search(r"^torch==(\S+)$", text("constraints.txt"), re.MULTILINE)
    assert torch is not None
    assert f"torch=={torch[1]}" in text("Dockerfile") and f"torch=={torch[1]}" in text("Makefile")
    ignored = {line for line in text(".dockerignore").splitlines() if line}
    assert not ignored & {"blurlab", "conf", "experiments", "README.md", "LICENSE", "pyproject.toml", "constraints.txt"}
    python = re.search(r"^FROM python:(3\.\d+)-slim$", text("Dockerfile"), re.MULTILINE)
    container = json.loads(text(".devcontainer/devcontainer.json"))
    assert python is not None and container["image"].endswith(f":{python[1]}")
    assert container["postCreateCommand"] == "make install"
