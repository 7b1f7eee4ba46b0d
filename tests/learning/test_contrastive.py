"""Pre-training a layer: what is learned, what stays, the same weights after a break."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from blurlab.blur import Gaussian
from blurlab.dataset import DegradedData, SharpImages
from blurlab.dataset.degrade import Degrade
from blurlab.head import DBN, Profiles
from blurlab.learning import LAST, ContrastiveDivergence, filter_picture, shared_callbacks
from blurlab.learning.contrastive import RATE_BINARY, RATE_GAUSSIAN
from blurlab.noise import NoNoise

EPOCHS = 12

USUAL = [  # as a run ignores them
    ".*does not have many workers", ".*LeafSpec", ".*no `validation_step`", ".*exists and is not empty",
    ".*in eval mode at the start",
]  # fmt: skip
pytestmark = [pytest.mark.filterwarnings(f"ignore:{message}") for message in USUAL]


def data() -> DegradedData:
    rng = np.random.default_rng(0)
    photos = SharpImages([rng.integers(0, 256, (48, 48, 1), dtype=np.uint8) for _ in range(4)], ["a", "b", "c", "d"])
    degrade = Degrade(Gaussian([0.5, 2.0], size=9), NoNoise())
    return DegradedData(
        photos,
        photos,
        degrade,
        size=32,
        stage="test",
        seed=0,
        batch_size=16,
        steps_per_epoch=8,
        draws_val=1,
        scale=None,
    )


def net() -> DBN:
    torch.manual_seed(3)
    return DBN(2, feature=Profiles(16, 2, 8), layers=(12, 5))


def trained(
    head: DBN, layer: int, folder: Path, epochs: int = EPOCHS, start: Path | None = None
) -> ContrastiveDivergence:
    module = ContrastiveDivergence(head, layer, epochs=EPOCHS, seed=1, stage="test", rate=0.02)
    callbacks = shared_callbacks(folder, run="a run", stage="test", progress=False, remedy="none")
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=epochs, logger=False, callbacks=callbacks,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(module, data(), ckpt_path=start, weights_only=True)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("layer", [0, 1])
def test_only_the_layer_learns_and_its_error_falls(layer: int, tmp_path: Path) -> None:
    head = net()
    head(torch.rand(9, 1, 24, 24, generator=torch.Generator().manual_seed(0)))
    before = {name: value.clone() for name, value in head.state_dict().items()}
    module = trained(head, layer, tmp_path)
    changed = {name for name, value in head.state_dict().items() if not torch.equal(value, before[name])}
    own = {f"layers.{layer}.{part}" for part in ("weight", "visible_bias", "hidden_bias")}
    assert changed == (own | {f"standardise.{part}" for part in ("count", "mean", "variance")} if layer == 0 else own)
    assert module.errors.shape == (EPOCHS,) and float(module.errors[-1]) < 0.8 * float(module.errors[0])


@pytest.mark.slow
def test_a_training_that_was_broken_off_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole = trained(net(), 0, tmp_path / "whole").state_dict()
    trained(net(), 0, tmp_path / "part", epochs=5)
    again = trained(net(), 0, tmp_path / "part", start=tmp_path / "part" / LAST).state_dict()
    torch.testing.assert_close(again, whole, rtol=1e-5, atol=1e-6)


def test_momentum_rises_after_a_tenth_of_the_epochs() -> None:
    seen: list[float] = []

    class Watch(pl.Callback):
        def on_train_batch_end(self, trainer: pl.Trainer, *_: object) -> None:
            seen.append(trainer.optimizers[0].param_groups[0]["momentum"])

    module = ContrastiveDivergence(net(), 0, epochs=20, seed=1, stage="test")
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=20, limit_train_batches=1, logger=False, callbacks=[Watch()],
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(module, data())
    assert seen == [0.5] * 2 + [0.9] * 18


def test_weights_decay_and_biases_do_not_at_the_rate_of_the_visible_units() -> None:
    for layer, rate in ((0, RATE_GAUSSIAN), (1, RATE_BINARY)):
        module = ContrastiveDivergence(net(), layer, epochs=1, seed=1, stage="test")
        groups = module.configure_optimizers().param_groups
        assert [group["weight_decay"] for group in groups] == [2e-4, 0] and {group["lr"] for group in groups} == {rate}
        assert groups[0]["params"][0] is module.machine.weight


def test_a_layer_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="layer must be 0 to 1, got 2"):
        ContrastiveDivergence(net(), 2, epochs=1, seed=1, stage="test")


def test_the_picture_shows_every_filter_with_grey_for_zero() -> None:
    filters = torch.zeros(7, 4, 5)
    filters[3, 1, 2], filters[3, 0, 0] = 2.0, -2.0
    picture = filter_picture(filters, most=5)
    assert picture.shape == (1 + 2 * 5, 1 + 3 * 6, 1) and picture.dtype == np.float32
    fourth = picture[6:10, 1:6, 0]
    assert fourth[1, 2] == 1 and fourth[0, 0] == 0 and fourth[2, 2] == 0.5
    assert not picture[6:, 13:].any()
