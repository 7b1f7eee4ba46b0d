"""A run directory whose files are cut, empty, missing or others': one line that names the file and what to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fast_set import slow_where
from omegaconf import OmegaConf

from blurlab.run.command.resume import with_resume
from blurlab.run.errors import UsageError
from blurlab.run.stage.load import load_run

OLD = Path(__file__).parents[1] / "golden" / "old_run" / "hierarchical"
YAML = [
    b"", b"\x00\x01\xff", b"a: [1, 2", b"- 3\n", b"just words", b"{a: }}", b"a: &x [*x]\n", b"a: 1\na: 2\n", b"a: ${b",
]  # fmt: skip
WORDS = [
    b"", b"a: 1\n", b"- a: 1\n", b"- [1]\n", b"- 3\n", b"- 'a", b"\xff\xfe", b"- \n", b"- 'x y z'\n", b"- '+=x'\n",
]  # fmt: skip
PARTS = ["blur", "pipeline", "head", "noise", "dataset", "deconvolver", "stage"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(OLD, tmp_path / "run"))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 7])


@pytest.mark.parametrize("content", [None, *YAML], ids=lambda content: "cut" if content is None else repr(content))
def test_a_damaged_configuration_is_named(folder: Path, content: bytes | None) -> None:
    path = folder / ".hydra" / "config.yaml"
    path.write_bytes(path.read_bytes()[:1000] + b"\n   : [" if content is None else content)
    with pytest.raises(UsageError, match=r"config\.yaml is (damaged|empty).*put the run directory's own") as caught:
        load_run(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", WORDS)
def test_a_damaged_list_of_words_is_named(folder: Path, content: bytes) -> None:
    (folder / ".hydra" / "overrides.yaml").write_bytes(content)
    with pytest.raises(UsageError, match=r"overrides\.yaml") as caught:
        with_resume([f"run.resume={folder}"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", PARTS)
def test_a_configuration_that_lacks_a_part_is_damaged(folder: Path, key: str) -> None:
    path = folder / ".hydra" / "config.yaml"
    path.write_text(path.read_text().replace(f"\n{key}:", f"\n{key}s:"))
    with pytest.raises(UsageError, match=f"is damaged: it lacks {key}; put"):
        load_run(folder)


VALUES: list[object] = [None, 3, "text", [1], {"a": 1}, {"_target_": 3}]
CASES = [(key, value) for key in PARTS for value in VALUES]


@pytest.mark.parametrize(("key", "value"), slow_where(CASES, lambda case: case[0] != PARTS[0] and case[1] is not None))
def test_a_part_that_is_none_ends_with_one_line(folder: Path, key: str, value: object) -> None:
    path = folder / ".hydra" / "config.yaml"
    cfg = OmegaConf.load(path)
    cfg[key] = value
    OmegaConf.save(cfg, path)
    if key == "stage" and isinstance(value, dict):
        load_run(folder)  # only a learned deconvolver asks which stages there were
        return
    with pytest.raises(UsageError) as caught:
        load_run(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["train_type/best.ckpt", "calibrate_strength_motion/risk.safetensors"])
def test_a_file_of_a_stage_that_is_missing_or_cut_is_named(folder: Path, name: str) -> None:
    path = folder / "stages" / name
    cut(path)
    with pytest.raises(ValueError, match=rf"{path} cannot be read.* remove its folder") as caught:
        load_run(folder)
    assert "\n" not in str(caught.value) and "weights_only" not in str(caught.value)
    path.unlink()
    with pytest.raises(UsageError, match=rf"is not finished \({path} is missing\); run\.resume="):
        load_run(folder)
