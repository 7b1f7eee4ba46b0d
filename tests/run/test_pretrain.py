"""Layers that are pre-trained before the network: stages of their own, resumed after a kill, or none at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file

from blurlab.core.image_io import read_image
from blurlab.core.weights import save_weights
from blurlab.learning import ContrastiveDivergence
from blurlab.run.command.compose import check
from blurlab.run.command.job import run
from blurlab.run.errors import UsageError
from blurlab.run.stage.pretrain import load_pretrained

TINY = [
    "budget=smoke", "budget.epochs=2", "budget.steps_per_epoch=3", "budget.batch_size=8",
    "budget.pretrain_epochs=2", "dataset=bundled", "dataset.size=64",
    "blur=three_kinds", "pipeline=grnn", "head=dbn", "head.layers=[20,6]", "~stage.fit_parts", "~stage.calibrate",
    "~stage.evaluate", "~stage.report", "logger=csv", "run.progress=false", "trainer=cpu",
]  # fmt: skip


class Killed(Exception):
    pass


def go(folder: Path, *words: str) -> Path:
    """One run; its stages."""
    (cfg,) = check([*TINY, *words, f"paths.runs_dir={folder}"])
    run(cfg, folder / "run", Console(quiet=True))
    return folder / "run" / "stages"


def last_state(stages: Path) -> dict[str, torch.Tensor]:
    return torch.load(stages / "train_type" / "last.ckpt", weights_only=True)["state_dict"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return go(tmp_path_factory.mktemp("whole"))


@pytest.mark.slow
def test_every_layer_is_a_stage_with_weights_and_the_first_has_a_picture(finished: Path) -> None:
    made = sorted(path.name for path in finished.iterdir())
    assert made == ["pretrain_type_1", "pretrain_type_2", "train_type"]
    assert all(json.loads((finished / name / "finished.json").read_text())["steps"] == 6 for name in made)
    picture = read_image(finished / "pretrain_type_1" / "filters.png")
    assert picture.shape == (1 + 4 * 33, 1 + 5 * 33, 1)  # twenty filters of 32 x 32
    record = json.loads((finished.parent / "record.json").read_text())
    errors = record["pretraining"]["type_1"]["reconstruction_error"]
    assert len(errors) == 2 and errors[1] < errors[0]


@pytest.mark.slow
def test_a_run_killed_between_layers_goes_on_and_ends_with_the_same_weights(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = ContrastiveDivergence.training_step

    def die(self: ContrastiveDivergence, batch: object, batch_idx: int) -> torch.Tensor:
        if self.layer == 1 and self.current_epoch == 1:
            raise Killed
        return step(self, batch, batch_idx)  # type: ignore[arg-type]

    monkeypatch.setattr(ContrastiveDivergence, "training_step", die)
    with pytest.raises(Killed):
        go(tmp_path)
    monkeypatch.undo()
    folder = tmp_path / "run" / "stages"
    first = folder / "pretrain_type_1" / "weights.safetensors"
    assert not (folder / "pretrain_type_2" / "finished.json").exists() and first.is_file()
    made = first.stat().st_mtime_ns
    go(tmp_path)
    assert first.stat().st_mtime_ns == made
    for name in ("pretrain_type_1", "pretrain_type_2"):
        one, other = (load_file(stages / name / "weights.safetensors") for stages in (finished, folder))
        torch.testing.assert_close(other, one, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(last_state(folder), last_state(finished), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("epochs", [0, 1])
def test_the_fit_starts_from_the_layers_and_the_control_does_not(epochs: int, tmp_path: Path) -> None:
    """With a rate of nearly nothing the fit ends where it started."""
    still = ["optimizer.factory.lr=1e-12", "optimizer.ema_decay=0", "budget.epochs=1"]
    other = ["head.feature._target_=blurlab.head.Cepstrum", f"budget.pretrain_epochs={epochs}"]
    stages = go(tmp_path, *still, *other)
    weight = last_state(stages)["net.layers.0.weight"]
    assert weight.shape == (20, 512)
    glorot = (6 / 532) ** 0.5
    if epochs:
        kept = load_file(stages / "pretrain_type_2" / "weights.safetensors")["layers.0.weight"]
        torch.testing.assert_close(weight, kept, rtol=0, atol=1e-6)
        assert float(weight.abs().max()) > glorot
    else:
        assert [path.name for path in stages.iterdir()] == ["train_type"]
        assert float(weight.abs().max()) <= glorot


def test_settings_are_checked_before_anything_is_made(tmp_path: Path) -> None:
    words = ["head=dbn", f"paths.runs_dir={tmp_path}"]
    check([*words, "budget.pretrain_epochs=0", "+head.feature.bands=3", "head.feature._target_=blurlab.head.Profiles"])
    for wrong, line in {
        "budget.pretrain_epochs=-1": "budget.pretrain_epochs must be a whole number from 0, got -1",
        "head.feature.side=31": "side must be even",
        "+head.feature.sides=3": "unknown key 'head.feature.sides', did you mean 'side'",
        "head.feature._target_=blurlab.head.Cepstrm": "Cepstrm",
        "head.layers=[]": "one or more numbers of units",
    }.items():
        with pytest.raises(UsageError, match=line) as caught:
            check([*words, wrong])
        assert "\n" not in str(caught.value)


def test_a_damaged_file_of_weights_gets_one_line(tmp_path: Path) -> None:
    net, path = torch.nn.Linear(2, 3), tmp_path / "weights.safetensors"
    save_weights(net, path)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(UsageError, match="remove its folder"):
        load_pretrained(net, path)
