"""Stages that are added in training, items that are left out, and networks that others start from."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from blurlab.blur import GPTrajectory
from blurlab.core.weights import read_weights, save_weights
from blurlab.head import KernelSquares, LearningToDeblur
from blurlab.learning import Growing, Outliers, Supervised, start_from
from blurlab.physics import Convolution, Degraded


def net(side: int = 9, sides: tuple[int, ...] | None = None, stages: int = 2) -> LearningToDeblur:
    return LearningToDeblur(side**2, pairs=(1,) * stages, filters=6, hidden=6, filter_px=5, sides_px=sides)


def batch(count: int = 3) -> Degraded:
    generator = torch.Generator().manual_seed(0)
    family = GPTrajectory(9)
    blur = family.sample(count, generator=generator)
    x = torch.rand(count, 1, 40, 40, generator=generator)
    nothing = torch.zeros(count)
    return Degraded(
        x=x[..., 4:-4, 4:-4], y=Convolution(blur.psf, "valid").A(x), blur=Convolution(blur.psf, "valid"),
        kind=blur.kind, params=blur.params, strength_px=nothing, sigma=nothing, item=torch.arange(count),
        weight=torch.ones(count),
    )  # fmt: skip


def test_stages_are_added_at_their_shares_and_first_learned_alone() -> None:
    growing = Growing([0.5, 0.8], alone=100)
    seen = [growing.at(step, 1000) for step in (0, 499, 500, 599, 600, 799, 800, 899, 900, 999)]
    first, second, third = [(1, False)] * 2, [(2, True)] * 2 + [(2, False)] * 2, [(3, True)] * 2 + [(3, False)] * 2
    assert seen == first + second + third
    assert growing.at(514, 100 * 10) == (2, True) and Growing([0.5], alone=100).at(80, 100) == (2, False)
    for shares in ([0.5, 0.5], [0.8, 0.5], [0.0], [1.0]):
        with pytest.raises(ValueError, match="rise between 0 and 1"):
            Growing(shares)


def test_the_network_has_the_stages_of_the_step() -> None:
    growing, made = Growing([0.5], alone=2), net()
    module = SimpleNamespace(net=made)
    in_use, learned = [], []
    for step in range(10):
        growing.on_train_batch_start(SimpleNamespace(global_step=step, estimated_stepping_batches=10), module, None, 0)
        in_use.append(int(made.in_use))
        learned.append(made.scales[0][0].filters.requires_grad)
    assert in_use == [1] * 5 + [2] * 5
    assert learned == [True] * 5 + [False] * 2 + [True] * 3


def test_items_far_above_the_mean_are_left_out_and_do_not_move_it() -> None:
    outliers = Outliers(factor=10, decay=0.5)
    assert outliers.keep(torch.tensor([100.0, 1.0])).all() and outliers.mean == 50.5
    assert outliers.keep(torch.tensor([506.0, 0.5])).tolist() == [False, True] and outliers.mean == 25.5
    assert outliers.keep(torch.tensor([300.0])).tolist() == [False] and outliers.mean == 25.5
    for options in ({"factor": 1.0}, {"decay": 1.0}):
        with pytest.raises(ValueError, match="factor must be above 1"):
            Outliers(**options)


def test_what_is_left_out_has_no_gradient_and_the_mean_outlives_a_checkpoint() -> None:
    def module(outliers: Outliers | None) -> Supervised:
        torch.manual_seed(0)
        return Supervised(
            net(), KernelSquares(9), torch.optim.SGD, schedule="constant", total_steps=1, outliers=outliers
        )

    given = batch()
    low = Outliers()
    low.mean = 1e-6
    none = module(low).means(given, low)["loss"]
    assert float(none.detach()) == 0
    plain = module(None).means(given)["loss"]
    high = Outliers()
    torch.testing.assert_close(module(high).means(given, high)["loss"], plain)
    held: dict[str, object] = {}
    module(high).on_save_checkpoint(held)
    later = module(Outliers())
    later.on_load_checkpoint(held)
    assert later.outliers is not None and later.outliers.mean == high.mean


def test_the_loss_is_the_squared_error_of_the_kernel_as_it_lies() -> None:
    given, target = batch(), KernelSquares(9)
    told = given.psf.clamp_min(1e-9).log().flatten(1)
    assert float(target.loss(told, given).max()) < 1e-9
    moved = given.psf.roll(1, -1)
    expected = (moved - given.psf).square().sum((1, 2, 3))
    torch.testing.assert_close(target.loss(moved.clamp_min(1e-9).log().flatten(1), given), expected, rtol=1e-4, atol=0)


def test_a_larger_network_starts_as_the_smaller(tmp_path: Path) -> None:
    small, large = net(9), net(15, (9, 15))
    with torch.no_grad():
        small.log_beta.fill_(-3)
    small.use_stages(1)
    save_weights(small, tmp_path / "small.safetensors")
    first = large.scales[1][0].filters.detach().clone()
    assert not torch.equal(large.scales[1][1].mix, small.scales[0][1].mix)
    start_from(large, tmp_path / "small.safetensors")
    assert torch.equal(large.scales[0][1].mix, small.scales[0][1].mix)
    assert large.in_use.tolist() == [1, 2]
    beta = large.log_beta.detach()
    assert beta.tolist() == [[-3.0, -3.0], [-3.0, -3.0]]
    assert not torch.equal(large.scales[1][0].filters, first)
    for stage in (0, 1):  # the smaller scale's second stage, which sees a latent image too
        assert torch.equal(large.scales[1][stage].filters, small.scales[0][1].filters)
    state = {f"net.{name}": value for name, value in small.state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "small.ckpt")
    other = net(9)
    start_from(other, tmp_path / "small.ckpt")
    y = batch().y
    assert torch.equal(other(y), small(y))


def test_other_networks_are_not_started_from(tmp_path: Path) -> None:
    save_weights(net(15, (9, 15)), tmp_path / "large.safetensors")
    save_weights(net(9, stages=3), tmp_path / "deep.safetensors")
    (tmp_path / "damaged.safetensors").write_bytes(b"nothing")
    for name in ("large", "deep"):
        with pytest.raises(ValueError, match="holds no network whose scales are the first of this one's"):
            start_from(net(9), tmp_path / f"{name}.safetensors")
    with pytest.raises(ValueError, match="is damaged"):
        read_weights(tmp_path / "damaged.safetensors")
    with pytest.raises(FileNotFoundError):
        start_from(net(9), tmp_path / "none.safetensors")
