"""Training: schedules, checkpoints without surprises, a net that can learn."""

from __future__ import annotations

import signal
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from torch import nn

from blurlab.dataset import Degraded
from blurlab.head import KindLabels
from blurlab.learning import Supervised, load_net
from blurlab.learning.callbacks import Interrupts
from blurlab.learning.schedule import one_cosine
from blurlab.physics import Convolution


def module(schedule: str = "constant") -> Supervised:
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    return Supervised(
        net,
        KindLabels(("none", "motion")),
        lambda weights: torch.optim.SGD(weights, lr=0.1),
        schedule=schedule,
        total_steps=10,
    )


def batch() -> Degraded:
    y = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    nothing = torch.zeros(6)
    kind = torch.tensor([0, 1, 0, 1, 0, 1])
    return Degraded(
        y,
        y,
        Convolution(torch.ones(6, 1, 1, 1)),
        kind,
        nothing[:, None],
        nothing,
        nothing,
        torch.arange(6),
        torch.ones(6),
    )


def test_loss_is_cross_entropy() -> None:
    model, data = module(), batch()
    expected = nn.functional.cross_entropy(model(data.y), data.kind)
    means = model.means(data)
    assert torch.allclose(means["loss"], expected)
    right = (model(data.y).argmax(1) == data.kind).float().mean()
    assert float(means["accuracy"]) == pytest.approx(float(right))


def test_loss_and_accuracy_are_weighted_means() -> None:
    model, data = module(), batch()
    weighted = replace(data, weight=torch.tensor([1.0, 0, 0, 0, 0, 3]))
    each = nn.functional.cross_entropy(model(data.y), data.kind, reduction="none")
    right = (model(data.y).argmax(1) == data.kind).float()
    means = model.means(weighted)
    assert torch.allclose(means["loss"], (each[0] + 3 * each[5]) / 4)
    assert torch.allclose(means["accuracy"], (right[0] + 3 * right[5]) / 4)


def test_loss_and_accuracy_are_not_rounded_to_half_precision() -> None:
    model, data = module(), batch()
    with torch.autocast("cpu", torch.bfloat16):
        means = model.means(data)
        output = model(data.y)
    assert output.dtype == torch.bfloat16
    assert torch.allclose(means["loss"], nn.functional.cross_entropy(output.float(), data.kind), rtol=1e-6)
    right = (output.argmax(1) == data.kind).float().mean()
    assert float(means["accuracy"]) == pytest.approx(float(right), rel=1e-6)


def test_cosine_warms_up_and_ends_at_zero() -> None:
    values = [one_cosine(step / 100) for step in range(101)]
    assert values[5] == max(values) == 1.0
    assert values[-1] == pytest.approx(0.0)
    assert all(a >= b for a, b in pairwise(values[5:]))


def test_unknown_schedule_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="constant, one_cosine"):
        module("cosin")


def test_checkpoint_holds_plain_values_and_loads_with_weights_only(tmp_path: Path) -> None:
    model = module()
    path = tmp_path / "best.ckpt"
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False)
    trainer.strategy.connect(model)
    trainer.save_checkpoint(path)
    other = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    assert torch.equal(load_net(other, path)(batch().y), model(batch().y))
    assert not other.training


def test_the_first_ctrl_c_waits_for_the_batch_and_the_second_does_not() -> None:
    interrupts = Interrupts()
    before = signal.getsignal(signal.SIGINT)
    with interrupts.listening():
        interrupts.on_train_batch_end()
        signal.raise_signal(signal.SIGINT)  # noted: what runs here runs to its end
        with pytest.raises(KeyboardInterrupt):
            interrupts.on_train_batch_end()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
